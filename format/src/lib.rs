//! The contract between the tool (writer), the guest engine and the stub (readers): host calls, builtin modules,
//! capabilities, targets, limits, container layout. No IO, no allocation beyond `alloc`, no logic of a stage.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::as_conversions)]

extern crate alloc;

pub mod builtins;
pub mod code;
pub mod container;
pub mod cursor;
pub mod elf;
pub mod guest;
pub mod host_calls;
pub mod image;
pub mod limits;
pub mod manifest;
pub mod policy;
pub mod positions;
pub mod shebang;
pub mod targets;
