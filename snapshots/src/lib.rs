//! Runs an app's start-up sealed from the world and captures the guest's memory: `Package` + `Grants` → `Snapshot`.
#![deny(missing_docs)]

mod audit;
mod bootstrap;
mod count;
mod engine;
mod error;
mod frozen;
mod instrument;
mod machine;
mod placement;
mod reasons;
mod requests;
mod sealed;
mod snapshot;
mod survey;
mod take;
mod terminals;
mod touches;
mod trial;
mod wasmer;

pub use audit::{Audit, Sum, audit, heap_at_stop};
pub use bootstrap::{Heat, base_image, bootstrap};
pub use engine::Engine;
pub use error::Error;
pub use frozen::{Frozen, SourceOf};
pub use sealed::Sealing;
pub use snapshot::{BaseImage, Ending, Position, Share, Snapshot, Started, Stop};
pub use take::{START_UP_BUDGET, lay_out, load, take, take_within};

/// What every pass of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;
