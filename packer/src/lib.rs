//! A snapshot becomes a container; a container and a stub become an executable.

mod chunks;
mod container;
mod error;
mod executable;
mod stub;
mod stub_frame;
mod verify;

pub use container::{CompressedPackage, Contents, Engine, Memory, Started, container};
pub use error::{Error, Result};
pub use executable::{executable, open};
pub use stub::stub;
pub use stub_frame::{compress_stub, expand_stub};
pub use verify::{SectionSize, Verified, verify};

/// Tells engine builds apart: a hash of the engine's module and of its bootstrapped memory.
#[must_use]
pub fn engine_hash(engine_wasm: &[u8], base_memory: &[u8]) -> edgepack_format::container::Hash {
    edgepack_format::container::engine_hash(hash, engine_wasm, base_memory)
}

fn hash(bytes: &[u8]) -> edgepack_format::container::Hash {
    blake3::hash(bytes).into()
}
