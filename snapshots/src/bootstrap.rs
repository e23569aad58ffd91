//! Engine bytes → base image: Node's library, started once, before any app.

use std::collections::BTreeMap;
use std::path::Path;

use edgepack_format::container::Effect;
use edgepack_format::guest::{
    EXPORT_ALLOC, EXPORT_BOOTSTRAP, EXPORT_HEAP_PLACE, EXPORT_HEAP_PLACED, EXPORT_HEAP_RECORD, EXPORT_HEAP_RECORDED,
    Mode, Package,
};
use edgepack_format::host_calls::{HostCall, Sealed};
use edgepack_format::policy::Grants;

use crate::engine::Engine;
use crate::frozen::{Frozen, MONOTONIC_NS, REALTIME_NS};
use crate::machine::{Answer, Guest, Halt, Host};
use crate::placement::{plan, planned};
use crate::requests::pointer;
use crate::sealed::{SealedHost, Sealing, backtrace};
use crate::snapshot::BaseImage;
use crate::take::{recorded, take};
use crate::touches::Touches;
use crate::trial::trial;
use crate::wasmer::{Compiled, Running};
use crate::{Error, Result};

/// Runs `_initialize` (if there is one) and `edge_bootstrap` with the package of Node's library, and captures what
/// they made of the memory.
///
/// # Errors
/// If the engine breaks the contract, or asks for anything that only exists at boot besides clocks and randomness,
/// which get fixed answers: the engine refreshes what it keeps of them.
pub fn bootstrap(engine_wasm: &[u8], library: &[u8]) -> Result<BaseImage> {
    let mut guest = initialized(engine_wasm)?;
    start_library(&mut guest, library)?;
    image(&mut guest, engine_wasm)
}

/// What boots of the programs have in common.
#[derive(Debug, Clone, Default)]
pub struct Heat {
    /// How many of them touch each page of the base image.
    pub pages: BTreeMap<u32, u32>,
    /// How many of them enter each function of the engine, by its number among those that are not imported.
    pub functions: BTreeMap<u32, u32>,
}

/// The base image, with what programs touch of the library lying together (docs/decisions/placed-heap.md): the library
/// is started once and its heap recorded, small apps are started on that and their boots watched, and it is started
/// again with a plan. Also what those boots touch then, and what of the engine they run.
///
/// # Errors
/// As `bootstrap`, and if a program does not start.
pub fn base_image(
    engine_wasm: &[u8],
    library: &[u8],
    programs: &[&str],
    cache_dir: &Path,
) -> Result<(BaseImage, Heat)> {
    let mut guest = initialized(engine_wasm)?;
    let input = given(&mut guest, library)?;
    called(&mut guest, EXPORT_HEAP_RECORD, &[])?;
    run_bootstrap(&mut guest, input, library.len())?;
    let log = recorded(&mut guest).map_err(|halt| died(guest.host(), EXPORT_HEAP_RECORDED, halt))?;
    let log = log.ok_or_else(|| Error::Load("there is no room for a record of its heap".to_owned()))?;
    let engine = Engine::with_base(engine_wasm, image(&mut guest, engine_wasm)?, cache_dir)?;
    let runs = programs.iter().map(|script| watched(&engine, script)).collect::<Result<Vec<Touches>>>()?;
    let base = placed(engine_wasm, library, &plan(&log, &runs))?;
    let engine = Engine::with_base(engine_wasm, base, cache_dir)?;
    let mut heat = Heat::default();
    for script in programs {
        let touches = watched(&engine, script)?;
        for page in touches.pages() {
            *heat.pages.entry(page).or_default() += 1;
        }
        for (function, _) in (0..).zip(&touches.entered).filter(|(_, note)| **note != 0) {
            *heat.functions.entry(function).or_default() += 1;
        }
    }
    Ok((engine.base().clone(), heat))
}

/// What the boot of an app touches.
fn watched(engine: &Engine, script: &str) -> Result<Touches> {
    let package = Package { mode: Mode::Bundle, entry: "/app/main.js", script, positions: &[], files: Vec::new() };
    let (grants, frozen) = (Grants::all(), Frozen::default());
    let sealing = Sealing { grants: &grants, frozen: &frozen, target: None };
    let started = take(engine, &package, sealing)?.started;
    let started = started.ok_or_else(|| Error::Load("a program throws that is to be watched".to_owned()))?;
    trial(engine, &started.memory, sealing)?.ok_or_else(|| Error::Load("this machine cannot watch it".to_owned()))
}

/// The same as `bootstrap`, with blocks placed by a plan.
fn placed(engine_wasm: &[u8], library: &[u8], plan: &[u8]) -> Result<BaseImage> {
    let mut guest = initialized(engine_wasm)?;
    let at = given(&mut guest, plan)?;
    let input = given(&mut guest, library)?;
    called(&mut guest, EXPORT_HEAP_PLACE, &[at])?;
    run_bootstrap(&mut guest, input, library.len())?;
    let allocations = called(&mut guest, EXPORT_HEAP_PLACED, &[])?;
    if planned(plan).map(i64::from) != Some(allocations) {
        return Err(Error::Diverged(format!("the second one makes {allocations} allocations")));
    }
    image(&mut guest, engine_wasm)
}

