//! getaddrinfo.

use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::resolve::{Question, Resolution};

/// `resolve` flags.
const ADDRCONFIG: i32 = 1;
const ALL: i32 = 2;
const V4_MAPPED: i32 = 4;

/// libuv's numbers for getaddrinfo's failures.
const UV_EAI_AGAIN: i32 = -3001;
const UV_EAI_BADFLAGS: i32 = -3002;
const UV_EAI_FAIL: i32 = -3004;
const UV_EAI_FAMILY: i32 = -3005;
const UV_EAI_MEMORY: i32 = -3006;
const UV_EAI_NODATA: i32 = -3007;
const UV_EAI_NONAME: i32 = -3008;

/// Asks the C library; waits for it.
pub(crate) fn resolve(question: &Question) -> Resolution {
    let name = CString::new(question.name.as_str()).map_err(|_| UV_EAI_NONAME)?;
    let hints = libc::addrinfo {
        ai_flags: flags(question.flags),
        ai_family: match question.family {
            4 => libc::AF_INET,
            6 => libc::AF_INET6,
            _ => libc::AF_UNSPEC,
        },
        ai_socktype: libc::SOCK_STREAM,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: std::ptr::null_mut(),
        ai_canonname: std::ptr::null_mut(),
        ai_next: std::ptr::null_mut(),
    };
    let mut list = std::ptr::null_mut();
    // SAFETY: the name is NUL-terminated, hints and the result pointer are live, a null service is allowed.
    let code = unsafe { libc::getaddrinfo(name.as_ptr(), std::ptr::null(), &raw const hints, &raw mut list) };
    if code != 0 {
        return Err(failure(code));
    }
    let addresses = collect(list);
    // SAFETY: the list came from getaddrinfo and is freed once, after the last use.
    unsafe { libc::freeaddrinfo(list) };
    if addresses.is_empty() { Err(UV_EAI_NONAME) } else { Ok(addresses) }
}

fn flags(wanted: i32) -> i32 {
    let pairs = [(ADDRCONFIG, libc::AI_ADDRCONFIG), (ALL, libc::AI_ALL), (V4_MAPPED, libc::AI_V4MAPPED)];
    pairs.into_iter().filter(|(bit, _)| wanted & bit != 0).fold(0, |flags, (_, flag)| flags | flag)
}

fn failure(code: i32) -> i32 {
    match code {
        libc::EAI_AGAIN => UV_EAI_AGAIN,
        libc::EAI_BADFLAGS => UV_EAI_BADFLAGS,
        libc::EAI_FAMILY => UV_EAI_FAMILY,
        libc::EAI_MEMORY => UV_EAI_MEMORY,
        libc::EAI_NODATA => UV_EAI_NODATA,
        libc::EAI_NONAME => UV_EAI_NONAME,
        _ => UV_EAI_FAIL,
    }
}

fn collect(mut list: *const libc::addrinfo) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    // SAFETY: null or an element of a list from getaddrinfo that is not freed yet.
    while let Some(entry) = unsafe { list.as_ref() } {
        if let Some(address) = address_of(entry)
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
        list = entry.ai_next;
    }
    addresses
}

fn address_of(entry: &libc::addrinfo) -> Option<IpAddr> {
    match entry.ai_family {
        libc::AF_INET => {
            // SAFETY: for this family ai_addr is null or points to a sockaddr_in.
            let address = unsafe { entry.ai_addr.cast::<libc::sockaddr_in>().as_ref() }?;
            Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
        }
        libc::AF_INET6 => {
            // SAFETY: for this family ai_addr is null or points to a sockaddr_in6.
            let address = unsafe { entry.ai_addr.cast::<libc::sockaddr_in6>().as_ref() }?;
            Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
        }
        _ => None,
    }
}
