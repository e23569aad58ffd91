//! `edgepack audit`: an app → what its snapshot would hold, without writing it.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use anyhow::Result;
use edgepack_bundler::Minify;
use edgepack_snapshots::Sum;

use crate::args::{AuditArgs, SourceMapPlace};
use crate::audit::{self, Findings};
use crate::build::{Plan, StartUp, Variant, pack, stop_line};
use crate::commands::build::definitions;
use crate::failure::Failure;
use crate::progress::{Audience, Progress};
use crate::report::size;
use crate::target::named_all;

/// Rows of a table that are shown; `--json` has all.
const ROWS_MAX: usize = 12;

/// Runs the command.
pub(crate) fn audit(args: &AuditArgs) -> Result<()> {
    let targets = named_all(&args.target)?;
    let define = definitions(&args.define)?;
    let mut progress = Progress::new(if args.json { Audience::Silent } else { Audience::Shown });
    let plan = Plan {
        entry: &args.entry,
        targets: &targets,
        allow: &args.allow,
        start_up: StartUp::Run,
        source_map: SourceMapPlace::Inline,
        minify: Minify::KeepNames,
        define: &define,
        audit: true,
    };
    let packed = pack(&plan, &mut progress)?;
    progress.finish();
    let variant = packed.variants.first();
    let found = variant.and_then(|variant| Some((variant, variant.findings.as_ref()?)));
    let (variant, findings) = found.ok_or_else(|| Failure::new("there is no target to audit the app for"))?;
    if args.json {
        println!("{}", audit::json(findings));
    } else {
        text(variant, findings);
    }
    if args.deny_secrets {
        audit::denied(&findings.secrets)?;
    }
    Ok(())
}

fn text(variant: &Variant, findings: &Findings) {
    println!("start-up: {}", stop_line(&variant.ending, variant.place.as_ref()));
    table("heap by package", &findings.packages);
    table("heap by constructor", &findings.constructors);
    println!("strings that look like secrets: {}", findings.secrets.len());
    for (secret, at) in &findings.secrets {
        println!("  {at}: {} ({}), fingerprint {}", secret.kind, secret.preview, secret.fingerprint);
    }
    println!("environment: {}", names("built in", &findings.built_in));
    println!("  {}", names("found unset, as not granted", &findings.unset));
    let open: Vec<String> = findings.resources.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    println!("{}", names("open", &open));
    for (number, assumption) in findings.assumptions.iter().enumerate() {
        let guards: Vec<String> = assumption
            .guards
            .iter()
            .map(|guard| format!("{}{:?} is {}", guard.call, guard.args, guard.result))
            .collect();
        println!("{}", names(if number == 0 { "guards" } else { "or" }, &guards));
    }
}

fn table(title: &str, rows: &[(String, Sum)]) {
    let total: usize = rows.iter().map(|(_, sum)| sum.bytes).sum();
    println!("{title}: {}", size(total));
    for (name, sum) in rows.iter().take(ROWS_MAX) {
        println!("  {:>10}  {:>7}  {name}", size(sum.bytes), sum.count);
    }
    if rows.len() > ROWS_MAX {
        println!("  and {} more", rows.len() - ROWS_MAX);
    }
}

fn names(title: &str, names: &[String]) -> String {
    if names.is_empty() { format!("{title}: nothing") } else { format!("{title}: {}", names.join(", ")) }
}
