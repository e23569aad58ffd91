//! `watch` and `wait`: one level-triggered epoll over streams, signals and finished name resolutions.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};

use edgepack_format::host_calls::{EVENT_BYTES, ready};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::host::{Answer, Host, Refusal};
use crate::memory::length;
use crate::sys::signals;

/// Keys of descriptors that are no handles.
const SIGNALS: u64 = u64::MAX;
const RESOLVER: u64 = u64::MAX - 1;

/// Events taken from the kernel at once.
const BATCH: usize = 256;

/// What is watched.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    epoll: Option<OwnedFd>,
    watched: BTreeMap<i32, Watched>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// By the kernel.
    Polled,
    /// A regular file, which the kernel does not poll because it is always ready.
    Always(u32),
}

impl Readiness {
    fn epoll(&mut self) -> Result<&OwnedFd, Errno> {
        if self.epoll.is_none() {
            self.epoll = Some(epoll::create(CreateFlags::CLOEXEC)?);
        }
        self.epoll.as_ref().ok_or(Errno::BADF)
    }

    /// Watches a descriptor of our own.
    pub(crate) fn watch_resolver(&mut self, notifier: impl AsFd) -> Result<(), Errno> {
        epoll::add(self.epoll()?, notifier, EventData::new_u64(RESOLVER), EventFlags::IN)
    }

    fn watch_signals(&mut self, notifier: impl AsFd) -> Result<(), Errno> {
        match epoll::add(self.epoll()?, notifier, EventData::new_u64(SIGNALS), EventFlags::IN) {
            Err(Errno::EXIST) => Ok(()),
            result => result,
        }
    }
}

pub(crate) fn watch(host: &mut Host, handle: i32, interest: i32) -> Answer {
    let interest = interest.cast_unsigned() & (ready::READABLE | ready::WRITABLE);
    if interest == 0 {
        host.handles.get(handle)?;
        host.forget_readiness(handle);
        return Ok(0);
    }
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest & ready::READABLE != 0);
    flags.set(EventFlags::OUT, interest & ready::WRITABLE != 0);
    let stream = host.handles.get(handle)?;
    let data = EventData::new_u64(handle.cast_unsigned().into());
    let before = host.readiness.watched.get(&handle).copied();
    let epoll = host.readiness.epoll()?;
    let result = match before {
        Some(Watched::Polled) => epoll::modify(epoll, stream, data, flags),
        _ => epoll::add(epoll, stream, data, flags),
    };
    let watched = match result {
        Ok(()) => Watched::Polled,
        Err(Errno::PERM) => Watched::Always(interest),
        Err(errno) => return Err(Refusal::Errno(errno)),
    };
    host.readiness.watched.insert(handle, watched);
    Ok(0)
}

impl Host {
    /// Stops watching a handle, before it is closed or on request.
    pub(crate) fn forget_readiness(&mut self, handle: i32) {
        if let Some(Watched::Polled) = self.readiness.watched.remove(&handle)
            && let Ok(stream) = self.handles.get(handle)
            && let Ok(epoll) = self.readiness.epoll()
        {
            // It was added, so this fails only if the descriptor was closed behind our back: nothing is left to stop.
            let _ = epoll::delete(epoll, stream);
        }
    }
}

pub(crate) fn signal_watch(host: &mut Host, signal: i32, on: i32) -> Answer {
    if on == 0 {
        signals::restore_default(signal)?;
    } else {
        host.readiness.watch_signals(signals::notifier()?)?;
        signals::catch(signal)?;
    }
    Ok(0)
}

/// Waits up to `timeout` nanoseconds (-1: for ever) and writes what happened; the number of events.
pub(crate) fn wait(host: &mut Host, timeout: i64, buffer: &mut [u8]) -> Answer {
    let mut events = Events { slots: buffer.chunks_exact_mut(EVENT_BYTES), count: 0 };
    take_immediate(host, &mut events);
    let timeout = if events.count > 0 { 0 } else { timeout };
    let limit = events.slots.len().min(BATCH);
    if limit == 0 {
        return length(events.count);
    }
    let mut happened = Vec::with_capacity(limit);
    let epoll = host.readiness.epoll()?;
    match epoll::wait(epoll, rustix::buffer::spare_capacity(&mut happened), milliseconds(timeout).as_ref()) {
        // A signal: its event, if it is watched, is reported below.
        Err(Errno::INTR) => {}
        result => {
            result?;
        }
    }
    for event in happened {
        report(host, event, &mut events);
    }
    length(events.count)
}

/// The slots of the guest's buffer that are still free.
struct Events<'a> {
    slots: std::slice::ChunksExactMut<'a, u8>,
    count: usize,
}

impl Events<'_> {
    /// False if there was no room.
    fn push(&mut self, handle: u32, flags: u32) -> bool {
        let Some(slot) = self.slots.next() else { return false };
        for (target, byte) in slot.iter_mut().zip(handle.to_le_bytes().into_iter().chain(flags.to_le_bytes())) {
            *target = byte;
        }
        self.count += 1;
        true
    }
}

fn take_immediate(host: &mut Host, events: &mut Events<'_>) {
    for (handle, watched) in &host.readiness.watched {
        if let Watched::Always(interest) = watched {
            events.push(handle.cast_unsigned(), *interest);
        }
    }
    report_resolved(host, events);
}

fn report_resolved(host: &mut Host, events: &mut Events<'_>) {
    while let Some(request) = host.resolver.next_unreported() {
        if !events.push(request, ready::RESOLVED) {
            host.resolver.report_again(request);
            return;
        }
    }
}

fn report(host: &mut Host, event: Event, events: &mut Events<'_>) {
    let data = event.data;
    match data.u64() {
        SIGNALS => {
            signals::acknowledge();
            while let Some(signal) = signals::take() {
                if !events.push(signal, ready::SIGNAL) {
                    signals::put_back(signal);
                    return;
                }
            }
        }
        RESOLVER => {
            host.resolver.acknowledge();
            report_resolved(host, events);
        }
        handle => {
            if let Ok(handle) = u32::try_from(handle) {
                events.push(handle, ready_flags(event.flags));
            }
        }
    }
}

/// A hang-up or an error also counts as readable and writable: the next call tells which.
fn ready_flags(flags: EventFlags) -> u32 {
    let mut ready = 0;
    let ended = flags.intersects(EventFlags::HUP | EventFlags::ERR);
    if ended {
        ready |= ready::HANGUP;
    }
    if ended || flags.contains(EventFlags::IN) {
        ready |= ready::READABLE;
    }
    if ended || flags.contains(EventFlags::OUT) {
        ready |= ready::WRITABLE;
    }
    ready
}

/// Rounded up to what epoll_wait takes: waking early would make the guest spin.
fn milliseconds(timeout: i64) -> Option<Timespec> {
    const LONGEST: u64 = 0x7fff_ffff;
    let ns = u64::try_from(timeout).ok()?;
    let ms = ns.div_ceil(1_000_000).min(LONGEST);
    let part = i64::try_from(ms % 1000).unwrap_or_default() * 1_000_000;
    Some(Timespec { tv_sec: i64::try_from(ms / 1000).unwrap_or(i64::MAX), tv_nsec: part })
}
