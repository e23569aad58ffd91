//! `tcp_wrap`: TCP sockets.

use core::net::IpAddr;

use super::stream_wrap::{number, status};
use super::uv::note_refusal;
use super::{Binding, Exports};
use crate::host::sockets::{self, Address, End};
use crate::host::{Answer, Failure};
use crate::js::{Array, Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "tcp_wrap", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("open", 1, |call| number(call, sockets::tcp_open(call.i32(0))))?;
    exports.helper("bind", 4, bind)?;
    exports.helper("connect", 3, connect)?;
    exports.helper("error", 1, |call| status(call, sockets::error(call.i32(0))))?;
    exports.helper("listen", 2, |call| status(call, sockets::listen(call.i32(0), call.i32(1))))?;
    exports.helper("accept", 1, |call| number(call, sockets::accept(call.i32(0))))?;
    exports.helper("name", 2, name)?;
    exports.helper("setNoDelay", 2, |call| status(call, sockets::set_no_delay(call.i32(0), call.i32(1))))?;
    exports.helper("setKeepAlive", 2, |call| status(call, sockets::set_keep_alive(call.i32(0), call.i32(1))))
}

/// The address at arguments `index` (text) and `index + 1` (port). A scope is a number behind `%`.
fn address(call: &Call<'_, '_>, index: usize) -> Result<Answer<Address>> {
    let text = call.string(index)?;
    let (ip, scope) = text.split_once('%').unwrap_or((&text, "0"));
    let Ok(ip) = ip.parse::<IpAddr>() else { return Ok(Err(Failure::INVAL)) };
    let port = u16::try_from(call.i32(index + 1)).unwrap_or(0);
    Ok(Ok(Address { ip, port, scope: scope.parse().unwrap_or(0) }))
}

fn shown(address: &Address) -> String {
    match address.ip {
        IpAddr::V4(ip) => format!("{ip}:{}", address.port),
        IpAddr::V6(ip) => format!("[{ip}]:{}", address.port),
    }
}

/// (handle, address, port, flags)
fn bind<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bound = address(call, 1)?
        .and_then(|address| note_refusal(sockets::tcp_bind(call.i32(0), &address, call.i32(3)), || shown(&address)));
    status(call, bound)
}

/// (handle, address, port)
fn connect<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let connected = address(call, 1)?
        .and_then(|address| note_refusal(sockets::tcp_connect(call.i32(0), &address), || shown(&address)));
    status(call, connected)
}

/// (handle, 0 own or 1 peer): address, family and port, or an error number.
fn name<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let end = if call.i32(1) == 0 { End::Own } else { End::Peer };
    let address = match sockets::name(call.i32(0), end) {
        Ok(Some(address)) => address,
        Ok(None) => return call.ret(Failure::INVAL.number()),
        Err(failure) => return call.ret(failure.number()),
    };
    let parts = Array::new(call.ctx.clone())?;
    let ip = address.ip.to_string();
    parts.set(0, if address.scope == 0 { ip } else { format!("{ip}%{}", address.scope) })?;
    parts.set(1, if address.ip.is_ipv4() { "IPv4" } else { "IPv6" })?;
    parts.set(2, address.port)?;
    call.ret(parts)
}
