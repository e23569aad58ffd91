//! Engine, base image and loader → the stub of a target: the engine as native code, its memory as a section.

mod base;
mod link;
#[cfg(test)]
mod tests;
mod translate;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::{Hash, engine_hash};
use edgepack_format::targets::Target;
use edgepack_packer::{compress_stub, expand_stub};

use self::base::BaseImage;
pub(crate) use self::link::zig_cc;
use crate::dist::Guest;
use crate::project::Project;
use crate::run::output;

/// What the engine's native code is made from besides the engine.
const ENGINE_INPUTS: &[&str] = &[
    "format/src/code.rs",
    "stub-runtime/c/engine.c",
    "stub-runtime/c/wasm-rt.h",
    "xtask/src/stub.rs",
    "xtask/src/stub/link.rs",
    "xtask/src/stub/translate.rs",
];

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
    let (heat, mapped) = (read(&guest.heat)?, read(&guest.mapped)?);
    let wasm = read(&guest.wasm)?;
    let entered = read(&guest.entered)?;
    let toolchain = output(&mut crate::run::command("/usr/bin/rustc", ["--version"], &project.root))?;
    let hashes = [&wasm, &image, &heat, &mapped, &entered].map(|part| blake3::hash(part).to_string()).join(" ");
    let extra = format!("{} {hashes} {toolchain}", target.triple);
    let folder = project.cached("stub", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let engine = native_engine(project, guest, target)?;
        let tables = base::write(&base, &pages(&mapped), &counts(&heat)?, hash(&wasm, &base), folder)?;
        let entry = folder.join("entry.S");
        fs::copy(project.root.join("stub-runtime/c/entry.S"), &entry)?;
        let sources = [tables.sources.as_slice(), &[entry]].concat();
        let mut objects = link::compile(project, target, &sources, folder)?;
        objects.extend(engine);
        let linked = read(&link::stub(project, target, &objects, folder)?)?;
        write_executable(&folder.join("stub"), &edgepack_packer::stub(&linked, &tables.frames)?)?;
        sources.iter().try_for_each(|part| fs::remove_file(part).map_err(Into::into))
    })?;
    Ok(folder.join("stub"))
}

/// Which pages of a base image stubs map, as little-endian numbers; the path in the cache.
pub(crate) fn mapped(project: &Project, base: &Path, heat: &Path) -> Result<PathBuf> {
    let (image, heat) = (read(base)?, read(heat)?);
    let extra = format!("{} {}", blake3::hash(&image), blake3::hash(&heat));
    let folder = project.cached("mapped", &["xtask/src/stub/base.rs"], &extra, |folder| {
        let mapped = base::mapped_pages(BaseImage::decode(&image)?.memory, &counts(&heat)?);
        let bytes: Vec<u8> = mapped.into_iter().flat_map(u32::to_le_bytes).collect();
        fs::write(folder.join("mapped"), bytes).map_err(Into::into)
    })?;
    Ok(folder.join("mapped"))
}

/// What `mapped` wrote.
fn pages(bytes: &[u8]) -> BTreeSet<u32> {
    bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
}

/// What `edgepack-base-image` wrote: how many programs there are for each number.
fn counts(bytes: &[u8]) -> Result<BTreeMap<u32, u64>> {
    let row = |line: &str| {
        line.split_once(' ').and_then(|(number, programs)| Some((number.parse().ok()?, programs.parse().ok()?)))
    };
    str::from_utf8(bytes)?.lines().map(|line| row(line).with_context(|| format!("`{line}` is no count"))).collect()
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
    let entered = read(&guest.entered)?;
    let hashes = [&read(&guest.wasm)?, &entered].map(|part| blake3::hash(part).to_string()).join(" ");
    let extra = format!("{} {:?} {hashes}", target.triple, target.layout);
    let folder = project.cached("native-engine", ENGINE_INPUTS, &extra, |folder| {
        let sources = translate::engine(project, &guest.wasm, &counts(&entered)?, folder)?;
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

fn write_executable(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}
