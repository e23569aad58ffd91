//! The targets an executable can be made for.

/// One target triple and the facts that stages need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The Rust target triple, as users write it.
    pub triple: &'static str,
    /// What `process.arch` says there.
    pub node_arch: &'static str,
}

/// Every target this release has a stub for.
pub const TARGETS: &[Target] = &[Target { triple: "x86_64-unknown-linux-musl", node_arch: "x64" }];

/// The target of that triple, if there is a stub for it.
#[must_use]
pub fn find(triple: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.triple == triple)
}
