//! A host call and its arguments → what it asks for: whether the grants surely refuse it, and its argument as text.

use edgepack_format::host_calls::{HostCall, Needs, system_info};
use edgepack_format::policy::{Capability, Grants, Request, Scope};

use crate::machine::Guest;

/// The capability that surely refuses this call at boot too; `None` if it is granted, needs nothing, or if only boot
/// can tell: in doubt the call is a barrier, which is always right.
pub(crate) fn refused(row: &HostCall, args: &[i64], grants: &Grants, guest: &mut dyn Guest) -> Option<Capability> {
    let text_at = |at: usize, guest: &mut dyn Guest| text(args, at, guest).unwrap_or_default();
    let refuses = |request: Request<'_>| (!grants.allow(request)).then(|| request.capability());
    match row.needs {
        Needs::Nothing => None,
        // Signals to oneself need no grant, and only boot knows the own number.
        Needs::Run => None,
        // Two paths with a capability each.
        Needs::Write if row.name == "path_copy" => None,
        Needs::Net if row.name == "resolve" => refuses(Request::Resolve(&text_at(0, guest))),
        // Which names an address has is known only after names were resolved.
        Needs::Net => (grants.net == Scope::None).then_some(Capability::Net),
        Needs::Env => refuses(Request::Env(&text_at(0, guest))),
        Needs::Sys => refuses(Request::Sys(system_name(row, args)?)),
        Needs::Read => refuses(Request::Read(&path(row, args, guest))),
        Needs::Write => refuses(Request::Write(&path(row, args, guest))),
        Needs::Open => {
            let path = path(row, args, guest);
            let mode = args.get(2).copied().unwrap_or_default() & ACCESS_MODE;
            let read = (mode != WRITE_ONLY).then(|| refuses(Request::Read(&path))).flatten();
            read.or_else(|| (mode != 0).then(|| refuses(Request::Write(&path))).flatten())
        }
    }
}

/// `O_ACCMODE` and its values, as on every Linux.
const ACCESS_MODE: i64 = 3;
const WRITE_ONLY: i64 = 1;

/// The call's own argument for messages: a variable's name, a path, a host name.
pub(crate) fn argument(row: &HostCall, args: &[i64], guest: &mut dyn Guest) -> String {
    let text = match row.needs {
        Needs::Env => text(args, 0, guest),
        Needs::Read | Needs::Write | Needs::Open => Some(path(row, args, guest)),
        Needs::Net if row.name == "resolve" => text(args, 0, guest),
        Needs::Sys => system_name(row, args).map(str::to_owned),
        _ => None,
    };
    text.unwrap_or_default()
}

fn system_name(row: &HostCall, args: &[i64]) -> Option<&'static str> {
    let kind = usize::try_from(args.first().copied().unwrap_or_default()).ok()?;
    match row.name {
        "system_info" => system_info::NAMES.get(kind).copied(),
        "user_id" => system_info::USER_ID_NAMES.get(kind).copied(),
        "umask" => Some(system_info::UMASK_NAME),
        other => Some(other),
    }
}

/// The path that decides: `unix_*` calls have a handle before it, `path_symlink` has the link after its text.
fn path(row: &HostCall, args: &[i64], guest: &mut dyn Guest) -> String {
    let at = match row.name {
        "unix_bind" | "unix_connect" => 1,
        "path_symlink" => 2,
        _ => 0,
    };
    normalise(&text(args, at, guest).unwrap_or_default())
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
