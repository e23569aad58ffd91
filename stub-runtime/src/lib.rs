//! The host calls of a running app, over plain slices and scalars, and the loader that boots it.
#![deny(clippy::as_conversions)]

#[cfg(feature = "boot")]
pub mod boot;
pub mod calls;
mod capability;
mod clock;
mod copy;
mod files;
#[cfg(any(feature = "boot", feature = "native"))]
mod global;
mod handles;
mod host;
pub mod memory;
mod moments;
#[cfg(feature = "native")]
pub mod native;
mod paths;
mod program;
mod readiness;
mod resolve;
mod sockets;
mod stdio;
mod streams;
mod sys;
mod system;

pub use host::{Host, Launch, Refusal};
