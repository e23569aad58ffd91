//! `cares_wrap`: names to addresses by the host's resolver. Other DNS queries are not supported.

use core::net::{IpAddr, Ipv6Addr};

use super::stream_wrap::number;
use super::uv::note_refusal;
use super::{Binding, Exports};
use crate::host::sockets;
use crate::js::{ArrayBuffer, Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "cares_wrap", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("canonicalizeIP", 1, canonicalize_ip)?;
    exports.helper("ipv6Bytes", 1, ipv6_bytes)?;
    exports.helper("resolve", 3, resolve)?;
    exports.helper("resolved", 1, resolved)
}

fn canonicalize_ip<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match call.string(0)?.parse::<IpAddr>() {
        Ok(ip) => call.ret(ip.to_string()),
        Err(_) => call.undefined(),
    }
}

fn ipv6_bytes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match call.string(0)?.parse::<Ipv6Addr>() {
        Ok(ip) => call.ret(ArrayBuffer::new_copy(call.ctx.clone(), ip.octets())?),
        Err(_) => call.undefined(),
    }
}

/// (name, family, flags of the host call): a request or an error number.
fn resolve<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let name = call.string(0)?;
    number(call, note_refusal(sockets::resolve(&name, call.i32(1), call.i32(2)), || name.clone()))
}

/// (request): addresses as texts, or an error number.
fn resolved<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match sockets::resolved(call.i32(0)) {
        Ok(addresses) => {
            let texts: Vec<String> = addresses.iter().map(|address| address.ip.to_string()).collect();
            call.ret(texts)
        }
        Err(failure) => call.ret(failure.number()),
    }
}
