//! Embeds what `cargo xtask engine` and `cargo xtask stub` have made: the engine, its base image, a stub per target:
//! that of the command's own machine whole, the others compressed against it.
//! Nothing is compiled here. What is missing is embedded as nothing, and the command says how to make it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use edgepack_format::targets::TARGETS;

#[path = "../bundler/sources_hash.rs"]
mod sources_hash;

/// All that makes a container of a bundle and an engine.
const PACKING: [&str; 6] = ["src", "../snapshots/src", "../packer/src", "../format/src", "../NOTICE", "../Cargo.lock"];

fn main() {
    let folder = artifacts();
    println!("cargo::rerun-if-env-changed=EDGEPACK_ARTIFACTS");
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    let packing = sources_hash::sources_hash(&PACKING).expect("the sources are there");
    println!("cargo::rustc-env=EDGEPACK_PACKING_HASH={packing:016x}");
    let mut code = String::new();
    constant(&mut code, "ENGINE_WASM", &folder.join("engine.wasm"));
    constant(&mut code, "BASE_IMAGE", &folder.join("base.img"));
    constant(&mut code, "MAPPED_PAGES", &folder.join("mapped"));
    let machine = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    let whole = TARGETS.iter().find(|target| target.host_arch == machine).unwrap_or(&TARGETS[0]);
    let _ = writeln!(code, "const WHOLE_STUB: &str = {:?};", whole.triple);
    code.push_str("const STUBS: &[(&str, &[u8])] = &[\n");
    for target in TARGETS {
        let against = if target == whole { String::new() } else { format!("-against-{}", whole.short) };
        let path = folder.join(format!("stub-{}{against}", target.triple));
        let _ = writeln!(code, "    ({:?}, {}),", target.triple, bytes(&path));
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("embedded.rs");
    fs::write(out, code).expect("OUT_DIR is writable");
}

/// Where `xtask` keeps what was built last.
fn artifacts() -> PathBuf {
    if let Some(folder) = env::var_os("EDGEPACK_ARTIFACTS") {
        return PathBuf::from(folder);
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    cache.unwrap_or_default().join("edgepack/current")
}

fn constant(code: &mut String, name: &str, path: &Path) {
    let _ = writeln!(code, "pub(crate) const {name}: &[u8] = {};", bytes(path));
}

fn bytes(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    // The folder is a link that moves with each build; the file behind it keeps its name.
    match path.canonicalize() {
        Ok(real) => {
            println!("cargo::rerun-if-changed={}", real.display());
            format!("include_bytes!({:?})", real.display().to_string())
        }
        Err(_) => "b\"\"".to_owned(),
    }
}
