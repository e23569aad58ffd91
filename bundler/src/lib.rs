//! Turns a JavaScript or TypeScript entry and everything it imports into one resumable script.

mod advice;
mod ahead;
mod assemble;
mod assets;
mod ast;
mod builtin_names;
mod cache;
mod catch_vars;
mod commonjs_parts;
mod define;
mod diagnostics;
mod dialect;
mod disk;
mod early_errors;
mod early_vars;
mod emit;
mod emit_commonjs;
mod emit_esm;
mod emit_lazy;
mod entry;
mod finish;
mod graph;
mod hoist;
mod inputs;
mod json;
mod json_values;
mod keep_names;
mod kept;
mod known_text;
mod link;
mod lower;
mod mangle;
mod metafile;
mod minify;
mod missing;
mod names;
mod output_sizes;
mod package;
mod parallel;
mod parse;
mod patterns;
mod print;
mod pure_names;
mod purity;
mod queries;
mod reasons;
mod require_aliases;
mod requires;
mod resolve;
mod rewrite;
mod runtime;
mod runtime_names;
mod scan;
mod shake;
mod shake_commonjs;
mod source_text;
mod spelling;
mod steps;
mod suspensions;
mod treemap;
mod virtual_paths;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use swc_core::common::{GLOBALS, Globals};
use swc_core::ecma::ast::{Expr, Program};

use crate::disk::Disk;

pub use cache::{Origin, bundle_cached};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use inputs::{Import, ImportKind, ImportTarget, Input, InputFormat};
pub use kept::Kept;
pub use metafile::metafile;
pub use reasons::{Cause, KeptFile, KeptStatement, Place, Reasons, explain};
pub use treemap::{PackageBytes, treemap};

/// What to bundle.
#[derive(Debug, Clone)]
pub struct BundleOptions {
    /// A source file, or a folder with a package.json or an index file.
    pub entry: PathBuf,
    /// Globs of files to embed, relative to the app's root, besides those named in its package.json.
    pub assets: Vec<String>,
    /// Which of Node's builtins may be imported.
    pub builtins: Builtins,
    /// What is known at build time, such as `process.env.NODE_ENV`, besides what the app's package.json defines.
    pub define: Vec<(String, serde_json::Value)>,
    /// What kind of program the script is.
    pub form: Form,
    /// Packages that are left to be loaded when the program runs; only in a program that is plain.
    pub external: Vec<String>,
    /// Whether the script is made as short as it can be.
    pub minify: Minify,
    /// How much white space is printed.
    pub whitespace: Whitespace,
    /// Whether the script's positions are mapped to the sources.
    pub source_map: SourceMaps,
}

/// What kind of program the script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For edgepack's engine: an expression, whose value is a generator function that runs the program, and can be
    /// suspended between its top-level statements.
    Resumable,
    /// For Node, as other bundlers write it.
    Plain(Format),
}

/// What kind of module a plain program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For `require`, or to be run by `node`.
    CommonJs,
    /// For `import`, or to be run by `node`.
    Esm,
}

/// Whether the script is made as short as it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minify {
    /// Statements are kept as they are written.
    No,
    /// Shorter names for what is local, shorter ways to say the same, and nothing that cannot be reached. What
    /// functions and classes are called is seen by the program, and does not change.
    KeepNames,
    /// As other bundlers do it: functions and classes are called by short names, too.
    Fully,
}

/// Which of Node's builtin modules an app may import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtins {
    /// Those that edgepack's engine has.
    Supported,
    /// All of Node's, for a script that is to run under Node itself.
    Node,
}

/// How much white space is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whitespace {
    /// Indented, one statement on a line.
    Readable,
    /// None that is not needed.
    Minimal,
}

/// Whether a script's positions are mapped to the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceMaps {
    /// `source_map` and `positions` of the bundle are made.
    Made,
    /// They stay empty, and so do `inputs`: what a metafile tells needs both.
    NotMade,
}

/// A program in one script, and what it brings along. Every path in it is virtual, below `/app`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bundle {
    /// The script; its completion value is the generator function that runs the app.
    pub script: String,
    /// From positions in `script` to those in the original files, as source map version 3.
    pub source_map: String,
    /// The same without names, as the device reads it: `edgepack_format::positions`.
    pub positions: Vec<u8>,
    /// All files that were loaded, the entry first.
    pub inputs: Vec<Input>,
    /// The modules in the script, in the order of their first import.
    pub modules: Vec<ModuleInfo>,
    /// Files that the app reads at run time, sorted by path.
    pub assets: Vec<Asset>,
    /// The builtins that are imported, by their names without `node:`, sorted.
    pub builtins: Vec<String>,
    /// What may surprise at run time.
    pub warnings: Vec<Diagnostic>,
    /// The entry module's virtual path.
    pub entry: String,
    /// Whether the entry is an ES module.
    pub entry_is_module: bool,
    /// What the app's package.json says about it.
    pub manifest: AppManifest,
}

