//! Host calls as the bindings use them.

mod answer;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod raw;
pub(crate) mod sockets;
pub(crate) mod standard_streams;
pub(crate) mod system;
pub(crate) mod waiting;

pub(crate) use answer::{Answer, Failure};
