//! Engine bytes → base image: Node's library, started once, before any app.

use edgepack_format::container::Effect;
use edgepack_format::guest::{EXPORT_ALLOC, EXPORT_BOOTSTRAP};
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
    let compiled = Compiled::compile(engine_wasm)?;
    let exports = compiled.exports();
    // One base image for all targets.
    let sealing = Sealing { grants: &Grants::default(), frozen: &Frozen::default(), target: None };
    let mut guest = compiled.start(BootstrapHost { sealed: SealedHost::new(sealing), asked: None })?;
    if exports.iter().any(|name| name == INITIALIZE) {
        called(&mut guest, INITIALIZE, &[])?;
    }
    let length = i64::try_from(library.len()).map_err(|_| Error::Load("Node's library is too large".to_owned()))?;
    let at = called(&mut guest, EXPORT_ALLOC, &[length])?;
    guest
        .write(pointer(at), library)
        .ok_or_else(|| Error::Load("Node's library does not fit into the engine's memory".to_owned()))?;
    let status = called(&mut guest, EXPORT_BOOTSTRAP, &[at, length])?;
    if status != 0 {
        let text = backtrace(&mut guest);
        let written = guest.host().map_or_else(String::new, written);
        return Err(Error::Trapped {
            export: EXPORT_BOOTSTRAP,
            message: format!("it answered {status}\n{text}{written}"),
        });
    }
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
