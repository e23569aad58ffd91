//! The phase line: on a terminal it moves, elsewhere each phase is one plain line. Both on stderr.
#![expect(clippy::print_stderr, reason = "progress is printed here")]

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A row of phases, each with its duration.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    phases: Vec<Phase>,
}

/// A phase that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    /// Its name: `bundle`.
    pub(crate) name: &'static str,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Who is to see the phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// People: each phase is shown.
    Shown,
    /// Nobody.
    Silent,
}

impl Progress {
    /// No phase yet.
    pub(crate) fn new(audience: Audience) -> Progress {
        let bar = (audience == Audience::Shown && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(80));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Progress { bar, phases: Vec::new() }
    }

    /// Runs one phase. What is done once per target is one phase too.
    pub(crate) fn phase<T>(&mut self, name: &'static str, doing: &'static str, work: impl FnOnce() -> T) -> T {
        if let Some(bar) = &self.bar {
            bar.set_message(doing);
        }
        let start = Instant::now();
        let result = work();
        let took = start.elapsed();
        match self.phases.iter_mut().find(|phase| phase.name == name) {
            Some(phase) => phase.took += took,
            None => self.phases.push(Phase { name, took }),
        }
        result
    }

    /// Prints a line above the moving one.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Takes the moving line away; the phases in order.
    pub(crate) fn finish(self) -> Vec<Phase> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.phases
    }
}
