//! Programs run under Node: as they are, and as bundles driven as the engine drives them.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use edgepack_bundler::{Builtins, Bundle, BundleOptions, Diagnostics, Form, Minify, SourceMaps, Whitespace, bundle};

const FLAGS: [&str; 2] = ["--experimental-transform-types", "--no-warnings"];

/// A folder of the repository.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project").join(path)
}

/// Bundles `entry` for a machine like this one.
pub(crate) fn bundle_entry(entry: &Path, whitespace: Whitespace) -> Result<Bundle, Diagnostics> {
    bundle(&options_for(entry, whitespace))
}

/// Without white space names are short, too.
pub(crate) fn options_for(entry: &Path, whitespace: Whitespace) -> BundleOptions {
    BundleOptions {
        entry: entry.to_owned(),
        assets: Vec::new(),
        define: Vec::new(),
        builtins: Builtins::Supported,
        form: Form::Resumable,
        external: Vec::new(),
        minify: if whitespace == Whitespace::Minimal { Minify::KeepNames } else { Minify::No },
        whitespace,
        source_map: SourceMaps::Made,
    }
}

/// The node that is asked is `EDGEPACK_NODE`, or the `node` on the path; it must be Node 24.
pub(crate) fn run_node(folder: &Path, args: &[&str]) -> Output {
    let node = std::env::var_os("EDGEPACK_NODE").unwrap_or_else(|| "node".into());
    Command::new(node).env("NODE_ENV", "test").args(FLAGS).args(args).current_dir(folder).output().expect("node runs")
}

/// Runs a bundle in `folder`; its script is put into `scratch`.
pub(crate) fn run_bundle(bundle: &Bundle, scratch: &Path, folder: &Path, args: &[&str]) -> Output {
    let script = scratch.join("script.js");
    write(&script, bundle.script.as_bytes());
    // What the last bundle left there is not for this one.
    let _ = fs::remove_dir_all(scratch.join("files"));
    for asset in &bundle.assets {
        write(&scratch.join("files").join(asset.path.trim_start_matches("/app/")), &asset.bytes);
    }
    let driver = project("bundler/tests/drive.cjs");
    let (counts, args) = match args {
        ["--count", rest @ ..] => (&["--count"][..], rest),
        args => (&[][..], args),
    };
    let module: &[&str] = if bundle.entry_is_module { &["--module"] } else { &[] };
    run_node(folder, &[&[&*driver.to_string_lossy(), &*script.to_string_lossy()], counts, module, args].concat())
}

fn write(file: &Path, bytes: &[u8]) {
    fs::create_dir_all(file.parent().expect("a file in a folder")).expect("the scratch folder can be written to");
    fs::write(file, bytes).expect("the scratch folder can be written to");
}

/// Compares what was printed, and the exit code; an error names both sides.
pub(crate) fn compare(expected: &str, code: Option<i32>, node_said: &[u8], found: &Output) -> Result<(), String> {
    let found_text = String::from_utf8_lossy(&found.stdout);
    if found_text == expected && found.status.code() == code {
        return Ok(());
    }
    Err(format!(
        "expected ({code:?}):\n{expected}{}the bundle printed ({:?}):\n{found_text}{}",
        String::from_utf8_lossy(node_said),
        found.status.code(),
        String::from_utf8_lossy(&found.stderr),
    ))
}

/// Sebastiano Vigna's splitmix64: the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
