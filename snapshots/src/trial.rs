//! Started image → what a boot touches of it: it goes on in a world that is made up, up to the answer to its first
//! request.
//!
//! Nothing the program does there has an effect, and all it is told is the same at every build, so that the same app
//! has the same pages. How well the made-up world fits decides how fast the app boots, never what it does.

use std::collections::BTreeMap;
use std::time::Duration;

use edgepack_format::guest::EXPORT_RUN;
use edgepack_format::host_calls::{ADDRESS_BYTES, HostCall, Sealed, ready, system_info};
use edgepack_format::policy::Grants;
use edgepack_format::targets::Target;

use crate::Result;
use crate::engine::Engine;
use crate::frozen::{MONOTONIC_NS, REALTIME_NS};
use crate::machine::{Answer, Guest, Halt, Host};
use crate::requests::{pointer, refused};
use crate::sealed::{Sealing, bytes_at, constant_by_grants, fill, refusal};
use crate::survey::{Noted, Survey};
use crate::touches::Touches;

/// How long a trial may run: a boot that takes longer does not wait for its pages.
pub(crate) const TRIAL_BUDGET: Duration = Duration::from_secs(5);

/// How often the program may wait for something, and how many calls it may make: far more than a boot needs.
const WAITS_MAX: u32 = 64;
const CALLS_MAX: u32 = 100_000;

/// Timers that are due within this time belong to the boot.
const TIMER_NS_MAX: i64 = 1_000_000_000;

/// What going on from a started image touches of it; `None` if this machine cannot tell, or it takes too long.
pub(crate) fn trial(engine: &Engine, memory: &[u8], sealing: Sealing<'_>) -> Result<Option<Touches>> {
    let Some(mut guest) = engine.start_watched(memory, TrialHost::new(sealing))? else { return Ok(None) };
    let end = guest.call_within(TRIAL_BUDGET, EXPORT_RUN, &[]);
    // How far it came in that time differs from build to build. Every other end is as good as any.
    if end == Err(Halt::OutOfTime) { Ok(None) } else { guest.touches(memory.len()).map(Some) }
}

