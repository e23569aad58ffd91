//! Network interfaces, by getifaddrs.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::io::Errno;

const NO_MAC: &str = "00:00:00:00:00:00";

/// The lines of `system_info::INTERFACES`.
pub(crate) fn describe() -> Result<String, Errno> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the pointer to the result is live.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    }
    let text = lines(list);
    // SAFETY: the list came from getifaddrs and is freed once, after the last use.
    unsafe { libc::freeifaddrs(list) };
    Ok(text)
}

struct Row {
    name: String,
    address: IpAddr,
    netmask: IpAddr,
    scope: u32,
    internal: bool,
}

fn lines(mut list: *const libc::ifaddrs) -> String {
    let mut macs: BTreeMap<String, String> = BTreeMap::new();
    let mut rows = Vec::new();
    // SAFETY: null or an element of a list from getifaddrs that is not freed yet.
    while let Some(entry) = unsafe { list.as_ref() } {
        list = entry.ifa_next;
        // SAFETY: getifaddrs gives every element a NUL-terminated name.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
        if let Some(mac) = mac_of(entry) {
            macs.insert(name, mac);
            continue;
        }
        let up = entry.ifa_flags & flag(libc::IFF_UP) != 0 && entry.ifa_flags & flag(libc::IFF_RUNNING) != 0;
        let Some((address, scope)) = address_of(entry.ifa_addr).filter(|_| up) else { continue };
        let netmask = address_of(entry.ifa_netmask).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |(mask, _)| mask);
        let internal = entry.ifa_flags & flag(libc::IFF_LOOPBACK) != 0;
        rows.push(Row { name, address, netmask, scope, internal });
    }
    let mut text = String::new();
    for Row { name, address, netmask, scope, internal } in rows {
        let family = if address.is_ipv4() { 4 } else { 6 };
        let mac = macs.get(&name).map_or(NO_MAC, String::as_str);
        let internal = u8::from(internal);
        text.push_str(&format!("{name}\t{address}\t{netmask}\t{family}\t{mac}\t{internal}\t{scope}\n"));
    }
    text
}

fn flag(flag: i32) -> u32 {
    flag.cast_unsigned()
}

fn family_of(address: *const libc::sockaddr) -> Option<i32> {
    // SAFETY: null or a live sockaddr of the list.
    unsafe { address.as_ref() }.map(|address| address.sa_family.into())
}

fn address_of(address: *const libc::sockaddr) -> Option<(IpAddr, u32)> {
    match family_of(address)? {
        libc::AF_INET => {
            // SAFETY: for this family it is a sockaddr_in.
            let v4 = unsafe { address.cast::<libc::sockaddr_in>().as_ref() }?;
            Some((IpAddr::V4(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr))), 0))
        }
        libc::AF_INET6 => {
            // SAFETY: for this family it is a sockaddr_in6.
            let v6 = unsafe { address.cast::<libc::sockaddr_in6>().as_ref() }?;
            Some((IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)), v6.sin6_scope_id))
        }
        _ => None,
    }
}

fn mac_of(entry: &libc::ifaddrs) -> Option<String> {
    if family_of(entry.ifa_addr)? != libc::AF_PACKET {
        return None;
    }
    // SAFETY: for this family it is a sockaddr_ll.
    let link = unsafe { entry.ifa_addr.cast::<libc::sockaddr_ll>().as_ref() }?;
    let octets: Vec<String> = link.sll_addr.iter().take(6).map(|octet| format!("{octet:02x}")).collect();
    Some(octets.join(":"))
}
