//! A host call and its arguments → what it asks for: whether the grants surely refuse it, and its argument as text.

use edgepack_format::host_calls::{HostCall, Needs, system_info};
use edgepack_format::policy::{Grants, Request, Scope};

use crate::machine::Guest;

/// The capability that surely refuses this call at boot too; `None` if it is granted, needs nothing, or if only boot
/// can tell: in doubt the call is a barrier, which is always right.
pub(crate) fn refused(row: &HostCall, args: &[i64], grants: &Grants, guest: &mut dyn Guest) -> Option<Needs> {
    let refuses = match row.needs {
        Needs::Nothing => false,
        // Signals to oneself need no grant, and only boot knows the own number.
        Needs::Run => row.name != "kill" && grants.run == Scope::None,
        // Addresses and names meet only when names are resolved.
        Needs::Net => grants.net == Scope::None,
        Needs::Env => !text(args, 0, guest).is_some_and(|name| grants.allow(Request::Env(&name))),
        Needs::Sys => !system_name(row, args).is_some_and(|name| grants.allow(Request::Sys(name))),
        Needs::Read => !path(row, args, guest).is_some_and(|path| grants.allow(Request::Read(&path))),
        Needs::Write => !path(row, args, guest).is_some_and(|path| grants.allow(Request::Write(&path))),
        Needs::Open => return refused_open(args, grants, guest),
    };
    refuses.then_some(row.needs)
}

/// `O_ACCMODE` and its values, as on every Linux.
const ACCESS_MODE: i64 = 3;
const WRITE_ONLY: i64 = 1;

fn refused_open(args: &[i64], grants: &Grants, guest: &mut dyn Guest) -> Option<Needs> {
    let Some(path) = text(args, 0, guest).map(|path| normalise(&path)) else { return Some(Needs::Read) };
    let mode = args.get(2).copied().unwrap_or_default() & ACCESS_MODE;
    if mode != WRITE_ONLY && !grants.allow(Request::Read(&path)) {
        Some(Needs::Read)
    } else if mode != 0 && !grants.allow(Request::Write(&path)) {
        Some(Needs::Write)
    } else {
        None
    }
}

/// The call's own argument for messages: a variable's name, a path, a host name.
pub(crate) fn argument(row: &HostCall, args: &[i64], guest: &mut dyn Guest) -> String {
    let text = match row.needs {
        Needs::Env => text(args, 0, guest),
        Needs::Read | Needs::Write | Needs::Open => path(row, args, guest),
        Needs::Net if row.name == "resolve" => text(args, 0, guest),
        Needs::Sys => system_name(row, args).map(str::to_owned),
        _ => None,
    };
    text.unwrap_or_default()
}

fn system_name(row: &HostCall, args: &[i64]) -> Option<&'static str> {
    let kind = args.first().copied().unwrap_or_default();
    match row.name {
        "system_info" => system_info::NAMES.get(usize::try_from(kind).ok()?).copied(),
        "user_id" if kind >= 2 => Some("gid"),
        "user_id" => Some("uid"),
        other => Some(other),
    }
}

/// The path that decides: `unix_*` calls have a handle before it, `path_symlink` has the link after its text.
fn path(row: &HostCall, args: &[i64], guest: &mut dyn Guest) -> Option<String> {
    let at = match row.name {
        "unix_bind" | "unix_connect" => 1,
        "path_symlink" => 2,
        _ => 0,
    };
    text(args, at, guest).map(|path| normalise(&path))
}

fn text(args: &[i64], at: usize, guest: &mut dyn Guest) -> Option<String> {
    let bytes = guest.read(pointer(*args.get(at)?), pointer(*args.get(at + 1)?))?;
    String::from_utf8(bytes).ok()
}

/// A pointer or length from its sign-extended `i32`.
pub(crate) fn pointer(arg: i64) -> u32 {
    let [a, b, c, d, ..] = arg.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Resolves `.` and `..` by name alone.
fn normalise(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
