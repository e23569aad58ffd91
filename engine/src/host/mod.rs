//! Host calls as the bindings use them.

pub(crate) mod raw;
pub(crate) mod waiting;
pub(crate) mod process;
pub(crate) mod standard_streams;
