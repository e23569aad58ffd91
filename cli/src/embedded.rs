//! The engine, its base image and the stubs, as they were when this command was built.

use std::borrow::Cow;
use std::path::PathBuf;

use edgepack_format::container::Hash;
use edgepack_format::targets::Target;
use edgepack_snapshots::{BaseImage, Engine};

use crate::failure::Failure;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The licences of everything in an executable.
pub(crate) const NOTICE: &str = include_str!("../../NOTICE");

/// The engine, ready to start; compiled once per machine, then loaded from the cache.
pub(crate) fn engine() -> anyhow::Result<Engine> {
    let wasm = present(ENGINE_WASM, "its engine", "cargo xtask engine")?;
    let base = present(BASE_IMAGE, "the engine's base image", "cargo xtask engine")?;
    Ok(Engine::open(wasm, base, &cache_dir())?)
}

/// The memory the engine starts with.
pub(crate) fn base_image() -> anyhow::Result<BaseImage> {
    Ok(BaseImage::decode(present(BASE_IMAGE, "the engine's base image", "cargo xtask engine")?)?)
}

/// What tells this engine from every other, in containers and stubs.
pub(crate) fn engine_hash(base: &BaseImage) -> Hash {
    edgepack_packer::engine_hash(ENGINE_WASM, &base.memory)
}

/// The pages of the engine's base image that stubs map.
pub(crate) fn mapped_pages() -> Vec<u32> {
    MAPPED_PAGES.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
}

/// The stub of a target. This machine's is there as it is, for `run`; the others as what they have besides it.
pub(crate) fn stub(target: &Target) -> anyhow::Result<Cow<'static, [u8]>> {
    let embedded = |target: &Target| {
        let found = STUBS.iter().find(|(triple, _)| *triple == target.triple).map_or(&b""[..], |(_, bytes)| bytes);
        present(found, &format!("the stub for {}", target.triple), "cargo xtask stub")
    };
    if target.triple == WHOLE_STUB {
        return Ok(Cow::Borrowed(embedded(target)?));
    }
    let known = edgepack_format::targets::find(WHOLE_STUB).map(embedded).transpose()?.unwrap_or_default();
    Ok(Cow::Owned(edgepack_packer::expand_stub(embedded(target)?, known)?))
}

fn present(bytes: &'static [u8], what: &str, command: &str) -> Result<&'static [u8], Failure> {
    if bytes.is_empty() {
        let sentence = format!("this edgepack was built without {what}");
        return Err(Failure::new(sentence).hint(format!("run `{command}`, then build edgepack again")));
    }
    Ok(bytes)
}

/// `~/.cache/edgepack`, or where XDG_CACHE_HOME says.
pub(crate) fn cache_dir() -> PathBuf {
    let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    xdg.or_else(home).unwrap_or_else(std::env::temp_dir).join("edgepack")
}
