//! Engine bytes → base image: Node's library, started once, before any app.

use edgepack_format::container::Effect;
use edgepack_format::guest::{
    EXPORT_ALLOC, EXPORT_BOOTSTRAP, EXPORT_HEAP_PLACE, EXPORT_HEAP_PLACED, EXPORT_HEAP_RECORD, EXPORT_HEAP_RECORDED,
};
use edgepack_format::host_calls::{HostCall, Sealed};
use edgepack_format::policy::Grants;

use crate::frozen::{Frozen, MONOTONIC_NS, REALTIME_NS};
use crate::machine::{Answer, Guest, Halt, Host};
use crate::requests::pointer;
use crate::sealed::{SealedHost, Sealing, backtrace};
use crate::snapshot::BaseImage;
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

/// The same, and the rows of all allocations and frees from the first one of `edge_bootstrap` on.
///
/// # Errors
/// As `bootstrap`.
pub fn bootstrap_recorded(engine_wasm: &[u8], library: &[u8]) -> Result<(BaseImage, Vec<u8>)> {
    let mut guest = initialized(engine_wasm)?;
    let rows = given(&mut guest, &vec![0; ROWS_MAX * ROW_BYTES])?;
    let rows_max = i64::try_from(ROWS_MAX).unwrap_or(i64::MAX);
    let input = given(&mut guest, library)?;
    called(&mut guest, EXPORT_HEAP_RECORD, &[rows, rows_max])?;
    run_bootstrap(&mut guest, input, library.len())?;
    let count = usize::try_from(called(&mut guest, EXPORT_HEAP_RECORDED, &[])?).unwrap_or(usize::MAX);
    let log = count.checked_mul(ROW_BYTES).filter(|_| count <= ROWS_MAX);
    let log = log.and_then(|bytes| guest.read(pointer(rows), u32::try_from(bytes).ok()?));
    let log =
        log.ok_or_else(|| Error::Load(format!("{count} allocations and frees are more than there is room for")))?;
    // The image is for watching programs: the rows themselves are none of their business.
    guest.write(pointer(rows), &vec![0; log.len()]).ok_or(Error::Load("the rows are gone".to_owned()))?;
    Ok((image(&mut guest, engine_wasm)?, log))
}

/// The same as `bootstrap`, with blocks placed by a plan (`edgepack_format::guest::heap_plan`).
///
/// # Errors
/// As `bootstrap`.
pub fn bootstrap_placed(engine_wasm: &[u8], library: &[u8], plan: &[u8]) -> Result<BaseImage> {
    let mut guest = initialized(engine_wasm)?;
    let planned = plan.first_chunk::<4>().and_then(|count| usize::try_from(u32::from_le_bytes(*count)).ok());
    let plan = given(&mut guest, plan)?;
    let input = given(&mut guest, library)?;
    called(&mut guest, EXPORT_HEAP_PLACE, &[plan])?;
    run_bootstrap(&mut guest, input, library.len())?;
    let allocations = called(&mut guest, EXPORT_HEAP_PLACED, &[])?;
    if usize::try_from(allocations).ok() != planned {
        return Err(Error::Diverged(format!("{allocations} allocations where the plan has {planned:?}")));
    }
    image(&mut guest, engine_wasm)
}

/// Node's library is started with a fifth of these.
const ROWS_MAX: usize = 1 << 24;
const ROW_BYTES: usize = 8;

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
