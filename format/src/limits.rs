//! Numbers that bound what is read or used, each with its arithmetic.

/// Linear memory: wasm32 addresses 4 GiB; the reservation keeps a guard behind it.
pub const MEMORY_BYTES_MAX: u64 = 1 << 32;

/// One page of a snapshot, in bytes: the page size of x86_64 and most ARM kernels.
pub const PAGE_BYTES: usize = 4096;

/// One chunk of a container, in bytes: one wasm page, and the largest page size of aarch64 kernels.
pub const CHUNK_BYTES: usize = 65_536;

/// Linear memory in chunks: 4 GiB.
pub const MEMORY_CHUNKS_MAX: u32 = 65_536;

/// A container's index: two images of 4 GiB with all chunks different are 2 * 65,536 * (8 + 44) bytes = 6.8 MB.
pub const INDEX_BYTES_MAX: usize = 8 << 20;

/// Guards of a container. Today's are one per standard stream.
pub const GUARDS_MAX: u32 = 4096;

/// A package, a manifest, a list of effects: what a section other than the pages may be. Sources of 256 MiB are not
/// an app for a gateway.
pub const SECTION_BYTES_MAX: usize = 256 << 20;
