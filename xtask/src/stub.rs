//! Engine, base image and loader → the stub of a target: the engine as native code, its memory as a section.

mod base;
mod link;
#[cfg(test)]
mod tests;
mod translate;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::{Hash, engine_hash};
use edgepack_format::targets::Target;
use edgepack_packer::{compress_stub, expand_stub};

use self::base::{BaseImage, Heat};
pub(crate) use self::link::zig_cc;
use crate::dist::Guest;
use crate::project::Project;
use crate::run::output;

/// What the engine's native code is made from besides the engine.
const ENGINE_INPUTS: &[&str] =
    &["stub-runtime/c", "xtask/src/stub.rs", "xtask/src/stub/link.rs", "xtask/src/stub/translate.rs"];

/// What a stub is built from besides the engine and its base image.
const INPUTS: &[&str] = &[
    "stub-runtime/c",
    "stub-runtime/src",
    "stub-runtime/Cargo.toml",
    "format/src",
    "packer/src",
    "xtask/src/stub.rs",
    "xtask/src/stub/base.rs",
    "xtask/src/stub/link.rs",
    "xtask/src/stub/translate.rs",
    "Cargo.lock",
];

/// Builds the stub of a target, once per content; its path in the cache.
pub(crate) fn build(project: &Project, guest: &Guest, target: &Target) -> Result<PathBuf> {
    let image = read(&guest.base)?;
    let heat = read(&guest.heat)?;
    let wasm = read(&guest.wasm)?;
    let toolchain = output(&mut crate::run::command("/usr/bin/rustc", ["--version"], &project.root))?;
    let hashes = [&wasm, &image, &heat].map(|part| blake3::hash(part).to_string()).join(" ");
    let extra = format!("{} {hashes} {toolchain}", target.triple);
    let folder = project.cached("stub", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let engine = native_engine(project, guest, target)?;
        let tables = base::write(&base, &decode_heat(&heat)?, hash(&wasm, &base), folder)?;
        let mut objects = link::compile(project, target, &tables, folder)?;
        objects.extend(engine);
        link::stub(project, target, &objects, folder)?;
        tables.iter().try_for_each(|part| fs::remove_file(part).map_err(Into::into))
    })?;
    Ok(folder.join("stub"))
}

/// What `edgepack-base-image` wrote.
fn decode_heat(bytes: &[u8]) -> Result<Heat> {
    let row = |line: &str| {
        line.split_once(' ').and_then(|(page, programs)| Some((page.parse().ok()?, programs.parse().ok()?)))
    };
    str::from_utf8(bytes)?.lines().map(|line| row(line).with_context(|| format!("`{line}` is no page"))).collect()
}

/// What a stub has besides another one, compressed; the path in the cache.
pub(crate) fn frame(project: &Project, stub: &Path, known: &Path) -> Result<PathBuf> {
    let (stub, known) = (read(stub)?, read(known)?);
    let extra = format!("{} {}", blake3::hash(&stub), blake3::hash(&known));
    let folder = project.cached("stub-frame", &["packer/src/stub_frame.rs"], &extra, |folder| {
        let frame = compress_stub(&stub, &known)?;
        ensure!(expand_stub(&frame, &known)? == stub, "a compressed stub does not come out as it went in");
        fs::write(folder.join("frame"), frame).map_err(Into::into)
    })?;
    Ok(folder.join("frame"))
}

/// The engine as objects of a target.
fn native_engine(project: &Project, guest: &Guest, target: &Target) -> Result<Vec<PathBuf>> {
    let extra = format!("{} {:?} {}", target.triple, target.layout, blake3::hash(&read(&guest.wasm)?));
    let folder = project.cached("native-engine", ENGINE_INPUTS, &extra, |folder| {
        let sources = translate::engine(project, &guest.wasm, folder)?;
        link::compile(project, target, &sources, folder)?;
        // What is left is the objects: the sources are large and made again in no time.
        sources.iter().try_for_each(|part| fs::remove_file(part).map_err(Into::into))
    })?;
    let mut objects: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    objects.sort();
    ensure!(!objects.is_empty(), "{} has no objects", folder.display());
    Ok(objects)
}

fn hash(wasm: &[u8], base: &BaseImage<'_>) -> Hash {
    engine_hash(|bytes| blake3::hash(bytes).into(), wasm, base.memory)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}
