//! Bundles an app from the command line: `bundle ENTRY OUT [--cjs|--esm] [--readable] [--no-minify|--drop-names] [--node]`. For trying the bundler by hand.
#![allow(clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;

use edgepack_bundler::{Builtins, BundleOptions, Form, Format, Minify, SourceMaps, Whitespace, bundle};

fn main() -> ExitCode {
    let (flags, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let [entry, out] = &paths[..] else {
        eprintln!("usage: bundle ENTRY OUT [--cjs|--esm] [--readable] [--no-minify|--drop-names] [--node]");
        return ExitCode::from(2);
    };
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let options = BundleOptions {
        entry: PathBuf::from(entry),
        assets: Vec::new(),
        define: Vec::new(),
        builtins: if has("--node") { Builtins::Node } else { Builtins::Supported },
        form: match () {
            () if has("--cjs") => Form::Plain(Format::CommonJs),
            () if has("--esm") => Form::Plain(Format::Esm),
            () => Form::Resumable,
        },
        external: Vec::new(),
        minify: match () {
            () if has("--no-minify") => Minify::No,
            () if has("--drop-names") => Minify::Fully,
            () => Minify::KeepNames,
        },
        whitespace: if has("--readable") { Whitespace::Readable } else { Whitespace::Minimal },
        source_map: SourceMaps::Made,
    };
    match bundle(&options) {
        Ok(bundle) => {
            for warning in &bundle.warnings {
                eprintln!("{warning}\n");
            }
            let written = std::fs::write(out, &bundle.script)
                .and_then(|()| std::fs::write(format!("{out}.map"), &bundle.source_map));
            let assets: usize = bundle.assets.iter().map(|asset| asset.bytes.len()).sum();
            eprintln!(
                "{} bytes, {} modules, {} assets ({assets} bytes)",
                bundle.script.len(),
                bundle.modules.len(),
                bundle.assets.len()
            );
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(found) => {
            eprintln!("{found}");
            ExitCode::FAILURE
        }
    }
}