fn initialized(engine_wasm: &[u8]) -> Result<Running<BootstrapHost>> {
    let compiled = Compiled::compile(engine_wasm)?;
    let exports = compiled.exports();
    // One base image for all targets.
    let sealing = Sealing { grants: &Grants::default(), frozen: &Frozen::default(), target: None };
    let mut guest = compiled.start(BootstrapHost { sealed: SealedHost::new(sealing), asked: None })?;
    if exports.iter().any(|name| name == INITIALIZE) {
        called(&mut guest, INITIALIZE, &[])?;
    }
    Ok(guest)
}

/// Where the bytes are in the guest's memory from now on.
fn given(guest: &mut Running<BootstrapHost>, bytes: &[u8]) -> Result<i64> {
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let at = called(guest, EXPORT_ALLOC, &[length])?;
    let written = guest.write(pointer(at), bytes);
    written.map(|()| at).ok_or_else(|| Error::Load("the input does not fit into the engine's memory".to_owned()))
}

fn start_library(guest: &mut Running<BootstrapHost>, library: &[u8]) -> Result<()> {
    let at = given(guest, library)?;
    run_bootstrap(guest, at, library.len())
}

fn run_bootstrap(guest: &mut Running<BootstrapHost>, at: i64, bytes: usize) -> Result<()> {
    let length = i64::try_from(bytes).map_err(|_| Error::Load("Node's library is too large".to_owned()))?;
    let status = called(guest, EXPORT_BOOTSTRAP, &[at, length])?;
    if status != 0 {
        let text = backtrace(guest);
        let written = guest.host().map_or_else(String::new, written);
        return Err(Error::Trapped {
            export: EXPORT_BOOTSTRAP,
            message: format!("it answered {status}\n{text}{written}"),
        });
    }
    Ok(())
}

fn image(guest: &mut Running<BootstrapHost>, engine_wasm: &[u8]) -> Result<BaseImage> {
    Ok(BaseImage {
        memory: guest.memory()?,
        globals: guest.globals(),
        engine_hash: *blake3::hash(engine_wasm).as_bytes(),
    })
}

const INITIALIZE: &str = "_initialize";

fn called(guest: &mut Running<BootstrapHost>, export: &'static str, args: &[i64]) -> Result<i64> {
    let result = guest.call(export, args);
    result.map_err(|halt| died(guest.host(), export, halt))
}

fn written(host: &mut BootstrapHost) -> String {
    let text = |effect: Effect| match effect {
        Effect::Write { bytes, .. } => bytes,
        Effect::Call { .. } => Vec::new(),
    };
    let bytes: Vec<u8> = host.sealed.effects.drain(..).flat_map(text).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn died(host: Option<&mut BootstrapHost>, export: &'static str, halt: Halt) -> Error {
    if let Some(host) = host {
        if let Some((call, backtrace)) = host.asked.take() {
            return Error::BootstrapAsked { call, backtrace };
        }
        if let Some(text) = host.sealed.panicked.take() {
            return Error::Panicked(text);
        }
    }
    match halt {
        Halt::Trapped(message) => Error::Trapped { export, message },
        Halt::Stopped | Halt::OutOfTime => Error::Trapped { export, message: "it was stopped".to_owned() },
    }
}

struct BootstrapHost {
    sealed: SealedHost,
    asked: Option<(&'static str, String)>,
}

impl Host for BootstrapHost {
    fn answer(&mut self, row: &'static HostCall, args: &[i64], guest: &mut dyn Guest) -> Answer {
        match row.name {
            "clock_realtime" => return Answer::Result(REALTIME_NS),
            "clock_monotonic" => return Answer::Result(MONOTONIC_NS),
            "random_fill" => return fill_fixed(args, guest),
            _ => {}
        }
        let answer = self.sealed.answer(row, args, guest);
        if answer == Answer::Stop && matches!(row.sealed, Sealed::Barrier | Sealed::Target) {
            let text = self.sealed.stopped.take().map_or_else(String::new, |(stop, _)| stop.backtrace);
            self.asked = Some((row.name, text));
        }
        answer
    }
}

fn fill_fixed(args: &[i64], guest: &mut dyn Guest) -> Answer {
    let (Some(&at), Some(&bytes)) = (args.first(), args.get(1)) else { return Answer::Stop };
    let length = usize::try_from(pointer(bytes)).unwrap_or_default();
    match guest.write(pointer(at), &vec![0x5a; length]) {
        Some(()) => Answer::Result(0),
        None => Answer::Stop,
    }
}
