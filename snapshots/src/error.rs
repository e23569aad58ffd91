//! Everything that can go wrong between an engine and a snapshot: a sentence each, and a hint where one helps.

use std::fmt;
use std::path::PathBuf;

/// Why no snapshot could be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The wasm VM refuses the engine.
    Compile(String),
    /// The engine imports something that is no host call.
    UnknownImport(String),
    /// The engine lacks an export of the contract.
    MissingExport(&'static str),
    /// The base image is not one.
    NotABaseImage(&'static str),
    /// The base image was made from another engine.
    OtherEngine,
    /// The engine died while an export ran.
    Trapped {
        /// The export.
        export: &'static str,
        /// What the VM says.
        message: String,
    },
    /// The engine reported a bug of its own.
    Panicked(String),
    /// `edge_bootstrap` asked for something that only exists at boot.
    BootstrapAsked {
        /// The host call.
        call: &'static str,
        /// The JS stack.
        backtrace: String,
    },
    /// An export answered with a number that the contract does not know.
    BadStatus {
        /// The export.
        export: &'static str,
        /// Its answer.
        status: i64,
    },
    /// The script could not be loaded.
    Load(String),
    /// The second pass did not do what the first did.
    Diverged(String),
    /// A cached artifact could not be written.
    Cache(PathBuf, std::io::Error),
}

impl Error {
    /// Advice for whoever reads the sentence.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Compile(_) | Error::UnknownImport(_) | Error::MissingExport(_) | Error::BootstrapAsked { .. } => {
                Some("the engine and this tool do not fit together: run `cargo xtask engine` and build the tool again")
            }
            Error::NotABaseImage(_) | Error::OtherEngine => {
                Some("run `cargo xtask engine`, which makes the engine and its base image together")
            }
            Error::Trapped { .. } | Error::Panicked(_) | Error::Diverged(_) | Error::BadStatus { .. } => {
                Some("this is a bug in edgepack; `--no-snapshot` builds without running the app")
            }
            Error::Cache(..) => Some("the cache folder must be writable; XDG_CACHE_HOME moves it"),
            Error::Load(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Compile(message) => write!(f, "the engine cannot be compiled: {message}"),
            Error::UnknownImport(name) => write!(f, "the engine imports {name}, which is no host call"),
            Error::MissingExport(name) => write!(f, "the engine does not export {name}"),
            Error::NotABaseImage(why) => write!(f, "the base image cannot be used: {why}"),
            Error::OtherEngine => write!(f, "the base image was made from another engine"),
            Error::Trapped { export, message } => write!(f, "the engine died in {export}: {message}"),
            Error::Panicked(text) => write!(f, "the engine met a bug of its own: {text}"),
            Error::BootstrapAsked { call, backtrace } => {
                write!(f, "the engine's bootstrap makes the host call {call}, which only a running app may")?;
                if backtrace.is_empty() { Ok(()) } else { write!(f, "\n{backtrace}") }
            }
            Error::BadStatus { export, status } => write!(f, "the engine's {export} answered {status}"),
            Error::Load(message) => write!(f, "the engine refuses the bundle: {message}"),
            Error::Diverged(what) => write!(f, "two runs of the same start-up differ: {what}"),
            Error::Cache(path, source) => write!(f, "{} cannot be written: {source}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Cache(_, source) => Some(source),
            _ => None,
        }
    }
}
