//! Compiles `c/engine.c`, which includes QuickJS's own sources from the `rquickjs-sys` package. It is linked before
//! that package's archive, so every QuickJS symbol comes from here, with access to the engine's internals.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=c");
    let quickjs = quickjs_sources();
    let mut build = cc::Build::new();
    build.file("c/engine.c").include(&quickjs).define("_GNU_SOURCE", None).define("NDEBUG", None);
    build.warnings(false).flag_if_supported("-Wno-everything").opt_level(2);
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("wasi") {
        // As in `rquickjs-sys`: QuickJS's branches for emscripten fit WASI.
        build.define("EMSCRIPTEN", "1").define("FE_DOWNWARD", "0").define("FE_UPWARD", "0");
    }
    build.compile("edgequickjs");
}

fn quickjs_sources() -> PathBuf {
    let cargo = std::env::var("CARGO").expect("cargo sets CARGO");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline"])
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let package = packages.iter().find(|package| package["name"] == "rquickjs-sys").expect("rquickjs-sys is a dependency");
    let manifest = package["manifest_path"].as_str().expect("a package has a manifest path");
    PathBuf::from(manifest).parent().expect("a manifest is in a folder").join("quickjs")
}
