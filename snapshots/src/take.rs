//! Package and grants → snapshot, in two passes: the first finds the step that cannot be run, the second stops before.
//! A third lays the heap out by what a trial boot touched.

use std::time::Duration;

use edgepack_format::container::{Assumption, Effect};
use edgepack_format::guest::{
    EXPORT_ALLOC, EXPORT_HEAP_PLACE, EXPORT_HEAP_PLACED, EXPORT_HEAP_RECORD, EXPORT_HEAP_RECORDED, EXPORT_HEAP_ROWS,
    EXPORT_LOAD, EXPORT_START, Package, STATUS_COMPLETED, STATUS_SUSPENDED, STATUS_THREW,
};

use crate::audit::note_sites;
use crate::engine::Engine;
use crate::machine::{Guest, Halt, Host};
use crate::placement::{HeapLog, ROW_BYTES, plan, planned};
use crate::requests::pointer;
use crate::sealed::{SealedHost, Sealing, backtrace, reads_target, running_step, stop};
use crate::snapshot::{Ending, Layout, Snapshot, Started, Stop};
use crate::survey::survey;
use crate::terminals::others;
use crate::trial::trial;
use crate::wasmer::Running;
use crate::{Error, Result};

/// How long start-up may run at build time: far more than any app needs, far less than anyone's patience.
pub const START_UP_BUDGET: Duration = Duration::from_secs(20);

/// Loads the package and runs its start-up as far as it is the same at every boot.
///
/// # Errors
/// If the engine refuses the bundle or breaks its contract. An app that throws is no error: see [`Ending`].
pub fn take(engine: &Engine, package: &Package<'_>, sealing: Sealing<'_>) -> Result<Snapshot> {
    take_within(START_UP_BUDGET, engine, package, sealing)
}

/// [`take`] with another budget.
///
/// # Errors
/// As [`take`].
pub fn take_within(budget: Duration, engine: &Engine, package: &Package<'_>, sealing: Sealing<'_>) -> Result<Snapshot> {
    let mut guest = loaded_guest(engine, package, sealing, Heap::Recorded)?;
    let loaded = guest.memory()?;
    let pass = run(&mut guest, budget, NEVER)?;
    let reads_target = guest.host().is_some_and(|host| reads_target(&host.guards));
    let (started, ending) = match pass {
        Pass::Completed => (Some(captured(&mut guest, engine, NEVER)?), Ending::Completed),
        Pass::Threw(error) => (None, Ending::Threw(error)),
        Pass::Suspended => {
            return Err(Error::BadStatus { export: EXPORT_START, status: i64::from(STATUS_SUSPENDED) });
        }
        Pass::Stopped(stop, step) => {
            (run_up_to(step, &loaded, engine, SealedHost::new(sealing), budget)?, Ending::Stopped(stop))
        }
        Pass::OutOfTime(stop, step) => {
            (run_up_to(step, &loaded, engine, SealedHost::new(sealing), budget)?, Ending::OutOfTime(stop))
        }
    };
    Ok(Snapshot { loaded, started, ending, reads_target })
}

/// Tries the boot, and starts the app once more with all that it touches lying together. Where this machine cannot
/// watch a boot, or it does not end, the snapshot stays as it is.
///
/// # Errors
/// As [`take`], and if the app did not start as it did before.
pub fn lay_out(
    engine: &Engine,
    package: &Package<'_>,
    sealing: Sealing<'_>,
    mut snapshot: Snapshot,
) -> Result<Snapshot> {
    // What did not end at build time does not end in a trial.
    if matches!(snapshot.ending, Ending::OutOfTime(_)) {
        return Ok(snapshot);
    }
    let Some(started) = &mut snapshot.started else { return Ok(snapshot) };
    if let Layout::Unknown = started.layout {
        started.hot_pages = trial(engine, &started.memory, sealing)?.map(|touches| touches.pages());
        return Ok(snapshot);
    }
    if let Layout::Recorded(log) = &started.layout {
        let Some(touches) = trial(engine, &started.memory, sealing)? else { return Ok(snapshot) };
        let plan = plan(log, &[touches]);
        (snapshot.loaded, *started) = placed_anew(engine, package, sealing, &plan, started.stop_at)?;
    }
    look_at(engine, sealing, &snapshot.loaded, started)?;
    Ok(snapshot)
}

/// The third pass, by a plan: the memory before start-up, and after.
fn placed_anew(
    engine: &Engine,
    package: &Package<'_>,
    sealing: Sealing<'_>,
    plan: &[u8],
    stop_at: i64,
) -> Result<(Vec<u8>, Started)> {
    let diverged = || Error::Diverged("the third one ends elsewhere".to_owned());
    let mut guest = loaded_guest(engine, package, sealing, Heap::Placed(plan))?;
    let loaded = guest.memory()?;
    let before = guest.counted();
    let (allocations, mut started) = started_again(&mut guest, engine, stop_at)?.ok_or_else(diverged)?;
    started.layout = Layout::Placed { instructions: guest.counted() - before };
    if planned(plan).map(i64::from) == Some(allocations) { Ok((loaded, started)) } else { Err(diverged()) }
}

