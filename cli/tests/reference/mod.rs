//! The pinned node that the tests compare with.

use std::path::PathBuf;

/// Its binary, where `cargo xtask setup` has put it.
pub(crate) fn node() -> Result<PathBuf, String> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let node = cache.unwrap_or_default().join("edgepack/current/node");
    if node.exists() { Ok(node) } else { Err("there is no node to compare with: run `cargo xtask setup`".to_owned()) }
}
