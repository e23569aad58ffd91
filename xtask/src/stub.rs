//! Engine, base image and loader → the stub of a target: the engine as native code, its memory as a section.

mod base;
mod hot;
mod link;
mod placement;
#[cfg(test)]
mod tests;
mod translate;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::{Hash, engine_hash};
use edgepack_format::targets::{TARGETS, Target};
use edgepack_packer::{compress_stub, expand_stub};

use self::base::{BaseImage, Heat};
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
    "xtask/src/stub",
    "Cargo.lock",
];

/// Builds the stub of a target, once per content; its path in the cache.
pub(crate) fn build(project: &Project, guest: &Guest, target: &Target) -> Result<PathBuf> {
    let heat = heat(project, guest)?;
    link(project, guest, target, &heat)
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

/// The same for pages that are so hot.
fn link(project: &Project, guest: &Guest, target: &Target, heat: &Heat) -> Result<PathBuf> {
    let image = read(&guest.base)?;
    let wasm = read(&guest.wasm)?;
    let toolchain = output(&mut crate::run::command("/usr/bin/rustc", ["--version"], &project.root))?;
    let extra = format!("{} {} {} {toolchain} {heat:?}", target.triple, blake3::hash(&wasm), blake3::hash(&image));
    let folder = project.cached("stub", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let engine = native_engine(project, guest, target)?;
        let tables = base::write(&base, heat, hash(&wasm, &base), folder)?;
        let mut objects = link::compile(project, target, &tables, folder)?;
        objects.extend(engine);
        link::stub(project, target, &objects, folder)?;
        tables.iter().try_for_each(|part| fs::remove_file(part).map_err(Into::into))
    })?;
    Ok(folder.join("stub"))
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

/// The plan of the heap, from a guest whose base image is that of a recorded start; its path in the cache.
pub(crate) fn plan(project: &Project, recorded: &Guest, log: &Path) -> Result<PathBuf> {
    let (wasm, image, log) = (read(&recorded.wasm)?, read(&recorded.base)?, read(log)?);
    let extra = format!("{} {}", blake3::hash(&wasm), blake3::hash(&image));
    let folder = project.cached("plan", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let own = own_target()?;
        let stub = link(project, recorded, own, &placement::everything(&base))?;
        let plan = placement::plan((&stub, own.layout.base), hash(&wasm, &base), base.memory, &log, folder)?;
        fs::write(folder.join("plan"), plan).map_err(Into::into)
    })?;
    Ok(folder.join("plan"))
}

/// Programs are watched on the machine that builds: linear memory is laid out alike on all.
fn own_target() -> Result<&'static Target> {
    TARGETS.iter().find(|target| target.host_arch == std::env::consts::ARCH).context("this machine is no target")
}

/// How hot the pages of the base image are.
fn heat(project: &Project, guest: &Guest) -> Result<Heat> {
    let (wasm, image) = (read(&guest.wasm)?, read(&guest.base)?);
    let extra = format!("{} {}", blake3::hash(&wasm), blake3::hash(&image));
    let folder = project.cached("heat", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let stub = link(project, guest, own_target()?, &Heat::new())?;
        let heat = hot::heat(&stub, hash(&wasm, &base), base.memory, folder)?;
        let lines: String = heat.iter().map(|(page, programs)| format!("{page} {programs}\n")).collect();
        fs::write(folder.join("pages"), lines).map_err(Into::into)
    })?;
    let text = fs::read_to_string(folder.join("pages"))?;
    let row = |line: &str| {
        line.split_once(' ').and_then(|(page, programs)| Some((page.parse().ok()?, programs.parse().ok()?)))
    };
    text.lines().map(|line| row(line).with_context(|| format!("`{line}` is no page"))).collect()
}

fn hash(wasm: &[u8], base: &BaseImage<'_>) -> Hash {
    engine_hash(|bytes| blake3::hash(bytes).into(), wasm, base.memory)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}
