//! Sources → the hash by which bundles that other sources made are told apart.

mod sources_hash;

/// All that decides what a bundle is: this crate, what the engine gives its scripts, the crate it names builtins and limits from, and what
/// is linked to it.
const INPUTS: [&str; 4] = ["src", "../engine/js/modules.js", "../format/src", "../Cargo.lock"];

fn main() -> std::io::Result<()> {
    println!("cargo::rustc-env=EDGEPACK_BUNDLER_HASH={:016x}", sources_hash::sources_hash(&INPUTS)?);
    Ok(())
}
