//! Sources → the hash by which bundles that other sources made are told apart.

mod sources_hash;

/// All that decides what a bundle is: this crate, the one it names builtins and limits from, and what is linked to it.
const INPUTS: [&str; 3] = ["src", "../format/src", "../Cargo.lock"];

fn main() -> std::io::Result<()> {
    println!("cargo::rustc-env=EDGEPACK_BUNDLER_HASH={:016x}", sources_hash::sources_hash(&INPUTS)?);
    Ok(())
}
