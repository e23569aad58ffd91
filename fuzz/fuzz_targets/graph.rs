//! Random module graphs, by the number that each is made from: the bundled program does what Node does.
//!
//! `cargo fuzz run graph`; `EDGEPACK_NODE` names the node that is asked. The graphs are those of the test
//! `random_graphs`, which shows one by its number, too: `EDGEPACK_GRAPHS=7..8`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../bundler/tests/random_graphs.rs"]
#[allow(dead_code, unused_imports, reason = "the test itself")]
mod random_graphs;

fuzz_target!(|bytes: &[u8]| {
    let number = bytes.iter().fold(0, |number: u64, byte| number.wrapping_mul(256).wrapping_add(u64::from(*byte)));
    if let Err(difference) = random_graphs::check(number) {
        panic!("graph {number}\n{difference}");
    }
});
