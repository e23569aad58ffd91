//! Where the stages meet: app sources → bundle → snapshot → container → executable.

use std::path::Path;

use anyhow::Result;
use edgepack_bundler::{Builtins, Bundle, BundleOptions, Form, Minify, SourceMaps, Whitespace, bundle_cached};
use edgepack_format::container::Assumption;
use edgepack_format::guest::{Mode, Package};
use edgepack_format::limits::MEMORY_BYTES_MAX;
use edgepack_format::manifest::Manifest;
use edgepack_format::policy::Grants;
use edgepack_format::targets::Target;
use edgepack_packer as packer;
use edgepack_snapshots as snapshots;
use edgepack_snapshots::{BaseImage, Ending, Sealing, Snapshot, Started, Stop};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::{AllowArgs, SourceMapPlace};
use crate::audit::{self, Findings};
use crate::embedded;
use crate::frozen::frozen;
use crate::grants::grants;
use crate::kept;
use crate::positions::{Place, original};
use crate::progress::Progress;
use crate::report::size;

/// What `pack` is to make of an app.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// The entry module or a folder.
    pub(crate) entry: &'a Path,
    /// For which machines.
    pub(crate) targets: &'a [&'static Target],
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
    /// Whether the snapshot is looked into, too.
    pub(crate) audit: bool,
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

/// An app's containers, and what is to be told about all of them.
#[derive(Debug)]
pub(crate) struct Packed {
    /// One container for all targets, or several where start-up asks which it is for.
    pub(crate) variants: Vec<Variant>,
    /// The app's name, fit for a file.
    pub(crate) name: String,
    /// What the app's sources became.
    pub(crate) bundle: Bundle,
}

/// A container, and what is to be told about it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Variant {
    /// The container's bytes.
    pub(crate) container: Vec<u8>,
    /// The targets whose start-up it holds. It runs on the others too, from the beginning.
    #[serde(skip)]
    pub(crate) targets: Vec<&'static Target>,
    /// Whether start-up asks for the target.
    pub(crate) reads_target: bool,
    /// How start-up ended at build time.
    pub(crate) ending: Ending,
    /// Where, in the app's own sources.
    pub(crate) place: Option<Place>,
    /// Whether boot starts from an image.
    pub(crate) has_image: bool,
    /// How many pages a boot touches; `None` if there is no image or this machine cannot tell.
    pub(crate) hot_pages: Option<usize>,
    /// How much of start-up is done at build time, if there is an image and the rest of it ends.
    pub(crate) share: Option<Share>,
    /// What is in the snapshot, if it was asked for.
    #[serde(skip)]
    pub(crate) findings: Option<Findings>,
}

/// App sources → containers.
pub(crate) fn pack(plan: &Plan<'_>, progress: &mut Progress) -> Result<Packed> {
    let (bundle, _) = progress
        .phase("bundle", "bundling", || bundle_cached(&options(plan), &embedded::cache_dir().join("bundles")))?;
    let grants = grants(plan.allow, &bundle.manifest.edgepack)?;
    let app = App { bundle, grants, base: embedded::base_image()?, source_map: plan.source_map };
    let mut left = plan.targets.to_vec();
    let mut variants = Vec::new();
    while !left.is_empty() {
        let variant = variant(plan, &app, &left, progress)?;
        left.retain(|target| !variant.targets.contains(target));
        variants.push(variant);
    }
    let App { bundle, .. } = app;
    Ok(Packed { variants, name: name(&bundle), bundle })
}

/// What is the same for all targets.
pub(crate) struct App {
    pub(crate) bundle: Bundle,
    pub(crate) grants: Grants,
    pub(crate) base: BaseImage,
    source_map: SourceMapPlace,
}

/// The container for the first of these targets, and for those of the others that have the same start-up.
fn variant(plan: &Plan<'_>, app: &App, left: &[&'static Target], progress: &mut Progress) -> Result<Variant> {
    let first = left.first().copied();
    let mut variant = if plan.start_up == StartUp::Run && !plan.audit {
        kept_variant(plan, app, first, progress)?
    } else {
        new_variant(plan, app, first, progress)?
    };
    let is_for = |target: &&&'static Target| !variant.reads_target || Some(**target) == first;
    variant.targets = left.iter().filter(is_for).copied().collect();
    Ok(variant)
}

/// What an earlier build has made of the same, if there was one.
fn kept_variant(
    plan: &Plan<'_>,
    app: &App,
    target: Option<&'static Target>,
    progress: &mut Progress,
) -> Result<Variant> {
    let kept = kept::containers();
    let [for_all, for_one] = kept::keys(app, target);
    let find = || kept.read(&for_all).or_else(|| kept.read(&for_one));
    if let Some(variant) = progress.phase("reuse", "looking for the same app", find) {
        return Ok(variant);
    }
    let variant = new_variant(plan, app, target, progress)?;
    if kept::is_final(&variant) {
        // Without a folder that can be written to the next build is as slow as this one.
        let _ = kept.write(if variant.reads_target { &for_one } else { &for_all }, &variant);
    }
    Ok(variant)
}

