//! Engine bytes and base image → an engine that is ready to start: compiled once, then loaded from the cache.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use edgepack_format::guest;

use crate::count::count;
use crate::instrument::{VERSION, instrument};
use crate::machine::Host;
use crate::snapshot::BaseImage;
use crate::wasmer::{Compiled, Running, VM};
use crate::{Error, Result};

/// The guest engine, compiled for this machine, and the memory it starts with.
pub struct Engine {
    compiled: Compiled,
    base: BaseImage,
    wasm: Vec<u8>,
    cache_dir: PathBuf,
    /// The same engine instrumented, made when it is first wanted.
    watched: OnceLock<Compiled>,
}

/// What every engine must export besides its memory.
const REQUIRED: &[&str] =
    &[guest::EXPORT_ALLOC, guest::EXPORT_LOAD, guest::EXPORT_START, guest::EXPORT_STEPS, guest::EXPORT_BACKTRACE];

impl Engine {
    /// Opens an engine; its artifact is kept in `cache_dir` under the hash of its content.
    ///
    /// # Errors
    /// If the engine or the base image are not what the contract says, or do not belong together.
    pub fn open(engine_wasm: &[u8], base_image: &[u8], cache_dir: &Path) -> Result<Engine> {
        Engine::with_base(engine_wasm, BaseImage::decode(base_image)?, cache_dir)
    }

    /// `open` with a base image that is no file.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn with_base(engine_wasm: &[u8], base: BaseImage, cache_dir: &Path) -> Result<Engine> {
        if blake3::hash(engine_wasm) != base.engine_hash {
            return Err(Error::OtherEngine);
        }
        let compiled = compile_cached(&format!("{VM}-counted-1"), engine_wasm, cache_dir, |wasm| {
            Compiled::compile(&count(wasm)?)
        })?;
        let exports = compiled.exports();
        match REQUIRED.iter().find(|name| !exports.iter().any(|export| export == *name)) {
            Some(missing) => Err(Error::MissingExport(missing)),
            None => {
                let (wasm, cache_dir) = (engine_wasm.to_vec(), cache_dir.to_owned());
                Ok(Engine { compiled, base, wasm, cache_dir, watched: OnceLock::new() })
            }
        }
    }

    /// The memory an app is laid over.
    #[must_use]
    pub fn base(&self) -> &BaseImage {
        &self.base
    }

    /// A guest as `edge_bootstrap` left it.
    pub(crate) fn start<H: Host>(&self, host: H) -> Result<Running<H>> {
        self.start_from(&self.base.memory, host)
    }

    /// A guest with this memory, captured between two calls.
    pub(crate) fn start_from<H: Host>(&self, memory: &[u8], host: H) -> Result<Running<H>> {
        let mut running = self.compiled.start(host)?;
        running.restore(memory, &self.base.globals)?;
        Ok(running)
    }
}

impl Engine {
    /// A guest with this memory that notes what it touches; `None` if this machine has no room for the notes.
    pub(crate) fn start_watched<H: Host>(&self, memory: &[u8], host: H) -> Result<Option<Running<H>>> {
        let watched = match self.watched.get() {
            Some(watched) => watched,
            None => {
                let name = format!("{VM}-{VERSION}");
                let compile = |wasm: &[u8]| Compiled::compile(&instrument(wasm)?);
                let compiled = compile_cached(&name, &self.wasm, &self.cache_dir, compile)?;
                self.watched.get_or_init(|| compiled)
            }
        };
        let Ok(mut running) = watched.start(host) else { return Ok(None) };
        running.restore(memory, &self.base.globals)?;
        Ok(Some(running))
    }
}

/// An artifact file is the BLAKE3 of the rest, then the rest.
const HASH_BYTES: usize = 32;

fn compile_cached(
    name: &str,
    engine_wasm: &[u8],
    cache_dir: &Path,
    compile: impl FnOnce(&[u8]) -> Result<Compiled>,
) -> Result<Compiled> {
    let path = cache_dir.join(format!("engine-{}-{name}-{}.bin", std::env::consts::ARCH, hex(engine_wasm)));
    if let Some(compiled) = load_artifact(&path) {
        return Ok(compiled);
    }
    let compiled = compile(engine_wasm)?;
    let artifact = compiled.artifact()?;
    let mut file = blake3::hash(&artifact).as_bytes().to_vec();
    file.extend_from_slice(&artifact);
    write_whole(&path, &file).map_err(|error| Error::Cache(path, error))?;
    Ok(compiled)
}

fn load_artifact(path: &Path) -> Option<Compiled> {
    let file = std::fs::read(path).ok()?;
    let (hash, artifact) = file.split_at_checked(HASH_BYTES)?;
    if blake3::hash(artifact).as_bytes() != hash {
        return None;
    }
    // SAFETY: the file lies in the user's own cache, under the name only `compile_cached` writes, and its content is
    // whole, as its hash says: it is an artifact of this VM version for this engine.
    unsafe { Compiled::from_artifact(artifact) }
}

fn hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().as_str()[..32].to_owned()
}

/// Writes beside the path and renames, so that a reader sees all or nothing.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut part = PathBuf::from(path);
    part.set_extension(format!("part{}", std::process::id()));
    std::fs::write(&part, bytes)?;
    std::fs::rename(&part, path)
}
