//! C and the loader → the stub: zig brings the C library of the target, Debian's cargo builds Rust's from source.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use edgepack_format::limits::{CHUNK_BYTES, Layout};
use edgepack_format::targets::Target;

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

/// wasm2c's code: wraps on overflow, reads memory as every type, and is not for people. It was optimised for speed when
/// it was compiled to wasm; to do so again costs 7 % of its size and saves half a percent of the instructions.
const C_FLAGS: &[&str] = &[
    "-Os",
    "-fomit-frame-pointer",
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

/// How a target's C is compiled.
struct Compiler {
    triple: &'static str,
    /// The target as zig names it.
    zig: &'static str,
    /// Which processors of it.
    flags: &'static [&'static str],
}

/// Where a stub lies in memory: below linear memory.
const IMAGE_BASE: &str = "0x1000000";

const COMPILERS: &[Compiler] = &[
    Compiler { triple: "x86_64-unknown-linux-musl", zig: "x86_64-linux-musl", flags: &["-mcpu=x86_64"] },
    Compiler { triple: "aarch64-unknown-linux-musl", zig: "aarch64-linux-musl", flags: &["-mcpu=generic"] },
    // As Rust has it: hard float with 16 registers, and no NEON. Thumb code is a third smaller than ARM code, and takes a
    // few more instructions.
    Compiler {
        triple: "armv7-unknown-linux-musleabihf",
        zig: "thumb-linux-musleabihf",
        flags: &["-mcpu=generic+v7a+vfp3-d32+thumb2-neon"],
    },
];

/// Compiles all C and assembly, as many at a time as there are cores.
pub(super) fn compile(project: &Project, target: &Target, sources: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
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
        let mut compiler = zig_cc(project, &zig, target)?;
        compiler
            .args(C_FLAGS)
            .args(layout_flags(target))
            .arg("-I")
            .arg(project.root.join("stub-runtime/c"))
            .arg("-I")
            .arg(folder);
        let child = compiler.arg(source).arg("-o").arg(&object).spawn().context("zig cannot be started")?;
        running.push((child, source.display().to_string()));
        objects.push(object);
    }
    running.into_iter().try_for_each(finish)?;
    Ok(objects)
}

/// The numbers of the target's layout, for `stub-runtime/c/wasm-rt.h`.
fn layout_flags(target: &Target) -> [String; 3] {
    let Layout { base, chunks_max, .. } = target.layout;
    let bytes_max = u64::from(chunks_max) * CHUNK_BYTES as u64;
    [
        format!("-DEDGE_MEMORY_BASE={base}u"),
        format!("-DEDGE_MEMORY_BYTES_MAX={bytes_max}u"),
        format!("-DEDGE_GUARD_BYTES={}u", CHUNK_BYTES),
    ]
}

fn finish((mut child, source): (Child, String)) -> Result<()> {
    ensure!(child.wait()?.success(), "{source} was not compiled");
    Ok(())
}

fn compiler(target: &Target) -> Result<&'static Compiler> {
    let compiler = COMPILERS.iter().find(|compiler| compiler.triple == target.triple);
    compiler.with_context(|| format!("there is no C compiler for {}", target.triple))
}

/// The C compiler of a target.
pub(crate) fn zig_cc(project: &Project, zig: &Path, target: &Target) -> Result<Command> {
    let compiler = compiler(target)?;
    let mut zig_cc = command("python3", ["-m", "ziglang", "cc", "-target", compiler.zig], &project.root);
    zig_cc.env("PYTHONPATH", zig).args(compiler.flags);
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

/// Of the base image's hot pages so many bytes are asked for before anything else: those that every program touches, and
/// some more. They come first.
const HOT_FIRST_BYTES: usize = 320 * 1024;

/// What tells the linker how the stub lies in its file, with these numbers.
fn layout_script(project: &Project, folder: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string(project.root.join("stub-runtime/c/stub.ld"))?;
    let text = text.replace("EDGE_IMAGE_BASE", IMAGE_BASE).replace("EDGE_PAGE_BYTES_MAX", &CHUNK_BYTES.to_string());
    let text = text.replace("EDGE_HOT_FIRST_BYTES", &HOT_FIRST_BYTES.to_string());
    // Cargo links again only if the script has another name.
    let path = folder.join(format!("stub-{}.ld", &blake3::hash(text.as_bytes()).to_hex()[..16]));
    std::fs::write(&path, text)?;
    Ok(path)
}

/// Builds the loader with the objects in it; where it is.
pub(super) fn stub(project: &Project, target: &Target, objects: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    let (triple, target_dir) = (target.triple, project.target().join("stub"));
    let package = ["rustc", "--release", "-p", "edgepack-stub", "--bin", "edgepack-stub", "--features", "boot"];
    let mut cargo = tools::zigbuild(project, &package)?;
    cargo.args(BUILD_STD).args(["--target", triple]).env("CARGO_TARGET_DIR", &target_dir);
    // A process that leaves by exit and never unwinds: size before speed, the engine is not in here.
    cargo.env("CARGO_PROFILE_RELEASE_PANIC", "abort").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
    cargo.env(format!("CFLAGS_{}", triple.replace('-', "_")), ZSTD_FLAGS);
    // Names are wanted for profiles; the stub itself is stripped below.
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "none");
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    cargo.env(format!("CARGO_TARGET_{}_RUSTFLAGS", triple.to_uppercase().replace('-', "_")), FLAGS.join(" "));
    // Only for the last step: as flags of every crate they would build all of them anew for every engine.
    cargo.arg("--").args(objects.iter().map(|object| format!("-Clink-arg={}", object.display())));
    let script = layout_script(project, folder)?;
    cargo.arg(format!("-Clink-arg=-Wl,-T,{}", script.display()));
    cargo.args(["-Clink-arg=-Wl,-z,norelro", "-Clink-arg=-Wl,-e,edge_entry"]);
    run(&mut cargo)?;
    let built = target_dir.join(triple).join("release/edgepack-stub");
    let symbols = folder.join("stub.symbols");
    std::fs::copy(&built, &symbols).with_context(|| format!("{} was not built", built.display()))?;
    let linked = folder.join("stub");
    run(command("llvm-strip-22", ["--strip-all", "-o"], &project.root).arg(&linked).arg(&symbols))?;
    Ok(linked)
}
