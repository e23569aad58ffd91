//! Clocks, the time zone and randomness.

use std::path::Path;

use rustix::io::Errno;
use rustix::rand::GetRandomFlags;
use rustix::time::ClockId;

use crate::host::{Answer, Host, Refusal};
use crate::memory::{fill, length};

fn now(clock: ClockId) -> i64 {
    let time = rustix::time::clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

pub(crate) fn realtime(_: &mut Host) -> i64 {
    now(ClockId::Realtime)
}

pub(crate) fn monotonic(_: &mut Host) -> i64 {
    now(ClockId::Monotonic)
}

pub(crate) fn timezone_offset(_: &mut Host, seconds: i64) -> Answer {
    Ok(crate::sys::local_time::offset_seconds(seconds))
}

/// `TZ`, else what /etc/localtime links to, else /etc/timezone.
pub(crate) fn timezone_name(_: &mut Host, buffer: &mut [u8]) -> Answer {
    let from_variable = std::env::var("TZ").ok().map(|zone| zone.trim_start_matches(':').to_owned());
    let name = from_variable.filter(|zone| !zone.is_empty()).or_else(from_link).or_else(from_file);
    fill(buffer, name.as_deref().unwrap_or("UTC").as_bytes())
}

fn from_link() -> Option<String> {
    let link = std::fs::read_link("/etc/localtime").ok()?;
    let text = link.to_str()?;
    text.split_once("zoneinfo/").map(|(_, name)| name.trim_start_matches("posix/").to_owned())
}

fn from_file() -> Option<String> {
    let text = std::fs::read_to_string(Path::new("/etc/timezone")).ok()?;
    let name = text.lines().next()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

pub(crate) fn random_fill(_: &mut Host, buffer: &mut [u8]) -> Answer {
    let mut filled = 0;
    while let Some(left) = buffer.get_mut(filled..).filter(|left| !left.is_empty()) {
        match rustix::rand::getrandom(left, GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Refusal::Errno(errno)),
        }
    }
    length(filled)
}
