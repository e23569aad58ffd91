//! The base image becomes a part of the stub: hot pages as they are, the others in frames, zero ones not at all, and
//! tables of where they belong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::Hash;
use edgepack_format::cursor::Cursor;
use edgepack_format::limits::{BASE_FRAME_PAGES, CHUNK_BYTES, PAGE_BYTES};

/// zstd's level: built once, so the best that a decoder with little memory reads.
const LEVEL: i32 = 19;

/// zstd's shortest match. Longer ones are fewer: what boots touch is 5 % larger by that, and read in 0.8 of the time.
const MATCH_BYTES_MIN: u32 = 3;
const FAST_MATCH_BYTES_MIN: u32 = 6;

/// How many of the traced programs touch a page.
pub(super) type Heat = BTreeMap<u32, u64>;

/// What a page costs, in nanoseconds of one boot. A mapping of its own, to be made, to have its own faults, to be
/// undone, times the programs of `hot`; a page that is decompressed, for each program that touches it.
const MAPPING_PRICE: u64 = 3 * 6_000;
const TOUCH_PRICE: u64 = 5_000;
/// Bytes have their price too, or all would be mapped: with this one, pages that at most four of the six programs touch
/// are compressed (docs/decisions/small-stubs.md).
const BYTE_PRICE: u64 = 7;
const MAPPED_PAGE_PRICE: u64 = PAGE_BYTES as u64 * BYTE_PRICE;
/// The base image's pages compress to 0.28 of their size.
const COLD_PAGE_PRICE: u64 = MAPPED_PAGE_PRICE * 28 / 100;

const CHUNK_PAGES: usize = CHUNK_BYTES / PAGE_BYTES;

/// What `edgepack_snapshots::BaseImage::encode` wrote. Read here again because that crate brings a whole virtual
/// machine with it, and this one is built first.
#[derive(Debug)]
pub(super) struct BaseImage<'a> {
    pub(super) stack_pointer: u32,
    pub(super) memory: &'a [u8],
}

