//! `edgepack build`: an app → an executable or a container, and a report of it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use edgepack_bundler::{Diagnostics, Minify, metafile, treemap};
use edgepack_format::targets::{TARGETS, Target, find};
use serde_json::Value;

use crate::args::{BuildArgs, SourceMapPlace};
use crate::build::{Packed, Plan, StartUp, executable, options, pack};
use crate::commands::why;
use crate::failure::Failure;
use crate::output::{self, Kind};
use crate::progress::{Audience, Progress};
use crate::report::{self, Written};

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
    let target = target(args.target.as_deref())?;
    for path in [&args.output, &args.metafile, &args.report].into_iter().flatten() {
        output::check(path)?;
    }
    let start_up = if args.no_snapshot { StartUp::Load } else { StartUp::Run };
    let mut progress = Progress::new(if args.json { Audience::Silent } else { Audience::Shown });
    let define = definitions(&args.define)?;
    let minify = if args.no_minify { Minify::No } else { Minify::KeepNames };
    let source_map = args.source_map;
    let plan = Plan { entry: &args.entry, target, allow: &args.allow, start_up, source_map, minify, define: &define };
    if let Some(subject) = &args.why {
        return why::why(&options(&plan), subject);
    }
    let packed = pack(&plan, &mut progress)?;
    let (bytes, kind) = if args.container_only {
        (packed.container.clone(), Kind::Data)
    } else {
        (progress.phase("emit", "emitting", || executable(target, &packed.container))?, Kind::Executable)
    };
    let path = args.output.clone().unwrap_or_else(|| default_output(&packed, kind));
    output::check(&path)?;
    progress.phase("write", "writing", || output::write(&path, &bytes, kind))?;
    write_reports(args, &packed, &path)?;
    for warning in &packed.bundle.warnings {
        progress.line(&warning.to_string());
    }
    let phases = progress.finish();
    let written = Written { path: &path, bytes: bytes.len(), kind, target };
    if args.json {
        report::json(&packed, &written, &phases)
    } else {
        report::text(&packed, &written, &phases)
    }
    Ok(())
}

/// What was asked for beside the result.
fn write_reports(args: &BuildArgs, packed: &Packed, path: &Path) -> Result<(), Failure> {
    let bundle = &packed.bundle;
    if args.source_map == SourceMapPlace::External {
        output::write(&path.with_added_extension("map"), bundle.source_map.as_bytes(), Kind::Data)?;
    }
    if let Some(file) = &args.metafile {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        output::write(file, metafile(bundle, &name).to_string().as_bytes(), Kind::Data)?;
    }
    if let Some(file) = &args.report {
        // How much of a snapshot belongs to which package is not known yet.
        output::write(file, treemap(bundle, &[]).as_bytes(), Kind::Data)?;
    }
    Ok(())
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

/// The target named, or the first of the table.
pub(crate) fn target(triple: Option<&str>) -> Result<&'static Target, Failure> {
    match triple {
        None => TARGETS.first().ok_or_else(|| Failure::new("this edgepack has no targets")),
        Some(triple) => find(triple).ok_or_else(|| {
            Failure::usage(format!("there is no target {triple}")).hint("`edgepack targets` lists them")
        }),
    }
}

fn default_output(packed: &Packed, kind: Kind) -> PathBuf {
    match kind {
        Kind::Executable => PathBuf::from(&packed.name),
        Kind::Data => PathBuf::from(format!("{}.epk", packed.name)),
    }
}
