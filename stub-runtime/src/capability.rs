//! The one place where a call's capability is checked. What it returns is the only way to reach the resource.

use std::net::{IpAddr, SocketAddr};

use edgepack_format::policy::{Capability, GrantedBy, Request};
use rustix::io::Errno;

use crate::host::{Host, Refusal, View};
use crate::paths::{self, Place};

/// What a path is opened, changed or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    ReadWrite,
}

/// An address that may be bound or connected to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrantedAddress(SocketAddr);

impl GrantedAddress {
    pub(crate) fn get(self) -> SocketAddr {
        self.0
    }
}

/// A name that may be resolved.
#[derive(Debug)]
pub(crate) struct GrantedName(String);

impl GrantedName {
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl Host {
    /// Refuses what the manifest does not grant.
    pub(crate) fn require(&self, request: Request<'_>) -> Result<(), Refusal> {
        if self.grants.allow(request) { Ok(()) } else { Err(Refusal::Denied(request.capability())) }
    }

    /// Checks a guest path; the place can be reached no other way.
    pub(crate) fn place(&self, path: &str, access: Access) -> Result<Place, Refusal> {
        if !path.starts_with('/') || path.contains('\0') {
            return Err(Refusal::Errno(Errno::INVAL));
        }
        let given = path;
        let path = paths::normalise(given);
        let granted = |request: Request<'_>| {
            let by = self.grants.granted_by(request).ok_or(Refusal::Denied(request.capability()))?;
            Ok::<Option<String>, Refusal>(match by {
                GrantedBy::Everything => None,
                GrantedBy::Entry(entry) => Some(entry.to_owned()),
            })
        };
        let root = match access {
            Access::Read => granted(Request::Read(&path))?,
            Access::Write => granted(Request::Write(&path))?,
            // Both entries are above the path, so the longer one lies within the other: nothing reached from it is
            // outside either.
            Access::ReadWrite => {
                let (read, write) = (granted(Request::Read(&path))?, granted(Request::Write(&path))?);
                read.into_iter().chain(write).max_by_key(String::len)
            }
        };
        let capability = if access == Access::Read { Capability::Read } else { Capability::Write };
        // In the machine's view `..` after a link means what the kernel says.
        let path = if root.is_none() && self.view == View::Machine { given.to_owned() } else { path };
        Ok(Place::new(self, path, root, capability))
    }

    /// Checks a socket address, by its number and by the granted names that were resolved to it.
    pub(crate) fn address(&self, address: SocketAddr) -> Result<GrantedAddress, Refusal> {
        let ip = canonical(address.ip());
        let by_number = self.grants.allow(Request::Net(&ip.to_string(), address.port()));
        let names = self.resolved_names.get(&ip).map(Vec::as_slice).unwrap_or_default();
        let by_name = || names.iter().any(|name| self.grants.allow(Request::Net(name, address.port())));
        if by_number || by_name() { Ok(GrantedAddress(address)) } else { Err(Refusal::Denied(Capability::Net)) }
    }

    /// Checks a host name.
    pub(crate) fn name(&self, name: String) -> Result<GrantedName, Refusal> {
        self.require(Request::Resolve(&name))?;
        Ok(GrantedName(name))
    }
}

/// An IPv4 address written as an IPv6 one is the IPv4 address.
pub(crate) fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}