/// The container that start-up for `target` gives; for which others it is remains to be said.
fn new_variant(
    plan: &Plan<'_>,
    app: &App,
    target: Option<&'static Target>,
    progress: &mut Progress,
) -> Result<Variant> {
    // What boot falls back to when a guard does not hold: the package is a tenth of an image of it, loaded
    // (docs/decisions/fallback-package.md).
    let (start, fallback) = std::thread::scope(|scope| {
        let fallback = scope.spawn(|| compressed(&package(app)));
        let start = start_up(plan, app, target, progress);
        (start, fallback.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (Start { snapshot, findings }, fallback) = (start?, fallback?);
    let hot_pages = snapshot.started.as_ref().and_then(|started| started.hot_pages.as_deref());
    let place = place(&snapshot, &app.bundle);
    let container = progress.phase("pack", "packing", || {
        let manifest = manifest(app, stop_line(&snapshot.ending, place.as_ref()));
        container(&manifest, app, &snapshot, &fallback, hot_pages.unwrap_or_default())
    })?;
    Ok(Variant {
        container,
        targets: Vec::new(),
        reads_target: snapshot.reads_target,
        has_image: snapshot.started.is_some(),
        hot_pages: hot_pages.map(<[u32]>::len),
        share: snapshot.started.and_then(|started| started.share).map(|share| told(share, &app.bundle)),
        ending: snapshot.ending,
        place,
        findings,
    })
}

fn engine_of<'a>(base: &'a BaseImage, mapped_pages: &'a [u32]) -> packer::Engine<'a> {
    packer::Engine { hash: embedded::engine_hash(base), base_memory: &base.memory, mapped_pages }
}

fn compressed(package: &Package<'_>) -> packer::Result<packer::CompressedPackage> {
    packer::CompressedPackage::new(package.encode(), package.script_range())
}

/// Container → executable.
pub(crate) fn executable(target: &Target, container: &[u8]) -> Result<Vec<u8>> {
    Ok(packer::executable(&embedded::stub(target)?, container)?)
}

/// A script on disk → a container that runs it as `node FILE` does.
pub(crate) fn pack_node(file: &str) -> Result<Vec<u8>> {
    let package = Package { mode: Mode::Node, entry: file, script: file, positions: &[], files: Vec::new() };
    let manifest = Manifest {
        name: file.to_owned(),
        entry: file.to_owned(),
        grants: Grants::all(),
        memory_bytes_max: MEMORY_BYTES_MAX,
        ..Manifest::default()
    };
    let base = embedded::base_image()?;
    Ok(packer::container(&packer::Contents {
        manifest: &manifest,
        engine: engine_of(&base, &[]),
        started: None,
        package: &compressed(&package)?,
        source_map: "",
        licences: "",
        hot_pages: &[],
    })?)
}

/// What `edgepack build` says of the stop: `src/server.ts:12: process.env.PORT is granted`.
pub(crate) fn stop_line(ending: &Ending, place: Option<&Place>) -> String {
    match ending {
        Ending::NotRun => String::new(),
        Ending::Completed => "start-up ran to its end".to_owned(),
        Ending::Stopped(stop) | Ending::OutOfTime(stop) => described(stop, place),
        Ending::Threw(_) => "it throws".to_owned(),
    }
}

/// How the app is bundled.
pub(crate) fn options(plan: &Plan<'_>) -> BundleOptions {
    BundleOptions {
        entry: plan.entry.to_owned(),
        assets: Vec::new(),
        builtins: Builtins::Supported,
        define: plan.define.to_vec(),
        form: Form::Resumable,
        external: Vec::new(),
        minify: plan.minify,
        whitespace: Whitespace::Minimal,
        source_map: SourceMaps::Made,
    }
}

pub(crate) fn package(app: &App) -> Package<'_> {
    let bundle = &app.bundle;
    Package {
        mode: if bundle.entry_is_module { Mode::ModuleBundle } else { Mode::Bundle },
        entry: &bundle.entry,
        script: &bundle.script,
        // For stack traces. It lies in every image, and there in pages that nothing touches before.
        positions: match app.source_map {
            SourceMapPlace::Inline => &bundle.positions,
            SourceMapPlace::External | SourceMapPlace::None => &[],
        },
        files: bundle.assets.iter().map(|asset| (asset.path.as_str(), asset.bytes.as_slice())).collect(),
    }
}

/// The app, started as far as it can be, and what is in that.
struct Start {
    snapshot: Snapshot,
    findings: Option<Findings>,
}

fn start_up(plan: &Plan<'_>, app: &App, target: Option<&'static Target>, progress: &mut Progress) -> Result<Start> {
    if plan.start_up == StartUp::Nothing {
        let ending = Ending::NotRun;
        let snapshot = Snapshot { loaded: Vec::new(), started: None, ending, reads_target: false };
        return Ok(Start { snapshot, findings: None });
    }
    let engine = progress.phase("engine", "opening the engine", embedded::engine)?;
    let package = package(app);
    let frozen = frozen(&app.bundle.manifest.edgepack, &app.bundle.source_map)?;
    let sealing = Sealing { grants: &app.grants, frozen: &frozen, target };
    let mut snapshot = progress.phase("snapshot", "running start-up", || match plan.start_up {
        StartUp::Run => snapshots::take(&engine, &package, sealing),
        StartUp::Load | StartUp::Nothing => snapshots::load(&engine, &package, sealing),
    })?;
    if let Ending::Stopped(stop) = &mut snapshot.ending
        && stop.wants_memory()
    {
        let places = snapshots::heap_at_stop(&engine, &package, sealing)?;
        if let Some((name, sum)) = audit::largest(&app.bundle.source_map, &places) {
            stop.reason = format!("{}, {} of it held by {name}", stop.reason, size(sum.bytes));
        }
    }
    let snapshot =
        progress.phase("layout", "trying the boot", || snapshots::lay_out(&engine, &package, sealing, snapshot))?;
    let findings = match plan.audit {
        true => Some(progress.phase("audit", "looking into the snapshot", || {
            let audit = snapshots::audit(&engine, &package, sealing, &snapshot)?;
            Ok::<_, anyhow::Error>(audit::findings(&subject(plan, app, &package), &snapshot, audit)?)
        })?),
        false => None,
    };
    Ok(Start { snapshot, findings })
}

fn subject<'a>(plan: &Plan<'_>, app: &'a App, package: &'a Package<'a>) -> audit::Subject<'a> {
    audit::Subject {
        package,
        source_map: &app.bundle.source_map,
        defined: plan.define.iter().map(|(name, _)| name.clone()).collect(),
        edgepack: &app.bundle.manifest.edgepack,
        base_memory: &app.base.memory,
    }
}

/// How much of start-up is done at build time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Instructions of the engine at build time.
    pub(crate) done: u64,
    /// Instructions left for every boot.
    pub(crate) rest: u64,
    /// What those ask for, in order.
    pub(crate) asked: Vec<Asked>,
}

/// What start-up asks for at boot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// What, and where.
    pub(crate) line: String,
    /// Instructions from here to the next: what more would be done at build time if this had an answer there.
    pub(crate) saves: u64,
}

