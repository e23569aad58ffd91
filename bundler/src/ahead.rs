//! Turns files into modules on other threads before it is their turn in the graph.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
    queue: Arc<Queue>,
    started: HashMap<BytePos, Arc<Job>>,
}

/// A source file, and what decides how it is read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) file: Lrc<SourceFile>,
    pub(crate) dialect: Dialect,
    pub(crate) package: PackageType,
}

/// A file that is to be parsed.
struct Job {
    source: Source,
    setting: Setting,
    state: Mutex<State>,
    done: Condvar,
}

enum State {
    Waiting,
    Running,
    Done(Parsing),
    Gone,
}

/// What nobody has begun yet, in the order in which it will be asked for.
#[derive(Default)]
struct Queue {
    open: Mutex<Open>,
    more: Condvar,
}

#[derive(Default)]
struct Open {
    jobs: VecDeque<Arc<Job>>,
    is_closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file's module, and the comments that belong to it.
struct Parsing {
    parsed: Result<Parsed, Vec<SyntaxError>>,
    leading: Vec<(BytePos, Vec<Comment>)>,
    trailing: Vec<(BytePos, Vec<Comment>)>,
}

/// Runs `work` with threads that parse for it.
pub(crate) fn parsing_ahead<R>(work: impl FnOnce(Ahead) -> R) -> R {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let queue = Arc::<Queue>::default();
    GLOBALS.with(|globals: &Globals| {
        thread::scope(|scope| {
            for _ in (1..cores).take(WORKERS_MAX) {
                let queue = Arc::clone(&queue);
                let worker = move || GLOBALS.set(globals, || queue.serve());
                // What a worker that cannot be started would have parsed is parsed when it is asked for.
                let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, worker);
            }
            work(Ahead { queue: Arc::clone(&queue), started: HashMap::new() })
        })
    })
}

impl Queue {
    /// Works until the queue is closed.
    fn serve(&self) {
        loop {
            let mut open = lock(&self.open);
            while open.jobs.is_empty() && !open.is_closed {
                open = self.more.wait(open).unwrap_or_else(PoisonError::into_inner);
            }
            // Nobody asks for the rest where loading was given up.
            if open.is_closed {
                return;
            }
            let job = open.jobs.pop_front();
            drop(open);
            job.iter().for_each(|job| job.run());
        }
    }
}

impl Job {
    /// Does it, unless someone else has begun.
    fn run(&self) {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Waiting) {
            return;
        }
        *state = State::Running;
        drop(state);
        let mut end = End { job: self, state: State::Gone };
        end.state = State::Done(parse(&self.source, &self.setting));
    }

    /// The result, if it is there.
    fn take(&self) -> Option<Parsing> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Gone) {
            State::Done(parsing) => Some(parsing),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Waits until nobody is working on it.
    fn wait(&self) {
        let mut state = lock(&self.state);
        while matches!(*state, State::Running) {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The end of a job, be it that the parser panics: whoever asks for the result then meets the same.
struct End<'j> {
    job: &'j Job,
    state: State,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        *lock(&self.job.state) = std::mem::replace(&mut self.state, State::Gone);
        self.job.done.notify_all();
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        lock(&self.queue.open).is_closed = true;
        self.queue.more.notify_all();
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
    /// Has `source` parsed, as soon as a thread has time.
    pub(crate) fn start(&mut self, source: Source, setting: &Setting) {
        let start = source.file.start_pos;
        let (state, done) = (Mutex::new(State::Waiting), Condvar::new());
        let job = Arc::new(Job { source, setting: setting.clone(), state, done });
        lock(&self.queue.open).jobs.push_back(Arc::clone(&job));
        self.queue.more.notify_one();
        self.started.insert(start, job);
    }

    /// The module in `source`; its comments are added to those of `sources`.
    pub(crate) fn finish(&mut self, source: &Source, sources: &Sources) -> Result<Parsed, Vec<SyntaxError>> {
        let parsing = self.started.remove(&source.file.start_pos).and_then(|job| self.result(&job));
        let Parsing { parsed, leading, trailing } = parsing.unwrap_or_else(|| parse(source, &sources.setting));
        let comments = &sources.comments;
        leading.into_iter().for_each(|(pos, found)| comments.add_leading_comments(pos, found));
        trailing.into_iter().for_each(|(pos, found)| comments.add_trailing_comments(pos, found));
        parsed
    }

    /// While another thread is working on it this one does what comes next.
    fn result(&self, job: &Job) -> Option<Parsing> {
        loop {
            job.run();
            if let Some(parsing) = job.take() {
                return Some(parsing);
            }
            let next = lock(&self.queue.open).jobs.pop_front();
            match next {
                Some(next) => next.run(),
                None => {
                    job.wait();
                    return job.take();
                }
            }
        }
    }
}
