//! Writes what is in a bundle in esbuild's metafile format, which bundle analysers open.

use serde_json::{Map, Value, json};

use crate::Bundle;
use crate::inputs::{Import, ImportKind, ImportTarget, InputFormat};
use crate::output_sizes::output_bytes;
use crate::virtual_paths::below_app;

/// The metafile of `bundle`, whose script is called `output`.
#[must_use]
pub fn metafile(bundle: &Bundle, output: &str) -> Value {
    let inputs: Map<String, Value> = bundle
        .inputs
        .iter()
        .map(|input| {
            let imports: Vec<Value> = input.imports.iter().map(import).collect();
            let mut value = json!({ "bytes": input.bytes, "imports": imports });
            match input.format {
                InputFormat::Esm => value["format"] = json!("esm"),
                InputFormat::CommonJs => value["format"] = json!("cjs"),
                InputFormat::Json => {}
            }
            (input.path.clone(), value)
        })
        .collect();
    let sizes = output_bytes(&bundle.script, &bundle.source_map);
    let kept: Map<String, Value> = bundle
        .modules
        .iter()
        .map(|module| {
            let bytes = sizes.get(&module.path).copied().unwrap_or_default();
            (below_app(&module.path).to_owned(), json!({ "bytesInOutput": bytes }))
        })
        .collect();
    let builtins: Vec<Value> = bundle
        .builtins
        .iter()
        .map(|name| json!({ "path": format!("node:{name}"), "kind": "require-call", "external": true }))
        .collect();
    let script = json!({
        "imports": builtins,
        "exports": [],
        "entryPoint": below_app(&bundle.entry),
        "inputs": kept,
        "bytes": bundle.script.len(),
    });
    json!({ "inputs": inputs, "outputs": { output: script } })
}

fn import(import: &Import) -> Value {
    let kind = match import.kind {
        ImportKind::Static => "import-statement",
        ImportKind::Require => "require-call",
        ImportKind::RequireResolve => "require-resolve",
        ImportKind::Dynamic => "dynamic-import",
    };
    match &import.to {
        ImportTarget::File(path) => json!({ "path": path, "kind": kind, "original": import.specifier }),
        ImportTarget::Builtin(name) => json!({ "path": format!("node:{name}"), "kind": kind, "external": true }),
        ImportTarget::Missing => json!({ "path": import.specifier, "kind": kind, "external": true }),
    }
}