impl Share {
    /// A part of all instructions, in hundredths.
    pub(crate) fn percent(&self, part: u64) -> f64 {
        part as f64 * 100.0 / (self.done + self.rest).max(1) as f64
    }
}

fn told(share: snapshots::Share, bundle: &Bundle) -> Share {
    let ends = share.asked.iter().skip(1).map(|(_, at)| *at).chain([share.rest]);
    let asked = share.asked.iter().zip(ends).map(|((stop, at), end)| Asked {
        line: described(stop, original(&bundle.source_map, &stop.positions).as_ref()),
        saves: end.saturating_sub(*at),
    });
    Share { done: share.done, rest: share.rest, asked: asked.collect() }
}

fn described(stop: &Stop, place: Option<&Place>) -> String {
    place.map_or_else(|| stop.reason.clone(), |place| format!("{place}: {}", stop.reason))
}

fn place(snapshot: &Snapshot, bundle: &Bundle) -> Option<Place> {
    match &snapshot.ending {
        Ending::Stopped(stop) | Ending::OutOfTime(stop) => original(&bundle.source_map, &stop.positions),
        _ => None,
    }
}

fn manifest(app: &App, stop_reason: String) -> Manifest {
    let bundle = &app.bundle;
    Manifest {
        name: bundle.manifest.name.clone().unwrap_or_else(|| name(bundle)),
        version: bundle.manifest.version.clone().unwrap_or_default(),
        entry: bundle.entry.clone(),
        grants: app.grants.clone(),
        stop_reason,
        memory_bytes_max: MEMORY_BYTES_MAX,
    }
}

fn container(
    manifest: &Manifest,
    app: &App,
    snapshot: &Snapshot,
    fallback: &packer::CompressedPackage,
    hot_pages: &[u32],
) -> Result<Vec<u8>> {
    let base = &app.base;
    let memory = |bytes| packer::Memory { bytes, stack_pointer: base.stack_pointer() };
    let assumptions: Vec<Assumption> = snapshot.started.iter().flat_map(Started::assumptions).cloned().collect();
    let started = snapshot.started.as_ref().map(|started| packer::Started {
        memory: memory(&started.memory),
        assumptions: &assumptions,
        effects: &started.effects,
    });
    Ok(packer::container(&packer::Contents {
        manifest,
        engine: engine_of(base, &embedded::mapped_pages()),
        started,
        package: fallback,
        source_map: "",
        licences: embedded::NOTICE,
        hot_pages,
    })?)
}

/// The package's name without its scope, else the entry's.
fn name(bundle: &Bundle) -> String {
    let own = bundle.manifest.name.as_deref().and_then(|name| name.rsplit('/').next());
    let entry = || Path::new(&bundle.entry).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = own.map(str::to_owned).or_else(entry).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "app".to_owned())
}
