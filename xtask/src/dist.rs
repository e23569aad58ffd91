//! Sources → engine, base image, stubs → the `edgepack` command with all of them inside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use edgepack_format::targets::{TARGETS, Target};

use crate::project::Project;
use crate::run::{command, run};
use crate::{engine, setup, stub};

/// The engine and the memory it starts with.
#[derive(Debug)]
pub(crate) struct Guest {
    /// `engine.wasm`.
    pub(crate) wasm: PathBuf,
    /// What `edge_bootstrap` made of its memory; see `edgepack_snapshots::BaseImage` for the layout.
    pub(crate) base: PathBuf,
    /// A line `PAGE COUNT` for each page of it that boots of `PROGRAMS` touch.
    pub(crate) heat: PathBuf,
    /// The pages of it that stubs map; see `stub::mapped`.
    pub(crate) mapped: PathBuf,
    /// A line `FUNCTION COUNT` for each function of the engine that they enter.
    pub(crate) entered: PathBuf,
}

/// What small apps do: scripts as the bundler prints them.
const PROGRAMS: &str = "xtask/src/stub/programs";

/// Every heavy cargo call builds with these arguments, so that cargo sees one set of features and builds the heavy
/// crates once: one profile, all packages, tests and commands together. The engine is built for another machine.
pub(crate) const WHOLE: &[&str] = &["--release", "--workspace", "--exclude", "edgepack-engine", "--bins", "--tests"];

/// Builds the engine and its base image, and makes them what the command embeds.
pub(crate) fn engine(project: &Project) -> Result<Guest> {
    setup::set_up(project)?;
    let wasm = engine::build(project)?;
    run(&mut command("cargo", ["build"].iter().chain(WHOLE), &project.root))?;
    let library = engine::library(project)?;
    let from = format!("{} {}", blake3::hash(&fs::read(&wasm)?), blake3::hash(&fs::read(&library)?));
    let bin = project.target().join("release/edgepack-base-image").display().to_string();
    let folder = project.cached("base", &["snapshots/src", "format/src", PROGRAMS], &from, |folder| {
        let mut programs = fs::read_dir(project.root.join(PROGRAMS))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<PathBuf>>>()?;
        programs.sort();
        let mut make = command(&bin, &[] as &[&str], &project.root);
        run(make.args([&wasm, &library]).arg(folder).args(programs))
    })?;
    let base = folder.join("base.img");
    project.publish("engine.wasm", &wasm)?;
    project.publish("base.img", &base)?;
    let (heat, entered) = (folder.join("heat"), folder.join("entered"));
    let mapped = stub::mapped(project, &base, &heat)?;
    project.publish("mapped", &mapped)?;
    Ok(Guest { wasm, base, heat, mapped, entered })
}

/// Builds the stub of every target: as it is, and as what it has besides the stub of each machine that edgepack itself
/// runs on.
pub(crate) fn stubs(project: &Project) -> Result<()> {
    let guest = engine(project)?;
    let build = |target: &'static Target| Ok((target, stub::build(project, &guest, target)?));
    let stubs: Vec<(&Target, PathBuf)> = TARGETS.iter().map(build).collect::<Result<_>>()?;
    for (target, path) in &stubs {
        project.publish(&format!("stub-{}", target.triple), path)?;
        for (host, known) in stubs.iter().filter(|(host, _)| host.is_host && host != target) {
            let frame = stub::frame(project, path, known)?;
            project.publish(&format!("stub-{}-against-{}", target.triple, host.short), &frame)?;
        }
    }
    Ok(())
}

/// Builds everything, and copies the command into a folder if one is named.
pub(crate) fn dist(project: &Project, folder: Option<&str>) -> Result<()> {
    stubs(project)?;
    let command = command_itself(project)?;
    let Some(folder) = folder else {
        println!("{}", command.display());
        return Ok(());
    };
    let into = Path::new(folder).join("edgepack");
    let part = Path::new(folder).join(format!(".edgepack-{}", std::process::id()));
    fs::create_dir_all(folder).with_context(|| format!("{folder} cannot be created"))?;
    fs::copy(&command, &part).with_context(|| format!("{folder} cannot be written to"))?;
    fs::set_permissions(&part, fs::Permissions::from_mode(0o755))?;
    fs::rename(&part, &into)?;
    println!("{}", into.display());
    Ok(())
}

/// The command with what is published now inside it.
pub(crate) fn command_itself(project: &Project) -> Result<PathBuf> {
    run(&mut command("cargo", ["build"].iter().chain(WHOLE), &project.root))?;
    Ok(project.target().join("release/edgepack"))
}
