//! Numbers that bound what is read or used, each with its arithmetic.

/// Linear memory: wasm32 addresses 4 GiB; the reservation keeps a guard behind it.
pub const MEMORY_BYTES_MAX: u64 = 1 << 32;

/// One page of a snapshot, in bytes: the page size of x86_64 and most ARM kernels.
pub const PAGE_BYTES: usize = 4096;

/// One chunk of a container, in bytes: one wasm page, and the largest page size of aarch64 kernels.
pub const CHUNK_BYTES: usize = 65_536;

/// A frame of the base image in a stub, in pages. Measured with the engine's: frames of 4, 8 and 16 pages take 2.84,
/// 2.79 and 2.74 MB, and what the first touch costs is in proportion.
pub const BASE_FRAME_PAGES: usize = 4;

/// The frames that hold what every boot touches of an app, in pages: a frame is verified and decompressed as a whole,
/// into memory that is used again for the next, so it has to fit into the processor's cache.
pub const HOT_FRAME_PAGES: usize = 64;

/// Linear memory in chunks: 4 GiB.
pub const MEMORY_CHUNKS_MAX: u32 = 65_536;

/// A container's index: two images of 4 GiB with all chunks different are 2 * 65,536 * (8 + 44) bytes = 6.8 MB.
pub const INDEX_BYTES_MAX: usize = 8 << 20;

/// Guards of a container. Today's are one per standard stream.
pub const GUARDS_MAX: u32 = 4096;

/// A package, a manifest, a list of effects: what a section other than the pages may be. Sources of 256 MiB are not
/// an app for a gateway.
pub const SECTION_BYTES_MAX: usize = 256 << 20;

/// One source file. The syntax tree of minified code was seen to take 40 times its text: 64 MiB of it would be 2.5 GiB.
pub const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// Where linear memory starts on 64-bit targets: free of anything else in a non-PIE executable, a constant for the
/// compiler, and low enough that valgrind can run it.
pub const MEMORY_BASE: u64 = 0x8_0000_0000;

/// Linear memory and its guard: an access is a 32-bit address plus a 32-bit offset, so it ends below 8 GiB.
pub const RESERVED_BYTES: u64 = 2 * MEMORY_BYTES_MAX;

/// The native stack. The engine stops JS recursion by the use of its shadow stack in linear memory, of which it has
/// at most 4 MiB; a native frame of translated code was seen to take up to 8 times its shadow frame, and half of the
/// stack stays free for the host calls below. It is only reserved: memory is used as it is touched.
pub const NATIVE_STACK_BYTES: u64 = 64 << 20;
