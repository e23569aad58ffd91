//! Runs an app's start-up sealed from the world and captures the guest's memory: `Package` + `Grants` → `Snapshot`.
#![deny(missing_docs)]

mod bootstrap;
mod engine;
mod error;
mod frozen;
mod machine;
mod reasons;
mod requests;
mod sealed;
mod snapshot;
mod take;
#[cfg_attr(target_os = "linux", path = "touched_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "touched_other.rs")]
mod touched;
mod trial;
mod wasmer;

pub use bootstrap::{bootstrap, bootstrap_placed, bootstrap_recorded};
pub use engine::Engine;
pub use error::Error;
pub use frozen::{Frozen, SourceOf};
pub use sealed::Sealing;
pub use snapshot::{BaseImage, Ending, Position, Snapshot, Started, Stop};
pub use take::{START_UP_BUDGET, load, take, take_within};
pub use trial::trial;

/// What every pass of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;