/// The parts of the app's package.json that later stages need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AppManifest {
    /// The folder of the app's package.json (or of its entry) on the building machine.
    pub root: PathBuf,
    /// `name`, if there is one.
    pub name: Option<String>,
    /// `version`, if there is one.
    pub version: Option<String>,
    /// The value of `edgepack`, as written; `null` if there is none.
    #[serde(with = "json_text")]
    pub edgepack: serde_json::Value,
}

/// One module of the bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModuleInfo {
    /// Its virtual path.
    pub path: String,
    /// The size of its source.
    pub original_bytes: usize,
    /// The size of the source of those statements that were kept.
    pub kept_bytes: usize,
    /// The package it belongs to.
    pub package: Option<PackageId>,
}

/// A package by name and version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackageId {
    /// As in its package.json.
    pub name: String,
    /// As in its package.json; empty if it says none.
    pub version: String,
}

/// A file that is embedded as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asset {
    /// Its virtual path.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Bundles an app. On failure all errors found are returned together, and the warnings with them.
///
/// # Errors
/// Every syntax error, import that cannot be resolved, unsupported builtin and native addon that is reached.
pub fn bundle(options: &BundleOptions) -> Result<Bundle, Diagnostics> {
    bundle_from(options, &Disk::default())
}

fn bundle_from(options: &BundleOptions, disk: &Disk) -> Result<Bundle, Diagnostics> {
    on_a_large_stack(|| bundle_app(options, disk))
}

fn on_a_large_stack<T: Send>(work: impl FnOnce() -> Result<T, Diagnostics> + Send) -> Result<T, Diagnostics> {
    std::thread::scope(|scope| {
        let work = || GLOBALS.set(&Globals::new(), work);
        let working = std::thread::Builder::new().stack_size(parallel::STACK_BYTES).spawn_scoped(scope, work);
        match working.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(defect(panic.as_ref()).into()),
            Err(error) => {
                let message = format!("The bundler cannot start a thread: {error}.");
                Err(Diagnostic::of_file(Severity::Error, "", message).into())
            }
        }
    })
}

/// No source may end the program that calls us, whatever swc or we have not thought of.
fn defect(panic: &(dyn std::any::Any + Send)) -> Diagnostic {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let message = format!("The bundler meets what it does not handle: {}.", text.unwrap_or("no reason is known"));
    Diagnostic::of_file(Severity::Error, "", message)
        .with_hint("This is a defect of edgepack. Please report it with the sources that show it.")
}

/// The app, its linked graph, and what of that is needed.
fn shaken(options: &BundleOptions, disk: &Disk) -> Result<(entry::App, link::Linked, shake::Live), Diagnostics> {
    let app = entry::find_app(&options.entry, disk)?;
    let mut graph = graph::load_graph(&app, options)?;
    json_values::inline_json(&mut graph);
    let linked = link::link_graph(graph, options.form)?;
    link::check_form(&linked, options.form)?;
    let live = shake::find_live(&linked, options.form);
    Ok((app, linked, live))
}

/// Freeing a syntax tree takes as long as walking it: nobody waits for that. It is as deep as the sources are nested.
/// The last one is freed beside the making of the next.
fn free_later(spent: (Program, Vec<Expr>)) {
    static LAST: Mutex<Option<(Program, Vec<Expr>)>> = Mutex::new(None);
    let before = LAST.lock().unwrap_or_else(PoisonError::into_inner).replace(spent);
    if before.is_some() {
        let _ = std::thread::Builder::new().stack_size(parallel::STACK_BYTES).spawn(move || drop(before));
    }
}

fn bundle_app(options: &BundleOptions, disk: &Disk) -> Result<Bundle, Diagnostics> {
    let (app, linked, live) = shaken(options, disk)?;
    let assets = assets::collect_assets(&app, &linked.graph, &live, options)?;
    let inputs = match options.source_map {
        SourceMaps::Made => inputs::describe_inputs(&linked.graph),
        SourceMaps::NotMade => Vec::new(),
    };
    let emitted = emit::emit_script(linked, &live, options.form);
    let (whitespace, maps) = (options.whitespace, options.source_map);
    let printer = print::Printer { sources: emitted.sources.map.clone(), whitespace, maps };
    let finish::Finished { program, modules, spent } =
        finish::finish_script(emitted.pieces, &emitted.sources, options.form, options.minify, &printer);
    let printed = printer.print_script(&program, &modules);
    free_later((program, spent));
    Ok(Bundle {
        script: printed.script,
        source_map: printed.source_map,
        positions: printed.positions,
        inputs,
        modules: emitted.modules,
        assets,
        builtins: emitted.builtins,
        warnings: emitted.warnings,
        entry: emitted.entry,
        entry_is_module: emitted.entry_is_module,
        manifest: app.manifest,
    })
}

/// JSON inside of what says less about itself.
mod json_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        value.to_string().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
