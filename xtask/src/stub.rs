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
pub(crate) fn build(project: &Project, guest: &Guest, triple: &str) -> Result<PathBuf> {
    let heat = heat(project, guest)?;
    link(project, guest, triple, &heat)
}

/// The same for pages that are so hot.
fn link(project: &Project, guest: &Guest, triple: &str, heat: &Heat) -> Result<PathBuf> {
    let image = read(&guest.base)?;
    let wasm = read(&guest.wasm)?;
    let toolchain = output(&mut crate::run::command("/usr/bin/rustc", ["--version"], &project.root))?;
    let extra = format!("{triple} {} {} {toolchain} {heat:?}", blake3::hash(&wasm), blake3::hash(&image));
    let folder = project.cached("stub", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let engine = native_engine(project, guest, triple)?;
        let tables = base::write(&base, heat, hash(&wasm, &base), folder)?;
        let mut objects = link::compile(project, triple, &tables, folder)?;
        objects.extend(engine);
        link::stub(project, triple, &objects, folder)?;
        tables.iter().try_for_each(|part| fs::remove_file(part).map_err(Into::into))
    })?;
    Ok(folder.join("stub"))
}

/// The engine as objects of a target.
fn native_engine(project: &Project, guest: &Guest, triple: &str) -> Result<Vec<PathBuf>> {
    let extra = format!("{triple} {}", blake3::hash(&read(&guest.wasm)?));
    let folder = project.cached("native-engine", ENGINE_INPUTS, &extra, |folder| {
        let sources = translate::engine(project, &guest.wasm, folder)?;
        link::compile(project, triple, &sources, folder)?;
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
        let stub = link(project, recorded, &host_triple(), &placement::everything(&base))?;
        let plan = placement::plan(&stub, hash(&wasm, &base), base.memory, &log, folder)?;
        fs::write(folder.join("plan"), plan).map_err(Into::into)
    })?;
    Ok(folder.join("plan"))
}

/// Programs are watched on the machine that builds: linear memory is laid out alike on all.
fn host_triple() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// How hot the pages of the base image are.
fn heat(project: &Project, guest: &Guest) -> Result<Heat> {
    let (wasm, image) = (read(&guest.wasm)?, read(&guest.base)?);
    let extra = format!("{} {}", blake3::hash(&wasm), blake3::hash(&image));
    let folder = project.cached("heat", INPUTS, &extra, |folder| {
        let base = BaseImage::decode(&image)?;
        let stub = link(project, guest, &host_triple(), &Heat::new())?;
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
