//! Turns files into modules on other threads before it is their turn in the graph.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use swc_core::common::comments::{Comment, Comments, SingleThreadedCommentsMap};
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, GLOBALS, Globals, SourceFile};

use crate::dialect::Dialect;
use crate::package::PackageType;
use crate::parallel::STACK_BYTES;
use crate::parse::{Parsed, Setting, Sources, SyntaxError, parse_module};

/// More would wait for the thread that links.
const WORKERS_MAX: usize = 7;

/// The files that are being worked on, by where they begin.
pub(crate) struct Ahead {
    jobs: Option<Sender<Job>>,
    started: HashMap<BytePos, Receiver<Parsing>>,
}

/// A source file, and what decides how it is read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) file: Lrc<SourceFile>,
    pub(crate) dialect: Dialect,
    pub(crate) package: PackageType,
}

struct Job {
    source: Source,
    setting: Setting,
    done: Sender<Parsing>,
}

/// A file's module, and the comments that belong to it.
struct Parsing {
    parsed: Result<Parsed, Vec<SyntaxError>>,
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
        let Ok(Job { source, setting, done }) = next else { return };
        // Nobody waits any more where loading was given up.
        let _ = done.send(parse(&source, &setting));
    }
}

fn parse(source: &Source, setting: &Setting) -> Parsing {
    let sources = Sources::of(setting.clone());
    let parsed = parse_module(&sources, &source.file, &source.dialect, source.package);
    let (leading, trailing) = sources.comments.take_all();
    let list = |comments: SingleThreadedCommentsMap| comments.take().into_iter().collect();
    Parsing { parsed, leading: list(leading), trailing: list(trailing) }
}

impl Ahead {
    /// Begins to work on `source`.
    pub(crate) fn start(&mut self, source: Source, setting: &Setting) {
        let (done, parsing) = channel();
        let start = source.file.start_pos;
        if let Some(jobs) = &self.jobs
            && jobs.send(Job { source, setting: setting.clone(), done }).is_ok()
        {
            self.started.insert(start, parsing);
        }
    }

    /// The module in `source`; its comments are added to those of `sources`.
    pub(crate) fn finish(&mut self, source: &Source, sources: &Sources) -> Result<Parsed, Vec<SyntaxError>> {
        let parsing = self.started.remove(&source.file.start_pos).and_then(|parsing| parsing.recv().ok());
        let Parsing { parsed, leading, trailing } = parsing.unwrap_or_else(|| parse(source, &sources.setting));
        let comments = &sources.comments;
        leading.into_iter().for_each(|(pos, found)| comments.add_leading_comments(pos, found));
        trailing.into_iter().for_each(|(pos, found)| comments.add_trailing_comments(pos, found));
        parsed
    }
}
