//! Sources → the hash by which bundles that other sources made are told apart.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

/// All that decides what a bundle is: this crate, the one it names builtins and limits from, and what is linked to it.
const INPUTS: [&str; 3] = ["src", "../format/src", "../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for input in INPUTS {
        println!("cargo::rerun-if-changed={input}");
        hash_tree(Path::new(input), &mut hasher)?;
    }
    println!("cargo::rustc-env=EDGEPACK_BUNDLER_HASH={:016x}", hasher.finish());
    Ok(())
}

fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash_tree(entry, hasher));
    }
    (path, fs::read(path)?).hash(hasher);
    Ok(())
}