impl<'a> BaseImage<'a> {
    pub(super) fn decode(bytes: &'a [u8]) -> Result<BaseImage<'a>> {
        let (head, memory) = bytes.split_at_checked(PAGE_BYTES).context("the base image is cut short")?;
        let stack_pointer = stack_pointer(head).context("the base image has no `__stack_pointer`")?;
        ensure!(memory.len().is_multiple_of(CHUNK_BYTES), "the base image's memory is not whole wasm pages");
        Ok(BaseImage { stack_pointer, memory })
    }
}

fn stack_pointer(head: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(head.strip_prefix(b"edgebas1")?);
    cursor.bytes(32)?;
    let count = cursor.u32()?;
    // It is the only mutable global: `translate` refuses an engine with more.
    (count == 1 && cursor.text()? == "__stack_pointer").then(|| cursor.i64())?.map(|value| value as u32)
}

/// What the stub holds of the base image's memory.
#[derive(Default)]
struct Stored {
    /// Hot pages, one after the other, and for each chunk how many come before its own, and which are its own.
    hot: Vec<u8>,
    hot_masks: Vec<(usize, u16)>,
    /// Frames, and for each `BASE_FRAME_PAGES` pages where theirs is, how long, and which pages it has.
    frames: Vec<u8>,
    frame_rows: Vec<(usize, usize, u16)>,
}

/// What becomes of a base image.
pub(super) struct Written {
    /// What is linked into the stub.
    pub(super) sources: Vec<PathBuf>,
    /// What is put behind it.
    pub(super) frames: Vec<u8>,
}

/// Writes the part of the memory that is linked, and the assembly that places it.
pub(super) fn write(
    base: &BaseImage<'_>,
    mapped_pages: &BTreeSet<u32>,
    heat: &Heat,
    engine_hash: Hash,
    folder: &Path,
) -> Result<Written> {
    let stored = store(base.memory, mapped_pages, heat)?;
    let hot = folder.join("base-hot.bin");
    fs::write(&hot, &stored.hot)?;
    let table = table(base, &stored, engine_hash, &hot)?;
    // Cargo links again only if an object has another name.
    let mut content = blake3::Hasher::new();
    content.update(table.as_bytes()).update(&stored.hot);
    let assembly = folder.join(format!("base-{}.S", &content.finalize().to_hex()[..16]));
    fs::write(&assembly, table)?;
    Ok(Written { sources: vec![assembly, hot], frames: stored.frames })
}

/// The pages that are to be stored as they are, as runs of pages that are mapped: of all choices the one with the
/// lowest price. Memory is walked once, keeping the best way to end in a mapped page and the best to end in a cold one.
pub(super) fn mapped_pages(memory: &[u8], heat: &Heat) -> BTreeSet<u32> {
    let programs = heat.values().max().copied().unwrap_or(0);
    let mut best = Ends { cold: 0, mapped: MAPPING_PRICE };
    // For each page the ends that the best ways to it come from.
    let mut ways = Vec::new();
    for (number, page) in (0_u32..).zip(memory.chunks_exact(PAGE_BYTES)) {
        let stored = if page.iter().all(|byte| *byte == 0) { 0 } else { COLD_PAGE_PRICE };
        let touches = heat.get(&number).copied().unwrap_or(0);
        // What all of them touch other programs touch as well.
        let touches = if touches == programs { 2 * touches } else { touches };
        let to_mapped = best.cold.saturating_add(MAPPING_PRICE);
        ways.push((number, End::of(best.cold <= best.mapped), End::of(to_mapped < best.mapped)));
        best = Ends {
            cold: best.cold.min(best.mapped) + stored + touches * TOUCH_PRICE,
            mapped: to_mapped.min(best.mapped) + MAPPED_PAGE_PRICE,
        };
    }
    let mut end = End::of(best.cold <= best.mapped);
    let mut mapped = BTreeSet::new();
    for (number, to_cold, to_mapped) in ways.into_iter().rev() {
        if end == End::Mapped {
            mapped.insert(number);
        }
        end = if end == End::Cold { to_cold } else { to_mapped };
    }
    mapped
}

/// The prices of the best ways that end so.
struct Ends {
    cold: u64,
    mapped: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Cold,
    Mapped,
}

impl End {
    fn of(cold_is_best: bool) -> End {
        if cold_is_best { End::Cold } else { End::Mapped }
    }
}

fn store(memory: &[u8], mapped_pages: &BTreeSet<u32>, heat: &Heat) -> Result<Stored> {
    let mut stored = Stored::default();
    let mut colds = Vec::new();
    let mut numbered = (0_u32..).zip(memory.chunks_exact(PAGE_BYTES));
    for _ in memory.chunks_exact(CHUNK_BYTES) {
        let stored_before = stored.hot.len() / PAGE_BYTES;
        let mut hot_mask = 0;
        for first in (0..CHUNK_PAGES).step_by(BASE_FRAME_PAGES) {
            let mut cold = Vec::new();
            let mut cold_mask = 0;
            let mut is_touched = false;
            for (bit, (number, page)) in (first..).zip(numbered.by_ref().take(BASE_FRAME_PAGES)) {
                let (pages, mask) = if mapped_pages.contains(&number) {
                    (&mut stored.hot, &mut hot_mask)
                } else if page.iter().any(|byte| *byte != 0) {
                    is_touched |= heat.contains_key(&number);
                    (&mut cold, &mut cold_mask)
                } else {
                    continue;
                };
                pages.extend_from_slice(page);
                *mask |= 1 << bit;
            }
            colds.push((cold, cold_mask, is_touched));
        }
        stored.hot_masks.push((stored_before, hot_mask));
    }
    let mut small = compressor(&stored.hot, MATCH_BYTES_MIN)?;
    let mut fast = compressor(&stored.hot, FAST_MATCH_BYTES_MIN)?;
    for (cold, mask, is_touched) in colds {
        let compressor = if is_touched { &mut fast } else { &mut small };
        let frame = if cold.is_empty() { Vec::new() } else { compressor.compress(&cold)? };
        stored.frame_rows.push((stored.frames.len(), frame.len(), mask));
        stored.frames.extend_from_slice(&frame);
    }
    Ok(stored)
}

/// Frames may refer to the hot pages, which are at hand when one is read.
fn compressor(hot: &[u8], match_bytes_min: u32) -> Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.set_parameter(zstd::zstd_safe::CParameter::MinMatch(match_bytes_min))?;
    compressor.set_dictionary(LEVEL, hot)?;
    Ok(compressor)
}

fn table(base: &BaseImage<'_>, stored: &Stored, engine_hash: Hash, hot: &Path) -> Result<String> {
    let mut text = String::from(".section .rodata.edge_tables,\"a\",%progbits\n");
    let mut symbol =
        |name: &str, align: usize, content: &str| writeln!(text, ".balign {align}\n.globl {name}\n{name}:\n{content}");
    let hash = engine_hash.map(|byte| byte.to_string()).join(",");
    symbol("edge_engine_hash", 1, &format!(".byte {hash}"))?;
    symbol("edge_initial_stack_pointer", 4, &format!(".long {}", base.stack_pointer))?;
    symbol("edge_base_chunks", 4, &format!(".long {}", base.memory.len() / CHUNK_BYTES))?;
    symbol("edge_base_hot_bytes", 4, &format!(".long {}", stored.hot.len()))?;
    let rows = stored.hot_masks.iter().map(|(before, mask)| format!(".long {before}, {mask}\n"));
    symbol("edge_base_hot_masks", 4, &rows.collect::<String>())?;
    let rows =
        stored.frame_rows.iter().map(|(offset, length, mask)| format!(".long {offset}\n.short {length}, {mask}\n"));
    symbol("edge_base_frames", 4, &rows.collect::<String>())?;
    text.push_str(".section edge_hot_pages,\"a\",%progbits\n");
    writeln!(text, ".balign {PAGE_BYTES}\n.globl edge_base_hot\nedge_base_hot:\n.incbin \"{}\"", hot.display())?;
    text.push_str(".section .note.GNU-stack,\"\",%progbits\n");
    Ok(text)
}