/// Starts a guest whose heap is placed, and how many allocations it made; `None` if it ends otherwise than at `stop_at`.
fn started_again(guest: &mut SealedGuest, engine: &Engine, stop_at: i64) -> Result<Option<(i64, Started)>> {
    // The first pass took less than the budget.
    let pass = run(guest, START_UP_BUDGET * 2, stop_at)?;
    if !matches!((pass, stop_at), (Pass::Completed, NEVER) | (Pass::Suspended, _)) {
        return Ok(None);
    }
    let allocations = called(guest, EXPORT_HEAP_PLACED, &[])?;
    Ok(Some((allocations, captured(guest, engine, stop_at)?)))
}

/// What its boot touches, how much of start-up is left for it, and how it is at a terminal.
fn look_at(engine: &Engine, sealing: Sealing<'_>, loaded: &[u8], started: &mut Started) -> Result<()> {
    let Layout::Placed { instructions } = started.layout else { return Ok(()) };
    let (others, share, touches) = std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            others(started, |terminals| {
                let mut guest = engine.start_from(loaded, SealedHost::new(sealing).at(terminals))?;
                Ok(started_again(&mut guest, engine, started.stop_at)?.map(|(_, started)| started))
            })
        });
        let share = survey(engine, &started.memory, instructions, sealing);
        let touches = trial(engine, &started.memory, sealing);
        let others = others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, Error>((others?, share?, touches?))
    })?;
    started.hot_pages = touches.map(|touches| touches.pages());
    started.share = share;
    started.others = others;
    Ok(())
}

/// Loads the package and runs nothing of it.
///
/// # Errors
/// If the engine refuses the bundle or breaks its contract.
pub fn load(engine: &Engine, package: &Package<'_>, sealing: Sealing<'_>) -> Result<Snapshot> {
    let loaded = loaded_guest(engine, package, sealing, Heap::Plain)?.memory()?;
    Ok(Snapshot { loaded, started: None, ending: Ending::NotRun, reads_target: false })
}

pub(crate) type SealedGuest = Running<SealedHost>;

/// What becomes of the guest's heap.
#[derive(Clone, Copy)]
pub(crate) enum Heap<'p> {
    Plain,
    Recorded,
    /// With the places of the app that make its blocks.
    Audited,
    Placed(&'p [u8]),
}

pub(crate) fn loaded_guest(
    engine: &Engine,
    package: &Package<'_>,
    sealing: Sealing<'_>,
    heap: Heap<'_>,
) -> Result<SealedGuest> {
    let mut guest = engine.start(SealedHost::new(sealing))?;
    match heap {
        Heap::Recorded if guest.has(EXPORT_HEAP_RECORD) => {
            called(&mut guest, EXPORT_HEAP_RECORD, &[])?;
        }
        Heap::Audited => {
            called(&mut guest, EXPORT_HEAP_RECORD, &[])?;
            note_sites(&mut guest)?;
        }
        Heap::Placed(plan) => {
            let (at, _) = given(&mut guest, plan)?;
            called(&mut guest, EXPORT_HEAP_PLACE, &[at])?;
        }
        Heap::Plain | Heap::Recorded => {}
    }
    let (at, length) = given(&mut guest, &package.encode())?;
    let status = called(&mut guest, EXPORT_LOAD, &[at, length])?;
    if status == 0 { Ok(guest) } else { Err(Error::Load(last_words(&mut guest))) }
}

/// Where the bytes are in the guest's memory from now on, and how many they are.
fn given(guest: &mut SealedGuest, bytes: &[u8]) -> Result<(i64, i64)> {
    let length = i64::try_from(bytes.len()).map_err(|_| Error::Load("it is too large".to_owned()))?;
    let at = called(guest, EXPORT_ALLOC, &[length])?;
    let written = guest.write(pointer(at), bytes);
    written.map(|()| (at, length)).ok_or_else(|| Error::Load("it does not fit into the engine's memory".to_owned()))
}

/// Calls an export that must neither stop nor trap.
pub(crate) fn called(guest: &mut SealedGuest, export: &'static str, args: &[i64]) -> Result<i64> {
    let result = guest.call(export, args);
    match result {
        Ok(result) => Ok(result),
        Err(halt) => Err(died(guest, export, halt)),
    }
}

fn died(guest: &mut SealedGuest, export: &'static str, halt: Halt) -> Error {
    let host = guest.host();
    if let Some(text) = host.and_then(|host| host.panicked.take()) {
        return Error::Panicked(text);
    }
    let stopped = guest.host().and_then(|host| host.stopped.take());
    let message = match (halt, stopped) {
        (_, Some((stop, _))) => stop.reason,
        (Halt::Trapped(message), _) => message,
        (Halt::Stopped | Halt::OutOfTime, _) => "it was stopped".to_owned(),
    };
    Error::Trapped { export, message }
}

