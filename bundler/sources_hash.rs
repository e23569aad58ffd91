//! For build scripts: sources → a hash by which what other sources made is told apart.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

/// Of files and whole folders; cargo is told to look at them.
pub(crate) fn sources_hash(inputs: &[&str]) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        println!("cargo::rerun-if-changed={input}");
        hash_tree(Path::new(input), &mut hasher)?;
    }
    Ok(hasher.finish())
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
