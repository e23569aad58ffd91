//! Streams and sockets. Nothing here waits: what is not ready fails with EAGAIN.

use edgepack_format::host_calls::ADDRESS_BYTES;

use super::answer::{Answer, count, done, number};
use super::raw;

/// A socket address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    /// The address.
    pub(crate) ip: core::net::IpAddr,
    /// The port.
    pub(crate) port: u16,
    /// The scope of a link-local IPv6 address.
    pub(crate) scope: u32,
}

impl Address {
    fn encode(&self) -> [u8; ADDRESS_BYTES] {
        let (family, ip) = match self.ip {
            core::net::IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                (4_u16, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            core::net::IpAddr::V6(v6) => (6, v6.octets()),
        };
        let mut bytes = [0; ADDRESS_BYTES];
        let fields = family.to_le_bytes().into_iter().chain(self.port.to_le_bytes()).chain(self.scope.to_le_bytes());
        for (slot, byte) in bytes.iter_mut().zip(fields.chain(ip)) {
            *slot = byte;
        }
        bytes
    }

    /// `None` for a family that is neither IPv4 nor IPv6.
    fn decode(bytes: &[u8; ADDRESS_BYTES]) -> Option<Address> {
        let (head, ip) = bytes.split_first_chunk::<8>()?;
        let ip: [u8; 16] = ip.try_into().ok()?;
        let [f0, f1, p0, p1, s0, s1, s2, s3] = *head;
        let ip = match u16::from_le_bytes([f0, f1]) {
            4 => core::net::IpAddr::from([ip[0], ip[1], ip[2], ip[3]]),
            6 => core::net::IpAddr::from(ip),
            _ => return None,
        };
        Some(Address { ip, port: u16::from_le_bytes([p0, p1]), scope: u32::from_le_bytes([s0, s1, s2, s3]) })
    }
}

/// Which end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// This one.
    Own = 0,
    /// The other one.
    Peer = 1,
}

/// Reads what is there; 0 at the end.
pub(crate) fn read(handle: i32, buffer: &mut [u8]) -> Answer<usize> {
    // SAFETY: the buffer is valid for writes of its length.
    count(unsafe { raw::stream_read(handle, buffer.as_mut_ptr(), buffer.len()) })
}

/// Writes what can be written at once of the slices, in order.
pub(crate) fn write(handle: i32, slices: &[&[u8]]) -> Answer<usize> {
    let vectors: Vec<[usize; 2]> =
        slices.iter().map(|slice| [slice.as_ptr().expose_provenance(), slice.len()]).collect();
    // SAFETY: the vectors are pairs of address and length of slices that are valid for reads.
    count(unsafe { raw::stream_write(handle, vectors.as_ptr().cast(), vectors.len()) })
}

pub(crate) fn shutdown(handle: i32) -> Answer<()> {
    // SAFETY: takes a number only.
    done(unsafe { raw::stream_shutdown(handle) })
}

pub(crate) fn close(handle: i32) -> Answer<()> {
    // SAFETY: takes a number only.
    done(unsafe { raw::stream_close(handle) })
}

/// Columns and rows.
pub(crate) fn tty_size(handle: i32) -> Answer<[u32; 2]> {
    let mut size = [0_u32; 2];
    // SAFETY: the buffer holds two numbers.
    done(unsafe { raw::tty_size(handle, size.as_mut_ptr().cast()) })?;
    Ok(size.map(u32::from_le))
}

/// How a terminal treats what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TtyMode {
    /// By lines.
    Normal = 0,
    /// By keys.
    Raw = 1,
}

pub(crate) fn tty_mode(handle: i32, mode: TtyMode) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::tty_mode(handle, mode as i32) })
}

/// `family` 4 or 6.
pub(crate) fn tcp_open(family: i32) -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::tcp_open(family) })
}

/// `flags`: 1 IPv6 only, 2 reuse port.
pub(crate) fn tcp_bind(handle: i32, address: &Address, flags: i32) -> Answer<()> {
    let bytes = address.encode();
    // SAFETY: the address has the bytes that the call reads.
    done(unsafe { raw::tcp_bind(handle, bytes.as_ptr(), flags) })
}

/// EINPROGRESS is a failure here: then the handle becomes writable and `error` has the outcome.
pub(crate) fn tcp_connect(handle: i32, address: &Address) -> Answer<()> {
    let bytes = address.encode();
    // SAFETY: the address has the bytes that the call reads.
    done(unsafe { raw::tcp_connect(handle, bytes.as_ptr()) })
}

pub(crate) fn unix_open() -> Answer<i32> {
    // SAFETY: takes nothing.
    number(unsafe { raw::unix_open() })
}

pub(crate) fn unix_bind(handle: i32, path: &str) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::unix_bind(handle, path.as_ptr(), path.len()) })
}

pub(crate) fn unix_connect(handle: i32, path: &str) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::unix_connect(handle, path.as_ptr(), path.len()) })
}

pub(crate) fn listen(handle: i32, backlog: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::socket_listen(handle, backlog) })
}

pub(crate) fn accept(handle: i32) -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::socket_accept(handle) })
}

/// The outcome of the last connect.
pub(crate) fn error(handle: i32) -> Answer<()> {
    // SAFETY: takes a number only.
    done(unsafe { raw::socket_error(handle) })
}

/// `None` for a socket without an IP address.
pub(crate) fn name(handle: i32, end: End) -> Answer<Option<Address>> {
    let mut bytes = [0; ADDRESS_BYTES];
    // SAFETY: the buffer has the bytes that the call writes.
    done(unsafe { raw::socket_name(handle, end as i32, bytes.as_mut_ptr()) })?;
    Ok(Address::decode(&bytes))
}

pub(crate) fn set_no_delay(handle: i32, value: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::socket_option(handle, 0, value) })
}

/// `delay` in seconds, -1 off.
pub(crate) fn set_keep_alive(handle: i32, delay: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::socket_option(handle, 1, delay) })
}

/// Starts resolving; a request number.
pub(crate) fn resolve(name: &str, family: i32, flags: i32) -> Answer<i32> {
    // SAFETY: the name's bytes are valid for reads.
    number(unsafe { raw::resolve(name.as_ptr(), name.len(), family, flags) })
}

/// What a request has found.
pub(crate) fn resolved(request: i32) -> Answer<Vec<Address>> {
    // SAFETY: the buffer is valid for writes of its length.
    let bytes = super::answer::filled(|buffer, capacity| unsafe { raw::resolve_result(request, buffer, capacity) })?;
    Ok(bytes.as_chunks::<ADDRESS_BYTES>().0.iter().filter_map(Address::decode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_its_encoding() {
        for ip in ["192.0.2.7", "2001:db8::1"] {
            let address = Address { ip: ip.parse().expect("an address"), port: 8080, scope: 3 };
            assert_eq!(Address::decode(&address.encode()), Some(address));
        }
    }
}