/// The stack of the exception the guest has kept, or what it wrote to stderr.
fn last_words(guest: &mut SealedGuest) -> String {
    let text = backtrace(guest);
    if !text.is_empty() {
        return text;
    }
    let effects = guest.host().map_or(&[][..], |host| &host.effects);
    let written = |effect: &Effect| match effect {
        Effect::Write { handle: STDERR, bytes } => bytes.clone(),
        _ => Vec::new(),
    };
    let bytes: Vec<u8> = effects.iter().flat_map(written).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

const STDERR: i32 = 2;

const NEVER: i64 = -1;

/// Of a stop that is in no step.
const OUTSIDE: i64 = -1;

/// How one call of `edge_start` ended; a step is the number of the one that was running.
pub(crate) enum Pass {
    Completed,
    Threw(String),
    Suspended,
    Stopped(Stop, i64),
    OutOfTime(Stop, i64),
}

pub(crate) fn run(guest: &mut SealedGuest, budget: Duration, stop_at: i64) -> Result<Pass> {
    let result = guest.call_within(budget, EXPORT_START, &[stop_at]);
    match result {
        Ok(status) if status == i64::from(STATUS_COMPLETED) => Ok(Pass::Completed),
        Ok(status) if status == i64::from(STATUS_SUSPENDED) => Ok(Pass::Suspended),
        Ok(status) if status == i64::from(STATUS_THREW) => Ok(Pass::Threw(last_words(guest))),
        Ok(status) => Err(Error::BadStatus { export: EXPORT_START, status }),
        Err(Halt::OutOfTime) => {
            let reason = format!("it runs for more than {} s", budget.as_secs_f32());
            Ok(Pass::OutOfTime(stop("", reason, guest), running_step(guest)))
        }
        Err(Halt::Stopped) if guest.host().is_some_and(|host| host.stopped.is_some()) => {
            match guest.host().and_then(|host| host.stopped.take()) {
                Some((stop, step)) => Ok(Pass::Stopped(stop, step)),
                None => Err(died(guest, EXPORT_START, Halt::Stopped)),
            }
        }
        Err(halt) => Err(died(guest, EXPORT_START, halt)),
    }
}

/// The second pass, from the loaded image: everything before `step`. Nothing can be kept if no step has begun.
fn run_up_to(step: i64, loaded: &[u8], engine: &Engine, host: SealedHost, budget: Duration) -> Result<Option<Started>> {
    if step < 0 {
        return Ok(None);
    }
    let mut guest = engine.start_from(loaded, host)?;
    // Twice the budget: the first pass has ended within it, or was cut off by it in the step this one leaves out.
    match run(&mut guest, budget * 2, step)? {
        Pass::Suspended => captured(&mut guest, engine, step).map(Some),
        Pass::Completed => Err(Error::Diverged(format!("the second one passes step {step}"))),
        Pass::Threw(error) => Err(Error::Diverged(format!("the second one throws {error}"))),
        // What follows the last step, whichever it is, cannot be run.
        Pass::Stopped(_, OUTSIDE) => Ok(None),
        Pass::Stopped(stop, _) | Pass::OutOfTime(stop, _) => {
            Err(Error::Diverged(format!("the second one stops before step {step}: {}", stop.reason)))
        }
    }
}

fn captured(guest: &mut SealedGuest, engine: &Engine, stop_at: i64) -> Result<Started> {
    let log = recorded(guest).map_err(|halt| died(guest, EXPORT_HEAP_RECORDED, halt))?;
    let layout = log.map_or(Layout::Unknown, Layout::Recorded);
    if guest.globals() != engine.base().globals {
        return Err(Error::Diverged("a frame of the engine is still alive".to_owned()));
    }
    let memory = guest.memory()?;
    let (effects, guards) = guest
        .host()
        .map(|host| (std::mem::take(&mut host.effects), std::mem::take(&mut host.guards)))
        .unwrap_or_default();
    let assumption = Assumption { guards, patches: Vec::new() };
    Ok(Started { memory, effects, assumption, others: Vec::new(), hot_pages: None, share: None, layout, stop_at })
}

/// The rows that the guest has recorded, which are taken out of its memory; `None` if it has not.
pub(crate) fn recorded<H: Host>(guest: &mut Running<H>) -> std::result::Result<Option<HeapLog>, Halt> {
    if !guest.has(EXPORT_HEAP_RECORDED) {
        return Ok(None);
    }
    let at = pointer(guest.call(EXPORT_HEAP_RECORDED, &[])?);
    let rows = pointer(guest.call(EXPORT_HEAP_ROWS, &[])?);
    let log = rows.checked_mul(ROW_BYTES as u32).filter(|_| at != 0).and_then(|bytes| guest.read(at, bytes));
    Ok(log.and_then(|log| guest.write(at, &vec![0; log.len()]).map(|()| HeapLog(log))))
}
