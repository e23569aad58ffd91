//! An error as a person reads it: a sentence and a hint; and the one place where errors are printed.
#![expect(clippy::print_stderr, reason = "errors are printed here")]

use std::fmt;
use std::process::ExitCode;

/// A failure that this crate itself has found.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    hint: Option<String>,
    usage: bool,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn new(sentence: impl Into<String>) -> Failure {
        Failure { sentence: sentence.into(), hint: None, usage: false }
    }

    /// Wrong usage: exit code 2.
    pub(crate) fn usage(sentence: impl Into<String>) -> Failure {
        Failure { sentence: sentence.into(), hint: None, usage: true }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}

/// Prints the error to stderr; the exit code it means.
pub(crate) fn print(error: &anyhow::Error) -> ExitCode {
    if let Some(found) = error.downcast_ref::<edgepack_bundler::Diagnostics>() {
        eprintln!("{found}");
        return ExitCode::FAILURE;
    }
    eprintln!("error: {error:#}");
    if let Some(hint) = hint(error) {
        eprintln!("  hint: {hint}");
    }
    let usage = error.downcast_ref::<Failure>().is_some_and(|failure| failure.usage);
    if usage { ExitCode::from(2) } else { ExitCode::FAILURE }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.hint.clone();
    }
    let snapshots = error.downcast_ref::<edgepack_snapshots::Error>()?;
    snapshots.hint().map(str::to_owned)
}
