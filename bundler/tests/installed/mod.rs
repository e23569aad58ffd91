//! The packages of `fixtures/packages`, installed once for each lock file below cargo's folder for tests.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of the calls, in a folder of this name from where the packages are found.
pub(crate) fn calls(name: &str) -> io::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/packages");
    let mut hasher = DefaultHasher::new();
    fs::read(source.join("package-lock.json"))?.hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("packages-{:016x}", hasher.finish()));
    fs::create_dir_all(&folder)?;
    // Tests of two crates use them, in processes of their own.
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    if !folder.join("node_modules/.package-lock.json").exists() {
        install(&source, &folder)?;
    }
    let calls = folder.join(name);
    update(&source.join("calls"), &calls)?;
    Ok(calls)
}

/// Makes a folder hold the same files as another. What is right already is left alone: another test may be using it.
fn update(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?.file_name();
        let wanted = fs::read(from.join(&file))?;
        if fs::read(to.join(&file)).ok().as_ref() != Some(&wanted) {
            fs::write(to.join(&file), wanted)?;
        }
    }
    for file in fs::read_dir(to)? {
        let file = file?.file_name();
        if !from.join(&file).exists() {
            fs::remove_file(to.join(&file))?;
        }
    }
    Ok(())
}

fn install(source: &Path, folder: &Path) -> io::Result<()> {
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), folder.join(file))?;
    }
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let status = Command::new("npm").args(install).current_dir(folder).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("npm cannot install fixtures/packages")) }
}
