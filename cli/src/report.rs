//! What a build tells at its end: for people, or as one JSON object.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use std::path::PathBuf;

use edgepack_bundler::{Bundle, Diagnostic, Severity};
use edgepack_format::targets::Target;
use edgepack_snapshots::{Ending, Stop};
use serde_json::{Map, Value, json};

use crate::build::{Packed, Share, Variant, stop_line};
use crate::output::Kind;
use crate::progress::Phase;

/// A file that was written.
#[derive(Debug, Clone)]
pub(crate) struct Written<'p> {
    /// Where.
    pub(crate) path: PathBuf,
    /// How much.
    pub(crate) bytes: usize,
    /// An executable or a container.
    pub(crate) kind: Kind,
    /// For which machine.
    pub(crate) target: &'static Target,
    /// What is in it.
    pub(crate) variant: &'p Variant,
}

/// A few lines.
pub(crate) fn text(packed: &Packed, written: &[Written<'_>], phases: &[Phase]) {
    let took: u128 = phases.iter().map(|phase| phase.took.as_millis()).sum();
    let each: Vec<String> = phases.iter().map(|phase| format!("{} {}", phase.name, phase.took.as_millis())).collect();
    for file in written {
        println!("{} ({})", file.path.display(), size(file.bytes));
    }
    println!("  in {took} ms ({})", each.join(", "));
    let bundle = &packed.bundle;
    let (modules, script) = (bundle.modules.len(), size(bundle.script.len()));
    println!("  {modules} modules, script {script}, files {}", size(asset_bytes(bundle)));
    for variant in &packed.variants {
        variant_text(variant, packed.variants.len());
    }
}

fn variant_text(variant: &Variant, variants: usize) {
    let shorts: Vec<&str> = variant.targets.iter().map(|target| target.short).collect();
    if variants > 1 {
        println!("  {}, with a start-up of its own, as it asks for the machine:", shorts.join(", "));
    } else if variant.reads_target {
        println!("  start-up asks for the machine: the container boots fastest on {}", shorts.join(", "));
    }
    let line = stop_line(&variant.ending, variant.place.as_ref());
    match &variant.ending {
        Ending::NotRun => println!("  start-up was not run (--no-snapshot)"),
        Ending::Completed => println!("  {line}"),
        Ending::Stopped(_) | Ending::OutOfTime(_) => println!("  stopped at {line}"),
        Ending::Threw(error) => println!("  warning: start-up throws, at every boot:\n{}", indented(error)),
    }
    if let Some(share) = &variant.share {
        share_text(share);
    }
    match variant.hot_pages {
        Some(count) => println!("  a boot touches {count} pages of memory"),
        None if variant.has_image => println!("  which pages a boot touches is not known: a trial takes too long"),
        None if matches!(variant.ending, Ending::Stopped(_) | Ending::OutOfTime(_)) => {
            println!("  nothing of it could be kept: the app starts from the beginning");
        }
        None => {}
    }
}

/// What is asked for at boot is shown where there is much to gain.
fn share_text(share: &Share) {
    const SHOWN_PERCENT_MIN: f64 = 0.1;
    println!("  {:.1} % of start-up is done at build time", share.percent(share.done));
    let shown = share.asked.iter().filter(|asked| share.percent(asked.saves) >= SHOWN_PERCENT_MIN);
    for asked in shown {
        println!("    {:.1} % waits for {}", share.percent(asked.saves), asked.line);
    }
}

/// One object on one line: what is said of each file is in `outputs`, and of the first at the top too.
pub(crate) fn json(packed: &Packed, written: &[Written<'_>], phases: &[Phase]) {
    let durations: Map<String, Value> =
        phases.iter().map(|phase| (format!("{}_ms", phase.name), json!(phase.took.as_secs_f64() * 1e3))).collect();
    let outputs: Vec<Map<String, Value>> = written.iter().map(|written| file(packed, written)).collect();
    let mut object = outputs.first().cloned().unwrap_or_default();
    let rest = [
        ("outputs", json!(outputs)),
        ("name", json!(packed.name)),
        ("modules", json!(packed.bundle.modules.len())),
        ("phases", json!(durations)),
        ("warnings", packed.bundle.warnings.iter().map(ToString::to_string).collect()),
        ("diagnostics", packed.bundle.warnings.iter().map(diagnostic).collect()),
    ];
    object.extend(rest.map(|(key, value)| (key.to_owned(), value)));
    println!("{}", Value::Object(object));
}

fn file(packed: &Packed, written: &Written<'_>) -> Map<String, Value> {
    let variant = written.variant;
    let sizes = json!({
        "output_bytes": written.bytes,
        "container_bytes": variant.container.len(),
        "script_bytes": packed.bundle.script.len(),
        "asset_bytes": asset_bytes(&packed.bundle),
    });
    let pairs = [
        ("output", json!(written.path)),
        (
            "kind",
            json!(match written.kind {
                Kind::Executable => "executable",
                Kind::Data | Kind::Script => "container",
            }),
        ),
        ("target", json!(written.target.triple)),
        ("sizes", sizes),
        ("hot_pages", json!(variant.hot_pages)),
        ("start_up", share(variant)),
        ("reads_target", json!(variant.reads_target)),
        ("snapshot", json!(ending(&variant.ending))),
        ("stop", stop(variant)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
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

fn share(variant: &Variant) -> Value {
    let Some(share) = &variant.share else { return Value::Null };
    let asked = share.asked.iter().map(|asked| json!({ "asks": asked.line, "saves_instructions": asked.saves }));
    json!({
        "instructions": share.done + share.rest,
        "done_instructions": share.done,
        "asked": asked.collect::<Vec<_>>(),
    })
}

fn stop(variant: &Variant) -> Value {
    let place = variant.place.as_ref();
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
    match &variant.ending {
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
