//! Engine, base image and loader → the stub of a target.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::dist::Guest;
use crate::project::Project;

/// Builds the stub of a target, once per content; its path in the cache.
pub(crate) fn build(_project: &Project, guest: &Guest, triple: &str) -> Result<PathBuf> {
    let (wasm, base) = (guest.wasm.display(), guest.base.display());
    bail!("the stub for {triple} cannot be built yet from {wasm} and {base}")
}
