//! `internalBinding('http_parser')`: HTTP/1 messages from bytes, with llhttp's observable behaviour.

mod alphabet;
mod body;
mod connection;
mod execute;
mod field;
mod machine;
mod message;
mod method;
#[cfg(test)]
mod recorded;
mod request_line;
mod status_line;
mod url;
mod value;
mod words;

use core::cell::RefCell;
use std::rc::Rc;

use super::{Binding, Exports};
use crate::host::waiting;
use crate::js::{Call, Result, Value, own, owned};
use connection::Connection;
use machine::{Lenient, Machine};
use message::Kind;

/// The binding.
pub(crate) const BINDING: Binding = Binding { name: "http_parser", init };

/// `HTTPParser.REQUEST`; the other one is `RESPONSE`.
const REQUEST: i32 = 1;

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("create", 0, create)?;
    exports.helper("initialize", 5, initialize)?;
    exports.helper("execute", 4, execute::execute)?;
    exports.helper("finish", 3, execute::finish)?;
    exports.helper("pause", 1, pause)?;
    exports.helper("resume", 1, resume)?;
    exports.helper("remove", 1, remove)?;
    exports.helper("isListed", 1, is_listed)?;
    exports.helper("isActive", 1, is_active)?;
    exports.helper("started", 1, started)?;
    exports.helper("expire", 3, expire)
}

fn create<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    own(&call.ctx, RefCell::new(Connection::new()))
}

/// The connection that argument `index` owns.
fn connection(call: &Call<'_, '_>, index: usize) -> Result<Rc<RefCell<Connection>>> {
    match owned(&call.arg(index)) {
        Some(connection) => Ok(connection),
        None => call.type_error("Illegal invocation"),
    }
}

/// `(connection, type, maxHeaderSize, lenientFlags, isWatched)`
fn initialize<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let kind = if call.i32(1) == REQUEST { Kind::Request } else { Kind::Response };
    let machine = Machine::new(kind, Lenient(call.u32(3)));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant")]
    let header_bytes_max = call.f64(2) as u64;
    let started_ns = call.bool(4).then(waiting::monotonic_nanoseconds);
    connection(call, 0)?.borrow_mut().initialize(machine, header_bytes_max, started_ns);
    call.undefined()
}

fn pause<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    connection(call, 0)?.borrow_mut().pause();
    call.undefined()
}

fn resume<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    connection(call, 0)?.borrow_mut().resume();
    call.undefined()
}

fn remove<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    connection(call, 0)?.borrow_mut().leave_list();
    call.undefined()
}

fn is_listed<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(connection(call, 0)?.borrow().is_listed)
}

fn is_active<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(connection(call, 0)?.borrow().is_active)
}

/// Nanoseconds of the monotonic clock, for the order of connections; 0 while idle.
fn started<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(connection(call, 0)?.borrow().started_ns)
}

/// `(connection, headersTimeout, requestTimeout)`, in milliseconds, 0 for none: whether one has passed. If so the
/// connection is not active any more.
fn expire<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let connection = connection(call, 0)?;
    let mut connection = connection.borrow_mut();
    let now_ns = waiting::monotonic_nanoseconds();
    let deadline = |index| match call.u32(index) {
        0 => 0.0,
        timeout_ms => (now_ns - f64::from(timeout_ms) * 1e6).max(0.0),
    };
    let (headers, request) = (deadline(1), deadline(2));
    let is_late = (!connection.has_headers && connection.started_ns < headers) || connection.started_ns < request;
    if is_late {
        connection.is_active = false;
    }
    call.ret(is_late)
}
