//! Numbers that bound what is read or used, each with its arithmetic.

/// Linear memory: wasm32 addresses 4 GiB; the reservation keeps a guard behind it.
pub const MEMORY_BYTES_MAX: u64 = 1 << 32;

/// One page of a snapshot, in bytes: the page size of x86_64 and most ARM kernels.
pub const PAGE_BYTES: usize = 4096;

/// One chunk of a container, in bytes: one wasm page, and the largest page size of aarch64 kernels.
pub const CHUNK_BYTES: usize = 65_536;
