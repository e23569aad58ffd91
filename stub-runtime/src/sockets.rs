//! TCP and unix stream sockets, all non-blocking.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use edgepack_format::host_calls::ADDRESS_BYTES;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, ipproto, sockopt};

use crate::capability::Access;
use crate::handles::Resource;
use crate::host::{Answer, Host, Refusal};
use crate::moments;
use crate::paths::At;

/// `tcp_bind` flags.
const IPV6_ONLY: i32 = 1;
const REUSE_PORT: i32 = 2;

fn open(host: &mut Host, family: AddressFamily) -> Answer {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let protocol = (family != AddressFamily::UNIX).then_some(ipproto::TCP);
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, protocol)?;
    Ok(host.handles.insert(Resource::Socket(socket))?)
}

pub(crate) fn tcp_open(host: &mut Host, family: i32) -> Answer {
    match family {
        4 => open(host, AddressFamily::INET),
        6 => open(host, AddressFamily::INET6),
        _ => Err(Refusal::Errno(Errno::AFNOSUPPORT)),
    }
}

pub(crate) fn tcp_bind(host: &mut Host, handle: i32, address: [u8; ADDRESS_BYTES], flags: i32) -> Answer {
    let address = host.address(decode_address(&address)?)?;
    let socket = host.handles.get(handle)?;
    sockopt::set_socket_reuseaddr(socket, true)?;
    if flags & REUSE_PORT != 0 {
        sockopt::set_socket_reuseport(socket, true)?;
    }
    if address.get().is_ipv6() {
        sockopt::set_ipv6_v6only(socket, flags & IPV6_ONLY != 0)?;
    }
    rustix::net::bind(socket, &address.get())?;
    Ok(0)
}

pub(crate) fn tcp_connect(host: &mut Host, handle: i32, address: [u8; ADDRESS_BYTES]) -> Answer {
    let address = host.address(decode_address(&address)?)?;
    rustix::net::connect(host.handles.get(handle)?, &address.get())?;
    Ok(0)
}

pub(crate) fn unix_open(host: &mut Host) -> Answer {
    open(host, AddressFamily::UNIX)
}

pub(crate) fn unix_bind(host: &mut Host, handle: i32, path: &str) -> Answer {
    let at = host.place(path, Access::Write)?.entry()?;
    rustix::net::bind(host.handles.get(handle)?, &SocketAddrUnix::new(through_proc(&at))?)?;
    Ok(0)
}

pub(crate) fn unix_connect(host: &mut Host, handle: i32, path: &str) -> Answer {
    let at = host.place(path, Access::Write)?.target()?;
    rustix::net::connect(host.handles.get(handle)?, &SocketAddrUnix::new(through_proc(&at))?)?;
    Ok(0)
}

/// There is no bindat: a path that leads through the directory's handle does the same.
fn through_proc(at: &At) -> PathBuf {
    match at.directory().as_raw_fd() {
        directory if directory >= 0 && at.path.is_relative() => {
            PathBuf::from(format!("/proc/self/fd/{directory}")).join(&at.path)
        }
        _ => at.path.clone(),
    }
}

pub(crate) fn listen(host: &mut Host, handle: i32, backlog: i32) -> Answer {
    rustix::net::listen(host.handles.get(handle)?, backlog)?;
    moments::note(&moments::LISTEN);
    Ok(0)
}

pub(crate) fn accept(host: &mut Host, handle: i32) -> Answer {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::accept_with(host.handles.get(handle)?, flags)?;
    Ok(host.handles.insert(Resource::Socket(socket))?)
}

pub(crate) fn error(host: &mut Host, handle: i32) -> Answer {
    sockopt::socket_error(host.handles.get(handle)?)??;
    Ok(0)
}

pub(crate) fn name(host: &mut Host, handle: i32, which: i32, answer: &mut [u8]) -> Answer {
    let socket = host.handles.get(handle)?;
    let name = match which {
        0 => Some(rustix::net::getsockname(socket)?),
        _ => rustix::net::getpeername(socket)?,
    };
    let bytes = name.and_then(|name| SocketAddr::try_from(name).ok()).map(encode_address).unwrap_or_default();
    answer.copy_from_slice(&bytes);
    Ok(0)
}

/// Options: 0 no delay, 1 keep alive after so many seconds; -1 turns off.
pub(crate) fn option(host: &mut Host, handle: i32, option: i32, value: i32) -> Answer {
    let socket = host.handles.get(handle)?;
    match option {
        0 => sockopt::set_tcp_nodelay(socket, value > 0)?,
        1 => {
            sockopt::set_socket_keepalive(socket, value >= 0)?;
            if let Ok(seconds @ 1..) = u64::try_from(value) {
                sockopt::set_tcp_keepidle(socket, Duration::from_secs(seconds))?;
                // libuv's numbers.
                sockopt::set_tcp_keepintvl(socket, Duration::from_secs(1))?;
                sockopt::set_tcp_keepcnt(socket, 10)?;
            }
        }
        _ => return Err(Refusal::Errno(Errno::INVAL)),
    }
    Ok(0)
}

/// An address as the table describes it: family, port, scope, sixteen bytes.
pub(crate) fn encode_address(address: SocketAddr) -> [u8; ADDRESS_BYTES] {
    let (family, scope, ip) = match address {
        SocketAddr::V4(v4) => (4_u16, 0, v4.ip().octets().to_vec()),
        SocketAddr::V6(v6) => (6, v6.scope_id(), v6.ip().octets().to_vec()),
    };
    let mut bytes = [0; ADDRESS_BYTES];
    let fields = family.to_le_bytes().into_iter().chain(address.port().to_le_bytes()).chain(scope.to_le_bytes());
    for (slot, byte) in bytes.iter_mut().zip(fields.chain(ip)) {
        *slot = byte;
    }
    bytes
}

pub(crate) fn decode_address(bytes: &[u8; ADDRESS_BYTES]) -> Result<SocketAddr, Refusal> {
    let [f0, f1, p0, p1, s0, s1, s2, s3, ip @ ..] = *bytes;
    let port = u16::from_le_bytes([p0, p1]);
    match u16::from_le_bytes([f0, f1]) {
        4 => {
            let [a, b, c, d, ..] = ip;
            Ok(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port)))
        }
        6 => {
            let scope = u32::from_le_bytes([s0, s1, s2, s3]);
            Ok(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, scope)))
        }
        _ => Err(Refusal::Errno(Errno::AFNOSUPPORT)),
    }
}

/// An address without a port, for `resolve_result`.
pub(crate) fn encode_ip(ip: IpAddr) -> [u8; ADDRESS_BYTES] {
    encode_address(SocketAddr::new(ip, 0))
}
