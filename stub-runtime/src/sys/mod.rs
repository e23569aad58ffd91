//! What only the C library can do: the files with `unsafe`.

pub(crate) mod interfaces;
pub(crate) mod local_time;
pub(crate) mod names;
pub(crate) mod signals;
pub(crate) mod usage;
