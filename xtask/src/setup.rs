//! A bare machine → one that can build everything: installs what is missing as root, else says what to install.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::{command, output, run};
use crate::{node, tools};

/// Debian 12's packages, by what they are for.
const PACKAGES: &[(&str, &str)] = &[
    ("rustc-web", "Rust's standard library in source, for the engine and the stubs"),
    ("cargo-web", "the cargo that fits it"),
    ("rust-web-src", "the source itself"),
    ("clang-22", "C for the engine"),
    ("lld-22", "its linker"),
    ("llvm-22", "its archiver"),
    ("wasi-libc", "C's library for the engine"),
    ("libclang-rt-22-dev-wasm32", "the compiler's own routines for the engine"),
    ("qemu-user-static", "runs the executables of other machines, in tests"),
    ("wabt", "wasm2c: the engine as C, for the stubs"),
    ("chromium", "looks at the report of a bundle, in a test"),
    ("valgrind", "counts the instructions of a boot"),
];

/// What only the tests of whole machines need, which not every task runs.
pub(crate) const MACHINES: &[(&str, &str)] = &[("qemu-system-arm", "whole machines, for `cargo xtask device-test`")];

/// What only `cargo xtask bench boot` needs.
pub(crate) const PEERS: &[(&str, &str)] = &[
    ("cmake", "builds quickjs-ng's own shell and LLRT"),
    ("zstd", "compresses what LLRT embeds"),
    ("wrk", "asks servers as often as they answer"),
];

/// Installs or checks everything; quick when nothing is missing.
pub(crate) fn set_up(project: &Project) -> Result<()> {
    packages(project, PACKAGES)?;
    rust_source()?;
    tools::zig(project)?;
    project.publish("node", &node::node(project)?)
}

/// Installs or checks Debian packages.
pub(crate) fn packages(project: &Project, wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = wanted.iter().map(|(name, _)| *name).filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root(project)? {
        let list: Vec<String> = wanted
            .iter()
            .filter(|(name, _)| missing.contains(name))
            .map(|(name, what)| format!("  {name}: {what}"))
            .collect();
        bail!(
            "these Debian packages are missing:\n{}\nInstall them with:\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
            list.join("\n"),
            missing.join(" ")
        );
    }
    run(command("apt-get", ["update", "-qq"], &project.root).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    run(command("apt-get", install.into_iter().chain(missing), &project.root).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f=${Status}", package]).output();
    query.is_ok_and(|output| output.stdout == b"install ok installed")
}

fn is_root(project: &Project) -> Result<bool> {
    Ok(output(&mut command("id", ["-u"], &project.root))?.trim() == "0")
}

/// Debian's cargo looks for the standard library's source below rustc's own folder, where no package puts it.
fn rust_source() -> Result<()> {
    const LINK: &str = "/usr/lib/rustlib/src/rust";
    if Path::new(LINK).join("library/std/Cargo.toml").is_file() {
        return Ok(());
    }
    let mut sources: Vec<_> = std::fs::read_dir("/usr/src")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("library/std/Cargo.toml").is_file())
        .collect();
    sources.sort();
    let Some(source) = sources.pop() else { bail!("rust-web-src has put no source into /usr/src") };
    let link = || -> std::io::Result<()> {
        std::fs::create_dir_all("/usr/lib/rustlib/src")?;
        let _ = std::fs::remove_file(LINK);
        std::os::unix::fs::symlink(&source, LINK)
    };
    if link().is_err() {
        bail!(
            "Rust's source must be linked. Run:\n  sudo mkdir -p /usr/lib/rustlib/src && sudo ln -sfn {} {LINK}",
            source.display()
        );
    }
    Ok(())
}
