//! Any bytes as the files of an app: bundling them ends with a script or with findings, never with a panic.
//!
//! A line `=== NAME` begins the file of that name; what comes before the first is the entry, `entry.mjs`.
//!
//! `cargo +nightly fuzz run bundle`, or with a stable compiler `cargo build --release --target TRIPLE` in this folder, with
//! cargo-fuzz's flags in RUSTFLAGS: `--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
//! -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
//! -Cllvm-args=-sanitizer-coverage-trace-compares`.
#![no_main]

use std::fs;
use std::path::Path;

use edgepack_bundler::{Builtins, BundleOptions, Form, Minify, SourceMaps, Whitespace, bundle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    for (name, content) in files(bytes) {
        let _ = fs::write(folder.path().join(name), content);
    }
    let _ = bundle(&BundleOptions {
        entry: folder.path().join("entry.mjs"),
        assets: Vec::new(),
        define: Vec::new(),
        builtins: Builtins::Supported,
        form: Form::Resumable,
        external: Vec::new(),
        minify: Minify::KeepNames,
        whitespace: Whitespace::Minimal,
        source_map: SourceMaps::Made,
    });
});

/// The files in `bytes`, whose names lead nowhere else.
fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("entry.mjs".to_owned(), Vec::new())];
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let name = line.strip_prefix(b"=== ").and_then(|name| std::str::from_utf8(name).ok()).map(str::trim);
        match name.and_then(|name| Path::new(name).file_name()) {
            Some(name) => files.push((name.to_string_lossy().into_owned(), Vec::new())),
            None => files.last_mut().into_iter().for_each(|(_, content)| content.extend_from_slice(line)),
        }
    }
    files
}
