//! An IP address as a number, so that IPv4 and IPv4-mapped IPv6 addresses compare.

use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address of either family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address(IpAddr);

impl Address {
    /// `1.2.3.4`
    pub(super) fn parse_v4(text: &str) -> Option<Address> {
        text.parse::<Ipv4Addr>().ok().map(|address| Address(IpAddr::V4(address)))
    }

    /// `fe80::1`, a `%zone` behind it is ignored.
    pub(super) fn parse_v6(text: &str) -> Option<Address> {
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        text.parse::<Ipv6Addr>().ok().map(|address| Address(IpAddr::V6(address)))
    }

    pub(super) fn is_v6(self) -> bool {
        self.0.is_ipv6()
    }

    /// `IPv4` or `IPv6`
    pub(super) fn family_name(self) -> &'static str {
        if self.is_v6() { "IPv6" } else { "IPv4" }
    }

    /// As a number of 128 bits; IPv4 is mapped into IPv6.
    fn number(self) -> u128 {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        }
    }

    fn is_ipv4_inside(self) -> bool {
        self.number() >> 32 == 0xffff
    }

    /// Nothing if one is IPv4 and the other an IPv6 address that maps no IPv4.
    pub(super) fn compare(self, other: Address) -> Option<Ordering> {
        let is_comparable = self.is_v6() == other.is_v6() || (self.is_ipv4_inside() && other.is_ipv4_inside());
        is_comparable.then(|| self.number().cmp(&other.number()))
    }

    /// Whether the first `prefix` bits are those of `network`.
    pub(super) fn is_in(self, network: Address, prefix: u32) -> bool {
        let bits = if network.is_v6() { prefix } else { prefix + 96 };
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits.min(128)) };
        (self.number() ^ network.number()) & mask == 0
    }
}

impl fmt::Display for Address {
    /// As libuv writes it: an address of the low 32 bits is dotted if it has more than 16.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(address) if (0x1_0000..=u128::from(u32::MAX)).contains(&address.to_bits()) => {
                let [.., a, b, c, d] = address.octets();
                write!(formatter, "::{}", Ipv4Addr::new(a, b, c, d))
            }
            address => address.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Address {
        Address::parse_v4(text).expect("an IPv4 address")
    }

    fn v6(text: &str) -> Address {
        Address::parse_v6(text).expect("an IPv6 address")
    }

    #[test]
    fn mapped_addresses_compare_with_ipv4() {
        assert_eq!(v4("1.2.3.4").compare(v6("::ffff:1.2.3.4")), Some(Ordering::Equal));
        assert_eq!(v4("1.2.3.4").compare(v6("::1")), None);
        assert!(v6("::ffff:192.168.1.3").is_in(v4("192.168.1.77"), 24));
        assert!(!v4("192.168.2.3").is_in(v4("192.168.1.77"), 24));
    }

    #[test]
    fn is_written_as_libuv_writes_it() {
        assert_eq!(v6("::255.255.0.5").to_string(), "::255.255.0.5");
        assert_eq!(v6("::ffff:1.2.3.4").to_string(), "::ffff:1.2.3.4");
        assert_eq!(v6("1:0:0:2:0:0:0:3").to_string(), "1:0:0:2::3");
        assert_eq!(v6("FE80::1%lo").to_string(), "fe80::1");
        assert_eq!(v6("::5").to_string(), "::5");
    }
}
