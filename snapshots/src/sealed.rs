//! The host of a sealed run: every host call → refused, constant, deferred, assumed or the end of the run.

use std::collections::BTreeSet;

use edgepack_format::container::{Effect, Guard};
use edgepack_format::guest::{APP_ROOT, EXPORT_BACKTRACE, EXPORT_STEPS};
use edgepack_format::host_calls::{HostCall, Sealed, find};
use edgepack_format::policy::{Capability, Grants, Scope};
use edgepack_format::targets::Target;

use crate::frozen::Frozen;
use crate::machine::{Answer, Guest, Host};
use crate::reasons::reason;
use crate::requests::{argument, pointer, refused};
use crate::snapshot::{Position, Stop};
use crate::terminals::{Terminals, kind};

/// What is known at build time of the world that the app will run in.
#[derive(Clone, Copy)]
pub struct Sealing<'a> {
    /// What the app may do.
    pub grants: &'a Grants,
    /// Which reads of the clock are answered all the same.
    pub frozen: &'a Frozen,
    /// The machine, if it is decided.
    pub target: Option<&'static Target>,
}

/// What a sealed run has recorded so far.
pub(crate) struct SealedHost {
    grants: Grants,
    frozen: Frozen,
    target: Option<&'static Target>,
    /// Effects, in order.
    pub(crate) effects: Vec<Effect>,
    /// Assumptions, each once.
    pub(crate) guards: Vec<Guard>,
    /// What the standard streams are said to be.
    terminals: Terminals,
    /// Variables that were asked for and found unset, as they are not granted.
    pub(crate) unset: BTreeSet<String>,
    /// Why the run was stopped, and in which step.
    pub(crate) stopped: Option<(Stop, i64)>,
    /// The engine's own last words.
    pub(crate) panicked: Option<String>,
}

impl SealedHost {
    pub(crate) fn new(sealing: Sealing<'_>) -> SealedHost {
        let (grants, frozen) = (sealing.grants.clone(), sealing.frozen.clone());
        SealedHost {
            grants,
            frozen,
            target: sealing.target,
            effects: Vec::new(),
            guards: Vec::new(),
            terminals: [false; 3],
            unset: BTreeSet::new(),
            stopped: None,
            panicked: None,
        }
    }

    /// The same with streams that are terminals.
    pub(crate) fn at(self, terminals: Terminals) -> SealedHost {
        SealedHost { terminals, ..self }
    }
}

impl SealedHost {
    fn assume(&mut self, row: &HostCall, args: Vec<i64>, result: i64) -> Answer {
        let guard = Guard { call: row.name.to_owned(), args, result };
        if !self.guards.contains(&guard) {
            self.guards.push(guard);
        }
        Answer::Result(result)
    }

    /// Ends the run, unless this read may be frozen.
    fn bar(&mut self, row: &'static HostCall, args: &[i64], guest: &mut dyn Guest) -> Answer {
        let why = reason(row.name, &argument(row, args, guest));
        let stop = stop(row.name, why, guest);
        if let Some(answer) = self.frozen.answer(&stop) {
            return Answer::Result(answer);
        }
        self.stopped = Some((stop, running_step(guest)));
        Answer::Stop
    }

    /// Libraries list the environment at module scope (`debug` does). Where every variable is granted by its whole
    /// name, all of them are assumed to be set: at boot the list is just as long only if they are.
    fn assume_all_set(&mut self, row: &HostCall, args: &[i64], guest: &mut dyn Guest) -> Option<i64> {
        let Scope::Some(names) = &self.grants.env else { return None };
        if row.name != "env_names" || names.iter().any(|name| name.contains('*')) {
            return None;
        }
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let list: String = names.iter().flat_map(|name| [*name, "\0"]).collect();
        let length = fill(args, list.as_bytes(), guest);
        // No buffer: the guard asks for the length alone.
        self.assume(row, vec![0, 0], length);
        Some(length)
    }
}

/// Whether one of these answers was the target's.
pub(crate) fn reads_target(guards: &[Guard]) -> bool {
    guards.iter().any(|guard| find(&guard.call).is_some_and(|row| row.sealed == Sealed::Target))
}

