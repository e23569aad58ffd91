//! Compiles `c/engine.c`, which includes QuickJS's own sources from the `rquickjs-sys` package. It is linked before
//! that package's archive, so every QuickJS symbol comes from here, with access to the engine's internals.

use std::path::{Path, PathBuf};
use std::process::Command;

use edgepack_format::guest::{HEAP_ALIGN_BYTES, HEAP_CLASSES, HEAP_HEAD_BYTES};
use edgepack_format::limits::{CHUNK_BYTES, PAGE_BYTES, START_UP_BYTES_MAX};

fn main() {
    println!("cargo:rerun-if-changed=c");
    let quickjs = quickjs_sources();
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    hook(&quickjs.join("quickjs.c"), &out.join("quickjs_hooked.h"));
    let mut build = cc::Build::new();
    build.file("c/engine.c").include(&quickjs).include(&out).define("_GNU_SOURCE", None).define("NDEBUG", None);
    build.warnings(false).flag_if_supported("-Wno-everything").opt_level(2);
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("wasi") {
        // As in `rquickjs-sys`: QuickJS's branches for emscripten fit WASI.
        build.file("c/wasi.c").file("c/heap.c");
        for (name, number) in [
            ("EDGE_HEAP_CLASSES", HEAP_CLASSES),
            ("EDGE_HEAP_HEAD_BYTES", HEAP_HEAD_BYTES),
            ("EDGE_HEAP_ALIGN_BYTES", HEAP_ALIGN_BYTES),
            ("EDGE_HEAP_PAGE_BYTES", PAGE_BYTES),
            ("EDGE_START_UP_CHUNKS_MAX", START_UP_BYTES_MAX / CHUNK_BYTES),
        ] {
            build.define(name, format!("{number}u").as_str());
        }
        build.define("EMSCRIPTEN", "1").define("FE_DOWNWARD", "0").define("FE_UPWARD", "0");
    }
    build.compile("edgequickjs");
}

/// Not `--offline`: cargo wants the manifests of the whole workspace here, also of packages that nothing has fetched yet.
fn quickjs_sources() -> PathBuf {
    let cargo = std::env::var("CARGO").expect("cargo sets CARGO");
    let target = std::env::var("TARGET").expect("cargo sets TARGET");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &target])
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let package =
        packages.iter().find(|package| package["name"] == "rquickjs-sys").expect("rquickjs-sys is a dependency");
    let manifest = package["manifest_path"].as_str().expect("a package has a manifest path");
    PathBuf::from(manifest).parent().expect("a manifest is in a folder").join("quickjs")
}

/// Lines of QuickJS's source that are replaced, by what, and how many there are: where it has no hook and Node's library needs one. Why
/// each is needed stands in docs/decisions.
const HOOKS: &[(&str, &str, usize)] = &[
    // Promise reactions carry the async context frame.
    ("rd->handler = js_dup(handler);", "rd->handler = edge_bind_frame(ctx, handler);", 1),
    // `stack` is an own accessor of an error, formatted when it is first read.
    (
        "p->u.object_data = stack;\n    } else if (can_add_backtrace",
        "edge_store_stack(ctx, error_obj, stack);\n    } else if (can_add_backtrace",
        1,
    ),
    (
        "JS_DefinePropertyValue(ctx, error_obj, JS_ATOM_stack, stack,\n                               JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);\n    } else if (can_store_error_stack",
        "edge_store_stack(ctx, error_obj, stack);\n    } else if (can_store_error_stack",
        1,
    ),
    // What a weak reference was made of or has given lives to the end of the turn.
    (
        "    JS_SetOpaqueInternal(obj, wrd);\n    return obj;\n}\n\nstatic JSValue js_weakref_deref",
        "    JS_SetOpaqueInternal(obj, wrd);\n    JS_FreeValue(ctx, edge_keep_alive(ctx, arg));\n    return obj;\n}\n\nstatic JSValue js_weakref_deref",
        1,
    ),
    ("return js_dup(wrd->target);", "return edge_keep_alive(ctx, wrd->target);", 1),
    // Until the snapshot is taken each block is its own (docs/decisions/placed-heap.md).
    (
        "!JS_ARENA_LARGE_BLOCKS_ONLY && total_size <= JS_ARENA_MAX_SMALL_SIZE",
        "edge_pools_blocks() && total_size <= JS_ARENA_MAX_SMALL_SIZE",
        2,
    ),
    // Functions of a bundle share its text instead of holding a copy each (docs/decisions/shared-source.md).
    ("source = js_strndup(ctx,", "source = edge_share_source(ctx,", 3),
    ("js_free(ctx, ctor_fd->source);", "edge_free_source(ctx->rt, ctor_fd->source);", 1),
    ("js_free(ctx, fd->source);", "edge_free_source(ctx->rt, fd->source);", 1),
    ("js_free_rt(rt, b->source);", "edge_free_source(rt, b->source);", 1),
];

/// Writes the source with the hooks in place. Fails when QuickJS no longer reads as the hooks expect.
fn hook(source: &Path, hooked: &Path) {
    let mut text = std::fs::read_to_string(source).expect("QuickJS's source is readable");
    for (plain, replacement, count) in HOOKS {
        assert_eq!(text.matches(plain).count(), *count, "QuickJS's source has changed at: {plain}");
        text = text.replace(plain, replacement);
    }
    std::fs::write(hooked, text).expect("OUT_DIR is writable");
}
