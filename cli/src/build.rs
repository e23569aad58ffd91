//! Where the stages meet: app sources → bundle → snapshot → container → executable.

use std::path::Path;

use anyhow::Result;
use edgepack_bundler::{Builtins, Bundle, BundleOptions, Form, Minify, Whitespace, bundle};
use edgepack_format::guest::{Mode, Package};
use edgepack_format::limits::MEMORY_BYTES_MAX;
use edgepack_format::manifest::Manifest;
use edgepack_format::policy::Grants;
use edgepack_format::targets::Target;
use edgepack_packer as packer;
use edgepack_snapshots as snapshots;
use edgepack_snapshots::{BaseImage, Ending, Snapshot, Stop};
use serde_json::Value;

use crate::args::{AllowArgs, SourceMapPlace};
use crate::embedded;
use crate::frozen::frozen;
use crate::grants::grants;
use crate::positions::{Place, original};
use crate::progress::Progress;

/// What `pack` is to make of an app.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// The entry module or a folder.
    pub(crate) entry: &'a Path,
    /// For which machine.
    pub(crate) target: &'static Target,
    /// What the command line grants.
    pub(crate) allow: &'a AllowArgs,
    /// How far the app is run at build time.
    pub(crate) start_up: StartUp,
    /// Whether the container holds the source map.
    pub(crate) source_map: SourceMapPlace,
    /// Whether the script is made as short as it can be.
    pub(crate) minify: Minify,
    /// What the command line defines, by name.
    pub(crate) define: &'a [(String, Value)],
}

/// How far the app is run at build time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartUp {
    /// As far as it is the same at every boot.
    Run,
    /// Not at all, but the engine has to accept the bundle.
    Load,
    /// Not at all, and no engine is opened: the executable runs at once, and says itself what is wrong.
    Nothing,
}

/// A container, and what is to be told about it.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The container's bytes.
    pub(crate) container: Vec<u8>,
    /// The app's name, fit for a file.
    pub(crate) name: String,
    /// How start-up ended at build time.
    pub(crate) ending: Ending,
    /// Where, in the app's own sources.
    pub(crate) place: Option<Place>,
    /// Whether boot starts from an image.
    pub(crate) has_image: bool,
    /// How many pages a boot touches; `None` if there is no image or this machine cannot tell.
    pub(crate) hot_pages: Option<usize>,
    /// What the app's sources became.
    pub(crate) bundle: Bundle,
}

/// App sources → container.
pub(crate) fn pack(plan: &Plan<'_>, progress: &mut Progress) -> Result<Packed> {
    let bundle = progress.phase("bundle", "bundling", || bundle(&options(plan)))?;
    let grants = grants(plan.allow, &bundle.manifest.edgepack)?;
    let base = embedded::base_image()?;
    let (snapshot, hot_pages) = start_up(plan, &bundle, &grants, progress)?;
    let place = place(&snapshot, &bundle);
    let container = progress.phase("pack", "packing", || {
        let manifest = manifest(plan, &bundle, grants, stop_line(&snapshot.ending, place.as_ref()));
        container(plan, &manifest, &base, &bundle, &snapshot, hot_pages.as_deref().unwrap_or_default())
    })?;
    Ok(Packed {
        container,
        name: name(plan, &bundle),
        has_image: snapshot.started.is_some(),
        ending: snapshot.ending,
        place,
        hot_pages: hot_pages.map(|pages| pages.len()),
        bundle,
    })
}

/// Container → executable.
pub(crate) fn executable(target: &Target, container: &[u8]) -> Result<Vec<u8>> {
    Ok(packer::executable(embedded::stub(target.triple)?, container)?)
}

/// A script on disk → a container that runs it as `node FILE` does.
pub(crate) fn pack_node(file: &str, target: &Target) -> Result<Vec<u8>> {
    let package = Package {
        mode: Mode::Node,
        arch: target.node_arch,
        entry: file,
        script: file,
        source_map: "",
        files: Vec::new(),
    };
    let manifest = Manifest {
        name: file.to_owned(),
        entry: file.to_owned(),
        arch: target.node_arch.to_owned(),
        grants: Grants::all(),
        memory_bytes_max: MEMORY_BYTES_MAX,
        ..Manifest::default()
    };
    let base = embedded::base_image()?;
    Ok(packer::container(&packer::Contents {
        manifest: &manifest,
        engine: packer::Engine { hash: embedded::engine_hash(&base), base_memory: &base.memory },
        loaded: None,
        started: None,
        package: Some(&package.encode()),
        source_map: "",
        licences: "",
        hot_pages: &[],
    })?)
}

