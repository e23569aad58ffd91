//! Pinned tools that no Debian package brings, each installed once into the cache.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::project::Project;
use crate::run::{answers, command, run};

const ZIGLANG: &str = "ziglang==0.17.0";
const CARGO_ZIGBUILD: &str = "cargo-zigbuild==0.24.0";
const CARGO_DENY: &str = "0.20.2";

/// The folder with Python's `ziglang` and `bin/cargo-zigbuild`: put it into PYTHONPATH, and its `bin` into PATH.
pub(crate) fn zig(project: &Project) -> Result<PathBuf> {
    project.cached("zig", &[], &format!("{ZIGLANG} {CARGO_ZIGBUILD}"), |folder| {
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"];
        let mut pip = command("python3", install, &project.root);
        run(pip.arg(folder).args([ZIGLANG, CARGO_ZIGBUILD]))
    })
}

/// Cargo for other machines: zig compiles and links their C, Debian's cargo builds Rust's standard library from source.
pub(crate) fn zigbuild(project: &Project, args: &[&str]) -> Result<Command> {
    let zig = zig(project)?;
    let mut cargo = command(&zig.join("bin/cargo-zigbuild").display().to_string(), args, &project.root);
    cargo.env("PATH", format!("{}:/usr/bin:/bin", zig.join("bin").display())).env("PYTHONPATH", &zig);
    cargo.env("CARGO", "/usr/bin/cargo").env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    cargo.env_remove("RUSTUP_TOOLCHAIN");
    Ok(cargo)
}

/// `cargo-deny`, built from source: the slowest of the tools, so the last to be asked for.
pub(crate) fn cargo_deny(project: &Project) -> Result<PathBuf> {
    let folder = project.cached("cargo-deny", &[], CARGO_DENY, |folder| {
        let mut install =
            command("cargo", ["install", "--quiet", "--locked", "cargo-deny", "--version", CARGO_DENY], &project.root);
        // Optimising for speed takes longer than the tool ever runs.
        let install = install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
        run(install
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env_remove("CARGO_TARGET_DIR")
            .arg("--root")
            .arg(folder))
    })?;
    Ok(folder.join("bin/cargo-deny"))
}

/// Whether `cargo nextest` can run the tests; `cargo test` can otherwise.
pub(crate) fn has_nextest() -> bool {
    answers("cargo", &["nextest", "--version"])
}
