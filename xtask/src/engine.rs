//! Guest sources → `engine.wasm`.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::project::Project;

/// Builds the engine, once per content; the path of its wasm in the cache.
pub(crate) fn build(_project: &Project) -> Result<PathBuf> {
    bail!("the engine cannot be built yet")
}
