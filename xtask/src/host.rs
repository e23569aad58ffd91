//! `cargo xtask host-test`: the command as it is for the other machines that it runs on, built here and run in qemu. What
//! it builds has to be what this machine's command builds, to the byte. For macOS it is only checked that it compiles: to
//! link it takes Apple's libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use edgepack_format::targets::{TARGETS, Target};

use crate::project::Project;
use crate::run::run;
use crate::{dist, setup, tools};

/// Debian's name of a host's C library, which qemu loads.
const LIBRARIES: &[(&str, &str)] = &[("x64", "libc6-amd64-cross"), ("arm64", "libc6-arm64-cross")];

const MACOS: &str = "aarch64-apple-darwin";

const SCRIPT: &str = "console.log('hello', process.argv.length);";

/// Builds everything, and the command for each other host, which builds hello for all targets.
///
/// # Errors
/// If something does not build, or a host makes another executable.
pub(crate) fn test(project: &Project) -> Result<()> {
    dist::stubs(project)?;
    let own = dist::command_itself(project)?;
    let folder = project.target().join("host-test");
    // With it goes what other hosts have kept: they are to start the app, and not to find its container.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let script = folder.join("app.js");
    fs::write(&script, SCRIPT)?;
    let expected = built(&mut Command::new(own), project, &script, &folder.join("own"))?;
    for host in TARGETS.iter().filter(|target| target.is_host && target.host_arch != std::env::consts::ARCH) {
        let library = LIBRARIES.iter().find(|(short, _)| *short == host.short).context("a host without a library")?;
        setup::packages(project, &[(library.1, "runs the command for another host, for `cargo xtask host-test`")])?;
        let mut foreign = Command::new(format!("qemu-{}-static", host.host_arch));
        foreign.args(["-L", &format!("/usr/{}-linux-gnu", host.host_arch)]).arg(build(project, host)?);
        // Code that was compiled for this machine is of no use there.
        foreign.env("XDG_CACHE_HOME", &folder);
        let found = built(&mut foreign, project, &script, &folder.join(host.short))?;
        for (target, (found, expected)) in TARGETS.iter().zip(found.iter().zip(&expected)) {
            ensure!(found == expected, "on {} hello for {} is another one", host.short, target.short);
        }
        println!("on {} hello is the same for all targets", host.short);
    }
    run(&mut cargo(project, "check", MACOS)?)
}

/// hello for each target, in order.
fn built(edgepack: &mut Command, project: &Project, script: &Path, out: &Path) -> Result<Vec<Vec<u8>>> {
    run(edgepack.current_dir(&project.root).arg("build").arg(script).args(["--target", "all", "-o"]).arg(out))?;
    let read = |target: &Target| {
        let path = format!("{}-{}", out.display(), target.short);
        fs::read(&path).with_context(|| format!("{path} was not built"))
    };
    TARGETS.iter().map(read).collect()
}

/// The command for a host.
fn build(project: &Project, host: &Target) -> Result<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", host.host_arch);
    run(&mut cargo(project, "build", &triple)?)?;
    Ok(target_dir(project).join(triple).join("release/edgepack"))
}

fn cargo(project: &Project, verb: &str, triple: &str) -> Result<Command> {
    let mut cargo = tools::zigbuild(project, &[verb, "--release", "-p", "edgepack", "--bin", "edgepack"])?;
    cargo.args(["-Zbuild-std=std,panic_unwind", "--target", triple]).env("CARGO_TARGET_DIR", target_dir(project));
    Ok(cargo)
}

fn target_dir(project: &Project) -> PathBuf {
    project.target().join("host")
}
