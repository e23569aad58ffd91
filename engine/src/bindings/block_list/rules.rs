//! The rules of a block list, newest first.

use std::cmp::Ordering;
use std::fmt;

use super::address::Address;

/// What addresses a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// One.
    Address(Address),
    /// All whose first bits are the network's.
    Subnet {
        /// The network.
        network: Address,
        /// How many bits.
        prefix: u32,
    },
    /// All from the first to the last.
    Range {
        /// The first.
        first: Address,
        /// The last.
        last: Address,
    },
}

impl Rule {
    fn contains(self, address: Address) -> bool {
        match self {
            Rule::Address(own) => own.compare(address) == Some(Ordering::Equal),
            Rule::Subnet { network, prefix } => address.is_in(network, prefix),
            Rule::Range { first, last } => {
                matches!(address.compare(first), Some(Ordering::Greater | Ordering::Equal))
                    && matches!(address.compare(last), Some(Ordering::Less | Ordering::Equal))
            }
        }
    }

    /// Addresses are listed first, then subnets, then ranges.
    fn rank(self) -> u32 {
        match self {
            Rule::Address(_) => 0,
            Rule::Subnet { .. } => 1,
            Rule::Range { .. } => 2,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Address(address) => write!(formatter, "Address: {} {address}", address.family_name()),
            Rule::Subnet { network, prefix } => {
                write!(formatter, "Subnet: {} {network}/{prefix}", network.family_name())
            }
            Rule::Range { first, last } => write!(formatter, "Range: {} {first}-{last}", first.family_name()),
        }
    }
}

/// A list of rules.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule unless it is there.
    pub(super) fn add(&mut self, rule: Rule) {
        if !self.0.contains(&rule) {
            self.0.insert(0, rule);
        }
    }

    pub(super) fn remove(&mut self, rule: Rule) {
        self.0.retain(|own| *own != rule);
    }

    pub(super) fn contain(&self, address: Address) -> bool {
        self.0.iter().any(|rule| rule.contains(address))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        let mut sorted = self.0.clone();
        sorted.sort_by_key(|rule| rule.rank());
        sorted.into_iter().map(|rule| rule.to_string())
    }
}
