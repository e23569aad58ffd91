//! The loader; without an engine linked in there is nothing to load.

fn main() {}