/// What `edgepack build` says of the stop: `src/server.ts:12: process.env.PORT is granted`.
pub(crate) fn stop_line(ending: &Ending, place: Option<&Place>) -> String {
    let stopped = |stop: &Stop| match place {
        Some(place) => format!("{place}: {}", stop.reason),
        None => stop.reason.clone(),
    };
    match ending {
        Ending::NotRun => String::new(),
        Ending::Completed => "start-up ran to its end".to_owned(),
        Ending::Stopped(stop) | Ending::OutOfTime(stop) => stopped(stop),
        Ending::Threw(_) => "it throws".to_owned(),
    }
}

/// How the app is bundled.
pub(crate) fn options(plan: &Plan<'_>) -> BundleOptions {
    BundleOptions {
        entry: plan.entry.to_owned(),
        node_arch: plan.target.node_arch.to_owned(),
        assets: Vec::new(),
        builtins: Builtins::Supported,
        define: plan.define.to_vec(),
        form: Form::Resumable,
        external: Vec::new(),
        minify: plan.minify,
        whitespace: Whitespace::Minimal,
    }
}

fn package<'a>(plan: &Plan<'a>, bundle: &'a Bundle) -> Package<'a> {
    Package {
        mode: Mode::Bundle,
        arch: plan.target.node_arch,
        entry: &bundle.entry,
        script: &bundle.script,
        // The engine does not read it, and whatever it is given is in every image.
        source_map: "",
        files: bundle.assets.iter().map(|asset| (asset.path.as_str(), asset.bytes.as_slice())).collect(),
    }
}

/// The snapshot, and the pages of it that a boot touches.
fn start_up(
    plan: &Plan<'_>,
    bundle: &Bundle,
    grants: &Grants,
    progress: &mut Progress,
) -> Result<(Snapshot, Option<Vec<u32>>)> {
    if plan.start_up == StartUp::Nothing {
        return Ok((Snapshot { loaded: Vec::new(), started: None, ending: Ending::NotRun }, None));
    }
    let engine = progress.phase("engine", "opening the engine", embedded::engine)?;
    let package = package(plan, bundle);
    let frozen = frozen(&bundle.manifest.edgepack, &bundle.source_map)?;
    let snapshot = progress.phase("snapshot", "running start-up", || match plan.start_up {
        StartUp::Run => snapshots::take(&engine, &package, grants, &frozen),
        StartUp::Load | StartUp::Nothing => snapshots::load(&engine, &package, grants),
    })?;
    let Some(started) = &snapshot.started else { return Ok((snapshot, None)) };
    let pages = progress.phase("trial", "trying the boot", || snapshots::trial(&engine, started, grants))?;
    Ok((snapshot, pages))
}

fn place(snapshot: &Snapshot, bundle: &Bundle) -> Option<Place> {
    match &snapshot.ending {
        Ending::Stopped(stop) | Ending::OutOfTime(stop) => original(&bundle.source_map, &stop.positions),
        _ => None,
    }
}

fn manifest(plan: &Plan<'_>, bundle: &Bundle, grants: Grants, stop_reason: String) -> Manifest {
    Manifest {
        name: bundle.manifest.name.clone().unwrap_or_else(|| name(plan, bundle)),
        version: bundle.manifest.version.clone().unwrap_or_default(),
        entry: bundle.entry.clone(),
        arch: plan.target.node_arch.to_owned(),
        grants,
        stop_reason,
        memory_bytes_max: MEMORY_BYTES_MAX,
    }
}

fn container(
    plan: &Plan<'_>,
    manifest: &Manifest,
    base: &BaseImage,
    bundle: &Bundle,
    snapshot: &Snapshot,
    hot_pages: &[u32],
) -> Result<Vec<u8>> {
    let memory = |bytes| packer::Memory { bytes, stack_pointer: base.stack_pointer() };
    let started = snapshot.started.as_ref().map(|started| packer::Started {
        memory: memory(&started.memory),
        guards: &started.guards,
        effects: &started.effects,
    });
    // What boot falls back to when a guard does not hold: the package is a tenth of an image of it, loaded
    // (docs/decisions/fallback-package.md).
    let fallback = package(plan, bundle).encode();
    Ok(packer::container(&packer::Contents {
        manifest,
        engine: packer::Engine { hash: embedded::engine_hash(base), base_memory: &base.memory },
        loaded: None,
        started,
        package: Some(&fallback),
        source_map: match plan.source_map {
            SourceMapPlace::Inline => &bundle.source_map,
            SourceMapPlace::External | SourceMapPlace::None => "",
        },
        licences: embedded::NOTICE,
        hot_pages,
    })?)
}

/// The package's name without its scope, else the entry's.
fn name(plan: &Plan<'_>, bundle: &Bundle) -> String {
    let own = bundle.manifest.name.as_deref().and_then(|name| name.rsplit('/').next());
    let entry = || Path::new(&bundle.entry).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = own.map(str::to_owned).or_else(entry).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| plan.target.triple.to_owned())
}
