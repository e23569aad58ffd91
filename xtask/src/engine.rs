//! Guest sources → `engine.wasm`, and the pinned node → the package of its library that the engine bootstraps from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::node;
use crate::project::Project;
use crate::run::{command, output, run};

const TRIPLE: &str = "wasm32-wasip1";

/// What the engine is built from.
const INPUTS: &[&str] = &[
    "engine/c",
    "engine/js",
    "engine/src",
    "engine/build.rs",
    "engine/Cargo.toml",
    "format/src",
    "Cargo.lock",
    "xtask/src/engine.rs",
];

/// Bytes of the shadow stack; QuickJS stops JavaScript well before (`STACK_BYTES_MAX` of the engine). It comes first
/// in memory, so that running over it traps instead of overwriting data.
const STACK_BYTES: u32 = 1024 * 1024;

/// Cargo's arguments for a target whose standard library has to be built, as Debian's toolchain needs.
const BUILD_STD: &[&str] = &["-Zbuild-std=std,panic_abort"];

/// Packages whose work is loops over bytes: QuickJS with its regular expressions, codecs, digests.
const FAST: [&str; 8] =
    ["rquickjs-sys", "memchr", "zlib-rs", "brotli-decompressor", "md-5", "sha1", "sha2", "encoding_rs"];

/// Builds the engine, once per content; the path of its wasm in the cache.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    let toolchain = output(&mut command("/usr/bin/rustc", ["--version"], &project.root))?;
    let folder = project.cached("engine", INPUTS, &toolchain, |folder| {
        let target = project.target().join("engine");
        compile(project, &target)?;
        let wasm = target.join(TRIPLE).join("release/edgepack_engine.wasm");
        fs::copy(&wasm, folder.join("engine.wasm")).with_context(|| format!("{} was not built", wasm.display()))?;
        Ok(())
    })?;
    Ok(folder.join("engine.wasm"))
}

/// The sources of Node's library and the skeleton of its bindings, taken from the pinned node.
pub(crate) fn library(project: &Project) -> Result<PathBuf> {
    let node = node::node(project)?;
    let folder = project.cached(
        "library",
        &["engine/node", "engine/package.json", "engine/js", "engine/src/bindings"],
        "",
        |folder| {
            let script = project.root.join("engine/node/extract.js");
            let mut extract =
                command(&node.display().to_string(), ["--no-warnings", "--expose-internals"], &project.root);
            run(extract.arg(script).arg(folder.join("library.pkg")))
        },
    )?;
    Ok(folder.join("library.pkg"))
}

fn compile(project: &Project, target: &Path) -> Result<()> {
    let clang = clang_wrapper(target)?;
    let mut cargo = command(
        "/usr/bin/cargo",
        ["build", "--release", "--lib", "--target", TRIPLE, "-p", "edgepack-engine"],
        &project.root,
    );
    cargo.args(BUILD_STD);
    // Debian's own toolchain: rustup's proxies on PATH would take over otherwise.
    cargo.env("PATH", "/usr/bin:/bin").env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    cargo.env("CARGO_TARGET_DIR", target).env_remove("RUSTUP_TOOLCHAIN");
    // QuickJS, which runs all JavaScript, is C with a level of its own; what is Rust is bindings, for size, except for
    // what works on bytes in bulk.
    cargo
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")
        .args(FAST.map(|name| format!("--config=profile.release.package.{name}.opt-level=3")));
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    cargo.env("RQUICKJS_SYS_NO_WASI_SDK", "1");
    cargo.env("CC_wasm32_wasip1", clang).env("AR_wasm32_wasip1", "llvm-ar-22");
    cargo.env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", link_flags()?);
    run(&mut cargo)
}

fn link_flags() -> Result<String> {
    let builtins = "/usr/lib/llvm-22/lib/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a";
    ensure!(Path::new(builtins).is_file(), "{builtins} is missing: libclang-rt-22-dev-wasm32 has moved it");
    let link_args = [
        "-L/usr/lib/wasm32-wasi".to_owned(),
        "/usr/lib/wasm32-wasi/crt1-reactor.o".to_owned(),
        "-lc".to_owned(),
        builtins.to_owned(),
        format!("-zstack-size={STACK_BYTES}"),
        "--stack-first".to_owned(),
        "--export=__stack_pointer".to_owned(),
        // engine/c/heap.c stands over these.
        "--wrap=malloc".to_owned(),
        "--wrap=calloc".to_owned(),
        "--wrap=free".to_owned(),
        "--wrap=realloc".to_owned(),
        "--wrap=malloc_usable_size".to_owned(),
        "--wrap=sbrk".to_owned(),
    ];
    let args = link_args.map(|arg| format!("-C link-arg={arg}")).join(" ");
    Ok(format!("-C linker=wasm-ld-22 -C link-self-contained=no {args}"))
}

/// `cc` passes Rust's triple to clang, which knows the target by another name.
fn clang_wrapper(target: &Path) -> Result<PathBuf> {
    const SCRIPT: &str = "#!/bin/sh\n\
        for arg in \"$@\"; do shift; case \"$arg\" in --target=*) ;; *) set -- \"$@\" \"$arg\" ;; esac; done\n\
        exec clang-22 --target=wasm32-wasi \"$@\"\n";
    fs::create_dir_all(target)?;
    let path = target.join("clang-wasi");
    fs::write(&path, SCRIPT)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
