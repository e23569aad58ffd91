//! What a build tells at its end: for people, or as one JSON object.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use std::path::Path;

use edgepack_bundler::{Bundle, Diagnostic, Severity};
use edgepack_format::targets::Target;
use edgepack_snapshots::{Ending, Stop};
use serde_json::{Map, Value, json};

use crate::build::{Packed, stop_line};
use crate::output::Kind;
use crate::progress::Phase;

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    /// Where.
    pub(crate) path: &'a Path,
    /// How much.
    pub(crate) bytes: usize,
    /// An executable or a container.
    pub(crate) kind: Kind,
    /// For which machine.
    pub(crate) target: &'static Target,
}

/// A few lines.
pub(crate) fn text(packed: &Packed, written: &Written<'_>, phases: &[Phase]) {
    let took: u128 = phases.iter().map(|phase| phase.took.as_millis()).sum();
    let each: Vec<String> = phases.iter().map(|phase| format!("{} {}", phase.name, phase.took.as_millis())).collect();
    println!("{} ({}) in {took} ms ({})", written.path.display(), size(written.bytes), each.join(", "));
    let bundle = &packed.bundle;
    println!(
        "  {} modules, script {}, files {}",
        bundle.modules.len(),
        size(bundle.script.len()),
        size(asset_bytes(bundle))
    );
    let line = stop_line(&packed.ending, packed.place.as_ref());
    match &packed.ending {
        Ending::NotRun => println!("  start-up was not run (--no-snapshot)"),
        Ending::Completed => println!("  {line}"),
        Ending::Stopped(_) | Ending::OutOfTime(_) => println!("  stopped at {line}"),
        Ending::Threw(error) => println!("  warning: start-up throws, at every boot:\n{}", indented(error)),
    }
    match packed.hot_pages {
        Some(count) => println!("  a boot touches {count} pages of memory"),
        None if packed.has_image => println!("  which pages a boot touches is not known here (no userfaultfd)"),
        None => {}
    }
}

/// One object on one line.
pub(crate) fn json(packed: &Packed, written: &Written<'_>, phases: &[Phase]) {
    let durations: Map<String, Value> =
        phases.iter().map(|phase| (format!("{}_ms", phase.name), json!(phase.took.as_secs_f64() * 1e3))).collect();
    let object = json!({
        "output": written.path,
        "kind": match written.kind { Kind::Executable => "executable", Kind::Data => "container" },
        "target": written.target.triple,
        "name": packed.name,
        "sizes": {
            "output_bytes": written.bytes,
            "container_bytes": packed.container.len(),
            "script_bytes": packed.bundle.script.len(),
            "asset_bytes": asset_bytes(&packed.bundle),
        },
        "modules": packed.bundle.modules.len(),
        "hot_pages": packed.hot_pages,
        "phases": durations,
        "snapshot": ending(&packed.ending),
        "stop": stop(packed),
        "warnings": packed.bundle.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "diagnostics": packed.bundle.warnings.iter().map(diagnostic).collect::<Vec<_>>(),
    });
    println!("{object}");
}

/// What is wrong with the sources, as one object on one line.
pub(crate) fn json_diagnostics(found: &[Diagnostic]) {
    println!("{}", json!({ "diagnostics": found.iter().map(diagnostic).collect::<Vec<_>>() }));
}

fn diagnostic(found: &Diagnostic) -> Value {
    json!({
        "severity": match found.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": found.message,
        "file": found.file,
        "line": found.line,
        "column": found.column,
        "frame": found.frame,
        "hint": found.hint,
        "importers": found.importers,
    })
}

fn asset_bytes(bundle: &Bundle) -> usize {
    bundle.assets.iter().map(|asset| asset.bytes.len()).sum()
}

fn ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::NotRun => "not-run",
        Ending::Completed => "completed",
        Ending::Stopped(_) => "stopped",
        Ending::OutOfTime(_) => "out-of-time",
        Ending::Threw(_) => "threw",
    }
}

fn stop(packed: &Packed) -> Value {
    let place = packed.place.as_ref();
    let told = |stop: &Stop| {
        json!({
            "reason": stop.reason,
            "call": stop.call,
            "file": place.map(|place| &place.file),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "stack": stop.backtrace,
        })
    };
    match &packed.ending {
        Ending::Stopped(stop) | Ending::OutOfTime(stop) => told(stop),
        Ending::Threw(error) => json!({ "reason": "start-up throws", "stack": error }),
        Ending::NotRun | Ending::Completed => Value::Null,
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Bytes as people say them.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
