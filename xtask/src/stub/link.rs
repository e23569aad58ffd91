//! C and the loader → the stub: zig brings the C library of the target, Debian's cargo builds Rust's from source.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;
use crate::run::{command, run};
use crate::tools;

/// Rust's standard library, built for size and without the reader of debug information that backtraces need. What
/// works on bytes in bulk is built for speed all the same.
const BUILD_STD: &[&str] = &[
    "-Zbuild-std=std,panic_abort",
    "-Zbuild-std-features=optimize_for_size",
    "--config=profile.release.package.blake3.opt-level=3",
    "--config=profile.release.package.zstd-sys.opt-level=3",
];

/// wasm2c's code: wraps on overflow, reads memory as every type, and is not for people.
const C_FLAGS: &[&str] = &[
    "-O2",
    "-fno-strict-aliasing",
    "-fwrapv",
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-g0",
    "-w",
    "-c",
];

/// zstd's decoder once, for processors of today and of ten years ago alike, and without its error texts.
const ZSTD_FLAGS: &str = "-DDYNAMIC_BMI2=0 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT -DZSTD_STRIP_ERROR_STRINGS -fno-asynchronous-unwind-tables";

/// A target as zig names it.
fn zig_target(triple: &str) -> Result<&'static str> {
    match triple {
        "x86_64-unknown-linux-musl" => Ok("x86_64-linux-musl"),
        "aarch64-unknown-linux-musl" => Ok("aarch64-linux-musl"),
        _ => bail!("there is no C compiler for {triple}"),
    }
}

/// Compiles all C and assembly, as many at a time as there are cores.
pub(super) fn compile(project: &Project, triple: &str, sources: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let zig = tools::zig(project)?;
    let is_code = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "c" || extension == "S");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut objects = Vec::new();
    let mut running: Vec<(Child, String)> = Vec::new();
    for source in sources.iter().filter(is_code) {
        if running.len() >= cores {
            finish(running.remove(0))?;
        }
        let object = source.with_extension("o");
        let mut compiler = zig_cc(project, &zig, triple)?;
        compiler.args(C_FLAGS).arg("-I").arg(project.root.join("stub-runtime/c")).arg("-I").arg(folder);
        let child = compiler.arg(source).arg("-o").arg(&object).spawn().context("zig cannot be started")?;
        running.push((child, source.display().to_string()));
        objects.push(object);
    }
    running.into_iter().try_for_each(finish)?;
    Ok(objects)
}

fn finish((mut child, source): (Child, String)) -> Result<()> {
    ensure!(child.wait()?.success(), "{source} was not compiled");
    Ok(())
}

fn zig_cc(project: &Project, zig: &Path, triple: &str) -> Result<Command> {
    let mut zig_cc = command("python3", ["-m", "ziglang", "cc", "-target", zig_target(triple)?], &project.root);
    zig_cc.env("PYTHONPATH", zig);
    Ok(zig_cc)
}

/// Static at a fixed address, and without the places of panics, which name the folders of this machine.
const FLAGS: &[&str] = &[
    "-C link-self-contained=no",
    "-C target-feature=+crt-static",
    "-C relocation-model=static",
    "-C panic=abort",
    "-C force-unwind-tables=no",
    "-Z location-detail=none",
];

/// Builds the loader with the objects in it.
pub(super) fn stub(project: &Project, triple: &str, objects: &[PathBuf], folder: &Path) -> Result<()> {
    let zig = tools::zig(project)?;
    let target = project.target().join("stub");
    let package = ["rustc", "--release", "-p", "edgepack-stub", "--bin", "edgepack-stub", "--features", "boot"];
    let zigbuild = zig.join("bin/cargo-zigbuild");
    let mut cargo = command(&zigbuild.display().to_string(), package, &project.root);
    cargo.args(BUILD_STD).args(["--target", triple]);
    let path = format!("{}:/usr/bin:/bin", zig.join("bin").display());
    cargo.env("PATH", path).env("PYTHONPATH", &zig).env("CARGO", "/usr/bin/cargo").env("RUSTC", "/usr/bin/rustc");
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", &target).env_remove("RUSTUP_TOOLCHAIN");
    // A process that leaves by exit and never unwinds: size before speed, the engine is not in here.
    cargo.env("CARGO_PROFILE_RELEASE_PANIC", "abort").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
    cargo.env(format!("CFLAGS_{}", triple.replace('-', "_")), ZSTD_FLAGS);
    // Names are wanted for profiles; the stub itself is stripped below.
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "none");
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    cargo.env(format!("CARGO_TARGET_{}_RUSTFLAGS", triple.to_uppercase().replace('-', "_")), FLAGS.join(" "));
    // Only for the last step: as flags of every crate they would build all of them anew for every engine.
    cargo.arg("--").args(objects.iter().map(|object| format!("-Clink-arg={}", object.display())));
    run(&mut cargo)?;
    let built = target.join(triple).join("release/edgepack-stub");
    let symbols = folder.join("stub.symbols");
    std::fs::copy(&built, &symbols).with_context(|| format!("{} was not built", built.display()))?;
    run(command("llvm-strip-22", ["--strip-all", "-o"], &project.root).arg(folder.join("stub")).arg(&symbols))
}
