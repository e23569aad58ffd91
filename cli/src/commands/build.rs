//! `edgepack build`: an app → executables or a container, and a report of them.

use std::path::PathBuf;

use anyhow::Result;
use edgepack_bundler::{Diagnostics, Minify, PackageBytes, metafile, treemap};
use edgepack_format::shebang::SHEBANG;
use edgepack_format::targets::Target;
use edgepack_snapshots::Ending;
use serde_json::Value;

use crate::args::{BuildArgs, SourceMapPlace};
use crate::audit;
use crate::build::{Packed, Plan, StartUp, Variant, executable, options, pack, stop_line};
use crate::commands::why;
use crate::failure::Failure;
use crate::output::{self, Kind, paths};
use crate::progress::{Audience, Progress};
use crate::report::{self, Written};
use crate::target::named_all;

/// Runs the command; what is wrong with the sources is also printed as JSON where that was asked for.
pub(crate) fn build(args: &BuildArgs) -> Result<()> {
    let result = build_app(args);
    if args.json
        && let Err(error) = &result
        && let Some(found) = error.downcast_ref::<Diagnostics>()
    {
        report::json_diagnostics(&found.0);
    }
    result
}

fn build_app(args: &BuildArgs) -> Result<()> {
    let targets = named_all(&args.target)?;
    if args.container_only && targets.len() > 1 {
        let failure = Failure::usage("a container runs on every target, and --container-only writes one");
        return Err(failure.hint("name at most one target: the one it is to boot fastest on").into());
    }
    if let Some(path) = &args.output {
        paths(path, &targets).iter().try_for_each(|path| output::check(path))?;
    }
    [&args.metafile, &args.report].into_iter().flatten().try_for_each(|path| output::check(path))?;
    let start_up = if args.no_snapshot { StartUp::Load } else { StartUp::Run };
    let mut progress = Progress::new(if args.json { Audience::Silent } else { Audience::Shown });
    let define = definitions(&args.define)?;
    let minify = if args.no_minify { Minify::No } else { Minify::KeepNames };
    let plan = Plan {
        entry: &args.entry,
        targets: &targets,
        allow: &args.allow,
        start_up,
        source_map: args.source_map,
        minify,
        define: &define,
        audit: args.deny_secrets || args.report.is_some(),
    };
    if let Some(subject) = &args.why {
        return why::why(&options(&plan), subject);
    }
    let packed = pack(&plan, &mut progress)?;
    packed.variants.iter().try_for_each(|variant| allowed(args, variant))?;
    let written = write(args, &targets, &packed, &mut progress)?;
    write_reports(args, &packed, &written)?;
    for warning in &packed.bundle.warnings {
        progress.line(&warning.to_string());
    }
    let phases = progress.finish();
    if args.json {
        report::json(&packed, &written, &phases)
    } else {
        report::text(&packed, &written, &phases)
    }
    Ok(())
}

/// What the user does not want built.
fn allowed(args: &BuildArgs, variant: &Variant) -> Result<(), Failure> {
    if args.deny_secrets {
        audit::denied(variant.findings.as_ref().map_or(&[], |findings| &findings.secrets))?;
    }
    let line = stop_line(&variant.ending, variant.place.as_ref());
    let sentence = match &variant.ending {
        Ending::Threw(error) => format!("start-up throws, at every boot:\n{error}"),
        Ending::OutOfTime(_) => format!("start-up was cut off at {line}"),
        Ending::Stopped(stop) if stop.wants_memory() => format!("start-up was cut off at {line}"),
        Ending::NotRun | Ending::Completed | Ending::Stopped(_) => return Ok(()),
    };
    if args.strict { Err(Failure::new(sentence).hint("without --strict this is a warning")) } else { Ok(()) }
}

/// `NAME=VALUE`; a value that is not JSON is a string.
pub(crate) fn definitions(given: &[String]) -> Result<Vec<(String, Value)>, Failure> {
    let parse = |given: &String| {
        let (name, value) = given.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--define {given} has no value"))
                .hint("for example: --define process.env.NODE_ENV=production")
        })?;
        Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
    };
    given.iter().map(parse).collect()
}

/// Writes a file for each target, in the order they were named.
fn write<'p>(
    args: &BuildArgs,
    targets: &[&'static Target],
    packed: &'p Packed,
    progress: &mut Progress,
) -> Result<Vec<Written<'p>>> {
    let output = args.output.clone().unwrap_or_else(|| default_output(args, packed));
    let mut all = Vec::new();
    for (path, target) in paths(&output, targets).into_iter().zip(targets.iter().copied()) {
        let variant = packed.variants.iter().find(|variant| variant.targets.contains(&target));
        let variant = variant.ok_or_else(|| Failure::new(format!("nothing was packed for {}", target.triple)))?;
        let (bytes, kind) = if args.shebang {
            ([SHEBANG.as_bytes(), &variant.container].concat(), Kind::Script)
        } else if args.container_only {
            (variant.container.clone(), Kind::Data)
        } else {
            (progress.phase("emit", "emitting", || executable(target, &variant.container))?, Kind::Executable)
        };
        output::check(&path)?;
        progress.phase("write", "writing", || output::write(&path, &bytes, kind))?;
        all.push(Written { path, bytes: bytes.len(), kind, target, variant });
    }
    Ok(all)
}

/// What was asked for beside the result; all results have the same script.
fn write_reports(args: &BuildArgs, packed: &Packed, written: &[Written<'_>]) -> Result<(), Failure> {
    let bundle = &packed.bundle;
    if args.source_map == SourceMapPlace::External {
        for file in written {
            output::write(&file.path.with_added_extension("map"), bundle.source_map.as_bytes(), Kind::Data)?;
        }
    }
    if let (Some(file), Some(first)) = (&args.metafile, written.first()) {
        let name = first.path.file_name().unwrap_or(first.path.as_os_str()).to_string_lossy();
        output::write(file, metafile(bundle, &name).to_string().as_bytes(), Kind::Data)?;
    }
    if let Some(file) = &args.report {
        let findings = written.first().and_then(|first| first.variant.findings.as_ref());
        let packages = findings.map(|findings| findings.packages.as_slice()).unwrap_or_default();
        let packages: Vec<PackageBytes> =
            packages.iter().map(|(name, sum)| PackageBytes { name: name.clone(), bytes: sum.bytes }).collect();
        output::write(file, treemap(bundle, &packages).as_bytes(), Kind::Data)?;
    }
    Ok(())
}

fn default_output(args: &BuildArgs, packed: &Packed) -> PathBuf {
    PathBuf::from(if args.container_only { format!("{}.epk", packed.name) } else { packed.name.clone() })
}
