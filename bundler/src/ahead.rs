//! Parses files on other threads before it is their turn in the graph.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use swc_core::common::comments::{Comment, Comments, SingleThreadedComments, SingleThreadedCommentsMap};
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, GLOBALS, Globals, SourceFile};
use swc_core::ecma::ast::Program;

use crate::parallel::STACK_BYTES;
use crate::parse::{Grammar, SyntaxError, parse_file};

/// More would wait for the thread that links.
const WORKERS_MAX: usize = 7;

/// The files that are being parsed, by where they begin.
pub(crate) struct Ahead {
    jobs: Option<Sender<Job>>,
    started: HashMap<BytePos, Receiver<Parsing>>,
}

struct Job {
    file: Lrc<SourceFile>,
    grammar: Grammar,
    done: Sender<Parsing>,
}

/// A file's syntax, and the comments that belong to it.
struct Parsing {
    program: Result<Program, SyntaxError>,
    leading: Vec<(BytePos, Vec<Comment>)>,
    trailing: Vec<(BytePos, Vec<Comment>)>,
}

/// Runs `work` with threads that parse for it. With a single core it does so itself.
pub(crate) fn parsing_ahead<R>(work: impl FnOnce(Ahead) -> R) -> R {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (jobs, inbox) = channel();
    let inbox = Mutex::new(inbox);
    GLOBALS.with(|globals: &Globals| {
        thread::scope(|scope| {
            let worker = || GLOBALS.set(globals, || serve(&inbox));
            let workers = (1..cores).take(WORKERS_MAX);
            let started = workers
                .filter(|_| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, worker).is_ok())
                .count();
            // The workers end when nobody can send them anything.
            work(Ahead { jobs: (started > 0).then_some(jobs), started: HashMap::new() })
        })
    })
}

fn serve(inbox: &Mutex<Receiver<Job>>) {
    loop {
        let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { file, grammar, done }) = next else { return };
        // Nobody waits any more where loading was given up.
        let _ = done.send(parse(&file, grammar));
    }
}

fn parse(file: &Lrc<SourceFile>, grammar: Grammar) -> Parsing {
    let comments = SingleThreadedComments::default();
    let program = parse_file(file, grammar, &comments);
    let (leading, trailing) = comments.take_all();
    let list = |comments: SingleThreadedCommentsMap| comments.take().into_iter().collect();
    Parsing { program, leading: list(leading), trailing: list(trailing) }
}

impl Ahead {
    /// Begins to parse `file`.
    pub(crate) fn start(&mut self, file: Lrc<SourceFile>, grammar: Grammar) {
        let (done, parsing) = channel();
        let start = file.start_pos;
        if let Some(jobs) = &self.jobs
            && jobs.send(Job { file, grammar, done }).is_ok()
        {
            self.started.insert(start, parsing);
        }
    }

    /// The syntax of `file`; its comments are added to `comments`.
    pub(crate) fn finish(
        &mut self,
        file: &Lrc<SourceFile>,
        grammar: Grammar,
        comments: &SingleThreadedComments,
    ) -> Result<Program, SyntaxError> {
        let parsing = self.started.remove(&file.start_pos).and_then(|parsing| parsing.recv().ok());
        let Parsing { program, leading, trailing } = parsing.unwrap_or_else(|| parse(file, grammar));
        leading.into_iter().for_each(|(pos, found)| comments.add_leading_comments(pos, found));
        trailing.into_iter().for_each(|(pos, found)| comments.add_trailing_comments(pos, found));
        program
    }
}
