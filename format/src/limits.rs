//! Numbers that bound what is read or used, each with its arithmetic.

/// Linear memory: wasm32 addresses 4 GiB; the reservation keeps a guard behind it.
pub const MEMORY_BYTES_MAX: u64 = 1 << 32;

/// One page of a snapshot, in bytes: the page size of x86_64 and most ARM kernels.
pub const PAGE_BYTES: usize = 4096;

/// One chunk of a container, in bytes: one wasm page, and the largest page size of aarch64 kernels.
pub const CHUNK_BYTES: usize = 65_536;

/// A frame of the base image in a stub, in pages. Measured with the engine's: frames of 1, 2 and 4 pages take 2.05, 1.96
/// and 1.91 MB. A page alone takes 6 µs, two together 10; what an app's start-up changes and its boot touches lies on pages
/// apart.
pub const BASE_FRAME_PAGES: usize = 2;

/// The frames that hold what every boot touches of an app, in pages: a frame is verified and decompressed as a whole,
/// into memory that is used again for the next, so it has to fit into the processor's cache.
pub const HOT_FRAME_PAGES: usize = 64;

/// Linear memory in chunks: 4 GiB.
pub const MEMORY_CHUNKS_MAX: u32 = 65_536;

/// Linear memory that start-up may have at build time: what the narrow layout has room for, without a chunk of it.
pub const START_UP_BYTES_MAX: usize = (1 << 29) - CHUNK_BYTES;

/// A container's index: an image of 4 GiB of which every page is hot has 65,536 * 8 bytes of parts and 16,384 * 44 of
/// frames.
pub const INDEX_BYTES_MAX: usize = 2 << 20;

/// Guards of a container. Today's are one per standard stream.
pub const GUARDS_MAX: u32 = 4096;

/// Assumptions of a container: each of the three standard streams is a terminal or is none.
pub const ASSUMPTIONS_MAX: u32 = 8;

/// Places where the memory of an app differs by what was assumed: Express with `debug` has 9. With more it is no longer
/// the same start-up.
pub const PATCHES_MAX: u32 = 512;

/// A package, a manifest, a list of effects: what a section other than the pages may be. Sources of 256 MiB are not
/// an app for a gateway.
pub const SECTION_BYTES_MAX: usize = 256 << 20;

/// One source file. The syntax tree of minified code was seen to take 40 times its text: 64 MiB of it would be 2.5 GiB.
pub const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// How linear memory lies among a process's addresses. The numbers are compiled into the engine's native code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Where it starts: free of anything else in a non-PIE executable.
    pub base: u64,
    /// Its chunks at most.
    pub chunks_max: u32,
    /// All of it and the guard behind it, which nothing else may be put into.
    pub reserved_bytes: u64,
}

/// With 64-bit addresses: an access is a 32-bit address plus a 32-bit offset, so it ends below 8 GiB and needs no
/// check. The base is low enough for 39-bit address spaces, and for valgrind to run it.
pub const WIDE_LAYOUT: Layout =
    Layout { base: 0x8_0000_0000, chunks_max: MEMORY_CHUNKS_MAX, reserved_bytes: 2 * MEMORY_BYTES_MAX };

/// With 32-bit addresses: 512 MiB, to which addresses are masked; offsets below the guard's chunk are added afterwards.
/// Above the executable and its heap, and below where any kernel puts its mappings: from the stack downwards, or from a
/// third of the addresses upwards (without a stack limit, and in qemu), which starts above 0x3f00_0000
/// with 3 GiB for processes.
pub const NARROW_LAYOUT: Layout =
    Layout { base: 0x1000_0000, chunks_max: 1 << 13, reserved_bytes: (1 << 29) + (1 << 16) };

/// The native stack. The engine stops JS recursion by the use of its shadow stack in linear memory, of which it has
/// at most 4 MiB; a native frame of translated code was seen to take up to 8 times its shadow frame, and half of the
/// stack stays free for the host calls below. It is only reserved: memory is used as it is touched.
pub const NATIVE_STACK_BYTES: u64 = 64 << 20;