/// The made-up world.
pub(crate) struct TrialHost {
    grants: Grants,
    target: Option<&'static Target>,
    calls: u32,
    waits: u32,
    nanoseconds: i64,
    sockets: BTreeMap<i64, Socket>,
    next_handle: i64,
    has_caller: bool,
    /// For a survey: what is asked for, as it is.
    survey: Option<Survey>,
    /// Names that are asked for, still to be told that they are resolved.
    resolving: Vec<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Socket {
    state: State,
    interest: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Listening,
    /// A connection whose request was not read yet.
    Asking,
    Answered,
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

impl TrialHost {
    pub(crate) fn new(sealing: Sealing<'_>) -> TrialHost {
        TrialHost {
            grants: sealing.grants.clone(),
            target: sealing.target,
            calls: 0,
            waits: 0,
            nanoseconds: 0,
            sockets: BTreeMap::new(),
            next_handle: 16,
            has_caller: false,
            survey: None,
            resolving: Vec::new(),
        }
    }

    /// The same, which notes what is asked for up to where the program first waits.
    pub(crate) fn surveying(self, survey: Survey) -> TrialHost {
        TrialHost { survey: Some(survey), ..self }
    }

    /// What was noted.
    pub(crate) fn surveyed(&mut self) -> Option<Survey> {
        self.survey.take()
    }

    fn open(&mut self, state: State) -> i64 {
        self.next_handle += 1;
        self.sockets.insert(self.next_handle, Socket { state, interest: 0 });
        self.next_handle
    }

    fn state(&mut self, args: &[i64]) -> Option<&mut State> {
        self.sockets.get_mut(args.first()?).map(|socket| &mut socket.state)
    }

    /// Each look at a clock is a microsecond after the last.
    fn time(&mut self, start: i64) -> i64 {
        self.nanoseconds += 1000;
        start + self.nanoseconds
    }

    /// The first caller comes when somebody listens; when nothing is left to happen soon, the trial has seen enough.
    fn wait(&mut self, args: &[i64], guest: &mut dyn Guest) -> Option<i64> {
        let [timeout, at, capacity] = *args else { return None };
        self.waits += 1;
        if self.waits > WAITS_MAX {
            return None;
        }
        let mut events: Vec<(i64, u32)> = self.resolving.drain(..).map(|request| (request, ready::RESOLVED)).collect();
        for (handle, socket) in &self.sockets {
            let watches = |bit: u32| socket.interest & i64::from(bit) != 0;
            let can_read = match socket.state {
                State::Listening => !self.has_caller,
                State::Asking => true,
                State::Idle | State::Answered => false,
            };
            let can_write = matches!(socket.state, State::Asking | State::Answered);
            let read = if can_read && watches(ready::READABLE) { ready::READABLE } else { 0 };
            let write = if can_write && watches(ready::WRITABLE) { ready::WRITABLE } else { 0 };
            if read | write != 0 {
                events.push((*handle, read | write));
            }
        }
        events.truncate(usize::try_from(capacity).ok()?);
        if events.is_empty() {
            self.nanoseconds += timeout.max(0);
            return (0..=TIMER_NS_MAX).contains(&timeout).then_some(0);
        }
        let bytes: Vec<u8> = events.iter().flat_map(|event| event_bytes(*event)).collect();
        guest.write(pointer(at), &bytes)?;
        i64::try_from(events.len()).ok()
    }

    fn accept(&mut self, args: &[i64]) -> i64 {
        if self.has_caller || self.state(args) != Some(&mut State::Listening) {
            return EAGAIN;
        }
        self.has_caller = true;
        self.open(State::Asking)
    }

    fn read(&mut self, args: &[i64], guest: &mut dyn Guest) -> Option<i64> {
        let [_, at, capacity] = *args else { return None };
        match self.state(args) {
            Some(state @ State::Asking) => *state = State::Answered,
            _ => return Some(EAGAIN),
        }
        let request = REQUEST.get(..usize::try_from(pointer(capacity)).ok()?).unwrap_or(REQUEST);
        guest.write(pointer(at), request)?;
        i64::try_from(request.len()).ok()
    }

    /// Sockets; `None` ends the trial.
    fn socket_call(&mut self, name: &str, args: &[i64], guest: &mut dyn Guest) -> Option<i64> {
        Some(match name {
            "tcp_open" | "unix_open" => self.open(State::Idle),
            "socket_listen" => {
                if let Some(state) = self.state(args) {
                    *state = State::Listening;
                }
                0
            }
            "socket_accept" => self.accept(args),
            "socket_name" => {
                let length = guest.write(pointer(*args.get(2)?), &LOOPBACK);
                length.map_or(EFAULT, |()| 0)
            }
            "tcp_connect" | "unix_connect" => ECONNREFUSED,
            "watch" => {
                let [handle, interest] = *args else { return None };
                self.sockets.entry(handle).or_default().interest = interest;
                0
            }
            "stream_read" => self.read(args, guest)?,
            "stream_write" => written(args, guest)?,
            "stream_close" => {
                self.sockets.remove(args.first()?);
                0
            }
            "resolve" => {
                self.next_handle += 1;
                self.resolving.push(self.next_handle);
                self.next_handle
            }
            "resolve_result" => fill(args.get(1..)?, &LOOPBACK, guest),
            "tcp_bind" | "unix_bind" | "stream_shutdown" | "socket_error" | "socket_option" => 0,
            _ => ENOSYS,
        })
    }

    /// The machine and the process; `None` ends the trial.
    fn process_call(&mut self, name: &str, args: &[i64], guest: &mut dyn Guest) -> Option<i64> {
        let zeros = |count: usize, guest: &mut dyn Guest| {
            let at = args.first().copied().unwrap_or_default();
            guest.write(pointer(at), &vec![0; count * 8]).map_or(EFAULT, |()| 0)
        };
        Some(match name {
            "program_exit" | "program_panic" => return None,
            "program_args" => fill(args, b"/app/app\0", guest),
            "env_get" => ENOENT,
            "cwd_get" | "timezone_name" => fill(args, if name == "cwd_get" { b"/" } else { b"UTC" }, guest),
            "process_id" => 1,
            "resource_usage" => zeros(16, guest),
            "memory_usage" => zeros(4, guest),
            "system_info" => match i32::try_from(*args.first()?) {
                Ok(system_info::HOSTNAME) => fill(args.get(1..)?, b"localhost", guest),
                Ok(system_info::PARALLELISM) => fill(args.get(1..)?, b"1", guest),
                _ => ENOSYS,
            },
            "clock_realtime" => self.time(REALTIME_NS),
            "clock_monotonic" => self.time(MONOTONIC_NS),
            "random_fill" => {
                let bytes = vec![0x5a; usize::try_from(pointer(*args.get(1)?)).ok()?];
                guest.write(pointer(*args.first()?), &bytes).map_or(EFAULT, |()| 0)
            }
            "wait" => self.wait(args, guest)?,
            "env_names" | "user_id" | "umask" | "cwd_set" | "timezone_offset" | "tty_mode" => 0,
            "tty_size" => ENOTTY,
            _ if name.starts_with("file_") || name.starts_with("path_") => ENOENT,
            _ => return self.socket_call(name, args, guest),
        })
    }
}

impl Host for TrialHost {
    fn answer(&mut self, row: &'static HostCall, args: &[i64], guest: &mut dyn Guest) -> Answer {
        self.calls += 1;
        if self.calls > CALLS_MAX {
            return Answer::Stop;
        }
        if let Some(capability) = refused(row, args, &self.grants, guest) {
            return Answer::Result(refusal(capability));
        }
        if let Some(result) = constant_by_grants(row, args, &self.grants, guest) {
            return Answer::Result(result);
        }
        if let Some(survey) = &mut self.survey
            && row.sealed == Sealed::Barrier
            && survey.note(row, args, guest) == Noted::StartUpEnded
        {
            return Answer::Stop;
        }
        let result = match row.sealed {
            _ if row.name == "program_panic" => None,
            _ if row.name == "stdio_write" => {
                bytes_at(args, 1, guest).and_then(|bytes| i64::try_from(bytes.len()).ok())
            }
            Sealed::Constant(result) | Sealed::Assumed(result) => Some(result),
            Sealed::Target => self.target.map(|target| target.machine.into()),
            Sealed::Deferred => Some(0),
            Sealed::Barrier => self.process_call(row.name, args, guest),
        };
        result.map_or(Answer::Stop, Answer::Result)
    }
}

const ENOENT: i64 = -2;
const EAGAIN: i64 = -11;
const EFAULT: i64 = -14;
const ENOTTY: i64 = -25;
const ENOSYS: i64 = -38;
const ECONNREFUSED: i64 = -111;

/// 127.0.0.1, port 3000.
const LOOPBACK: [u8; ADDRESS_BYTES] = [4, 0, 0xb8, 0x0b, 0, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn event_bytes((handle, flags): (i64, u32)) -> [u8; 8] {
    let [a, b, c, d] = pointer(handle).to_le_bytes();
    let [e, f, g, h] = flags.to_le_bytes();
    [a, b, c, d, e, f, g, h]
}

/// How much a gathering write has: all of it is taken.
fn written(args: &[i64], guest: &mut dyn Guest) -> Option<i64> {
    let [_, vectors, count] = *args else { return None };
    let vectors = guest.read(pointer(vectors), pointer(count).checked_mul(8)?)?;
    let lengths = vectors.chunks_exact(8).filter_map(|vector| vector[4..].first_chunk());
    Some(lengths.map(|length| i64::from(u32::from_le_bytes(*length))).sum())
}
