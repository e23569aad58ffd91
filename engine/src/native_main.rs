//! native runner
fn main() {}
