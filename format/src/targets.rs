//! The targets an executable can be made for.

use crate::limits::{Layout, NARROW_LAYOUT, WIDE_LAYOUT};

/// One target triple and the facts that stages need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The Rust target triple, as users write it.
    pub triple: &'static str,
    /// What users may write instead.
    pub short: &'static str,
    /// What `process.arch` says there.
    pub node_arch: &'static str,
    /// ELF's number of its machine, in the header of its executables and as the answer to `target_machine`.
    pub machine: u16,
    /// `std::env::consts::ARCH` of a machine that runs it by itself.
    pub host_arch: &'static str,
    /// How linear memory lies there.
    pub layout: Layout,
    /// Whether edgepack itself is built for it, with this stub inside as it is.
    pub is_host: bool,
}

/// Every target this release has a stub for.
pub const TARGETS: &[Target] = &[
    Target {
        triple: "x86_64-unknown-linux-musl",
        short: "x64",
        node_arch: "x64",
        machine: 62,
        host_arch: "x86_64",
        layout: WIDE_LAYOUT,
        is_host: true,
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        short: "arm64",
        node_arch: "arm64",
        machine: 183,
        host_arch: "aarch64",
        layout: WIDE_LAYOUT,
        is_host: true,
    },
    Target {
        triple: "armv7-unknown-linux-musleabihf",
        short: "armv7",
        node_arch: "arm",
        machine: 40,
        host_arch: "arm",
        layout: NARROW_LAYOUT,
        is_host: false,
    },
];

/// The target of that triple or short name, if there is a stub for it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.triple == name || target.short == name)
}

/// The target of that machine.
#[must_use]
pub fn find_machine(machine: u16) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.machine == machine)
}
