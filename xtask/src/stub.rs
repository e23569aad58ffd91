//! Engine, base image and loader → the stub of a target: the engine as native code, its memory as a section.

mod base;
mod link;
#[cfg(test)]
mod tests;
mod translate;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::dist::Guest;
use crate::project::Project;
use crate::run::output;

/// What a stub is built from besides the engine and its base image.
const INPUTS: &[&str] = &[
    "stub-runtime/c",
    "stub-runtime/src",
    "stub-runtime/Cargo.toml",
    "format/src",
    "xtask/src/stub.rs",
    "xtask/src/stub/base.rs",
    "xtask/src/stub/link.rs",
    "xtask/src/stub/translate.rs",
    "Cargo.lock",
];

/// Builds the stub of a target, once per content; its path in the cache.
pub(crate) fn build(project: &Project, guest: &Guest, triple: &str) -> Result<PathBuf> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let (wasm, image) = (read(&guest.wasm)?, read(&guest.base)?);
    let toolchain = output(&mut crate::run::command("/usr/bin/rustc", ["--version"], &project.root))?;
    let extra = format!("{triple} {} {} {toolchain}", blake3::hash(&wasm), blake3::hash(&image));
    let folder = project.cached("stub", INPUTS, &extra, |folder| {
        let base = base::BaseImage::decode(&image)?;
        let hash = edgepack_format::container::engine_hash(|bytes| blake3::hash(bytes).into(), &wasm, base.memory);
        let sources = translate::engine(project, &guest.wasm, folder)?;
        let tables = base::write(&base, hash, folder)?;
        let objects = link::compile(project, triple, &sources, &tables, folder)?;
        link::stub(project, triple, &objects, folder)?;
        // What is left is the stub: the objects are large and made again in no time.
        for part in sources.iter().chain(&tables).chain(&objects) {
            fs::remove_file(part)?;
        }
        Ok(())
    })?;
    Ok(folder.join("stub"))
}