impl Host for SealedHost {
    fn answer(&mut self, row: &'static HostCall, args: &[i64], guest: &mut dyn Guest) -> Answer {
        if row.name == "program_panic" {
            self.panicked = Some(bytes_at(args, 0, guest).map_or_else(String::new, lossy));
            return Answer::Stop;
        }
        if let Some(capability) = refused(row, args, &self.grants, guest) {
            if row.name == "env_get" {
                self.unset.insert(argument(row, args, guest));
            }
            return Answer::Result(refusal(capability));
        }
        if let Some(result) = constant_by_grants(row, args, &self.grants, guest) {
            return Answer::Result(result);
        }
        if let Some(result) = self.assume_all_set(row, args, guest) {
            return Answer::Result(result);
        }
        match row.sealed {
            Sealed::Constant(result) => Answer::Result(result),
            Sealed::Assumed(_) if row.name == "stdio_kind" => {
                self.assume(row, args.to_vec(), kind(self.terminals, args.first()))
            }
            Sealed::Assumed(result) => self.assume(row, args.to_vec(), result),
            Sealed::Target => match self.target {
                Some(target) => self.assume(row, args.to_vec(), target.machine.into()),
                None => self.bar(row, args, guest),
            },
            Sealed::Deferred => match defer(row, args, guest) {
                Some((effect, result)) => {
                    self.effects.push(effect);
                    Answer::Result(result)
                }
                None => Answer::Result(EFAULT),
            },
            Sealed::Barrier => self.bar(row, args, guest),
        }
    }
}

const ENOENT: i64 = -2;
const EFAULT: i64 = -14;

/// The one answer that a refused call has, at build and at boot.
pub(crate) fn refusal(capability: Capability) -> i64 {
    if capability == Capability::Env { ENOENT } else { i64::from(capability.denied()) }
}

/// The calls whose answer the grants alone decide.
pub(crate) fn constant_by_grants(row: &HostCall, args: &[i64], grants: &Grants, guest: &mut dyn Guest) -> Option<i64> {
    match row.name {
        "env_names" if grants.env == Scope::None => Some(0),
        "cwd_get" if grants.read != Scope::All => Some(fill(args, APP_ROOT.as_bytes(), guest)),
        _ => None,
    }
}

/// Answers a `(buf, cap)` call: the whole length, written only if it fits.
pub(crate) fn fill(args: &[i64], answer: &[u8], guest: &mut dyn Guest) -> i64 {
    let (Some(&buffer), Some(&capacity)) = (args.first(), args.get(1)) else { return EFAULT };
    let length = i64::try_from(answer.len()).unwrap_or(i64::MAX);
    if length <= i64::from(pointer(capacity)) && guest.write(pointer(buffer), answer).is_none() {
        return EFAULT;
    }
    length
}

/// The record of an effect, and the answer it gets at build.
fn defer(row: &HostCall, args: &[i64], guest: &mut dyn Guest) -> Option<(Effect, i64)> {
    if row.name != "stdio_write" {
        return Some((Effect::Call { name: row.name.to_owned(), args: args.to_vec() }, 0));
    }
    let bytes = bytes_at(args, 1, guest)?;
    let length = i64::try_from(bytes.len()).ok()?;
    Some((Effect::Write { handle: i32::try_from(*args.first()?).ok()?, bytes }, length))
}

pub(crate) fn bytes_at(args: &[i64], at: usize, guest: &mut dyn Guest) -> Option<Vec<u8>> {
    guest.read(pointer(*args.get(at)?), pointer(*args.get(at + 1)?))
}

/// Asks the guest where it is.
pub(crate) fn stop(call: &str, reason: String, guest: &mut dyn Guest) -> Stop {
    let backtrace = backtrace(guest);
    Stop { call: call.to_owned(), reason, positions: positions(&backtrace), backtrace }
}

/// The number of the step that is running; below zero if none is, or if the guest cannot tell.
pub(crate) fn running_step(guest: &mut dyn Guest) -> i64 {
    guest.call(EXPORT_STEPS, &[]).unwrap_or(-1)
}

/// Where the guest may write its stack: the last bytes of memory would be the heap's, so it gets memory of its own.
const BACKTRACE_BYTES: u32 = 16 << 10;

/// The guest's JS stack, empty if it has none.
pub(crate) fn backtrace(guest: &mut dyn Guest) -> String {
    let capacity = i64::from(BACKTRACE_BYTES);
    let Ok(buffer) = guest.call(edgepack_format::guest::EXPORT_ALLOC, &[capacity]) else { return String::new() };
    let Ok(length) = guest.call(EXPORT_BACKTRACE, &[buffer, capacity]) else { return String::new() };
    let length = u32::try_from(length).unwrap_or(0).min(BACKTRACE_BYTES);
    guest.read(pointer(buffer), length).map_or_else(String::new, lossy)
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The places of all frames that are neither Node's library nor the engine's own scripts, innermost first:
/// `at name (/app/main.js:12:5)`.
fn positions(backtrace: &str) -> Vec<Position> {
    let position = |line: &str| {
        let mut parts = line.trim().trim_end_matches(')').rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        Some(Position { line, column })
    };
    backtrace
        .lines()
        .filter(|line| !line.contains("node:") && !line.contains("edgepack:"))
        .filter_map(position)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_nodes_library_have_no_position() {
        let text = "    at get (node:internal/process:10:3)\n    at <anonymous> (/app/main.js:12:5)\n    at x (/app/main.js:1:1)\n";
        assert_eq!(positions(text), [Position { line: 12, column: 5 }, Position { line: 1, column: 1 }]);
        assert_eq!(positions(""), []);
    }
}
