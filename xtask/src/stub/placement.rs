//! A recorded start of Node's library → the plan of its heap: blocks that stay alive lie together, those first that
//! programs touch, so that a boot brings few pages (docs/decisions/placed-heap.md).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::Hash;
use edgepack_format::guest::{HEAP_ALIGN_BYTES, HEAP_ARENA_BYTES, HEAP_CLASSES, HEAP_HEAD_BYTES, heap_plan};
use edgepack_format::limits::PAGE_BYTES;

use super::base::{BaseImage, Heat};
use super::hot::{self, PROGRAMS};

/// What is watched at once: the smallest block.
const GRANULE_BYTES: usize = 8;

const READ: u8 = 1;
const WRITTEN: u8 = 2;

/// Larger blocks are tables, which are given back when they grow.
const BLOCK_BYTES_MAX: usize = 16 * 1024;

/// A block of which a program touches a few places counts as touched if it is as small as this, or the share is that
/// large.
const SMALL_BLOCK_BYTES: usize = 512;
const SHARE_TOUCHED_MIN: usize = 4;

/// What one program did to each granule of memory.
struct Touches(Vec<u8>);

/// A block that is alive when the library is started.
struct Block {
    /// Allocations before its own.
    number: usize,
    start: usize,
    bytes: usize,
}

/// For a stub that maps all pages: one that decompresses some would itself be seen writing to them.
pub(super) fn everything(base: &BaseImage<'_>) -> Heat {
    let pages = (0_u32..).zip(base.memory.chunks_exact(PAGE_BYTES));
    let stored = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0));
    stored.map(|(number, _)| (number, PROGRAMS.len() as u64)).collect()
}

/// The plan, by watching the programs on a stub that has the recorded start's memory as its base image, and linear
/// memory at that address.
pub(super) fn plan(
    (stub, memory_base): (&Path, u64),
    engine: Hash,
    base_memory: &[u8],
    log: &[u8],
    folder: &Path,
) -> Result<Vec<u8>> {
    let mut watched = Vec::new();
    for (name, script) in PROGRAMS {
        let program = hot::program(stub, engine, base_memory, (name, script), folder)?;
        watched.push(watch(&program, base_memory.len(), memory_base)?);
        std::fs::remove_file(&program)?;
    }
    let (blocks, allocations) = blocks(log)?;
    encode(&blocks, allocations, &watched)
}

/// Runs a program under valgrind's lackey, which prints every access to memory.
fn watch(program: &Path, memory_bytes: usize, memory_base: u64) -> Result<Touches> {
    let mut command = Command::new("/usr/bin/valgrind");
    command.args(["--tool=lackey", "--trace-mem=yes", "--basic-counts=no"]).arg(program);
    command.env_clear().env("HOME", "/").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("valgrind cannot be started")?;
    // Nobody writes more to standard output than a pipe holds.
    let mut lines = BufReader::with_capacity(1 << 20, child.stderr.take().context("it was piped")?);
    let mut touches = Touches(vec![0; memory_bytes / GRANULE_BYTES]);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if let Some((kind, address, bytes)) = access(&line, memory_base) {
            touches.add(kind, address, bytes);
        }
        line.clear();
    }
    let output = child.wait_with_output()?;
    ensure!(output.status.success() && !output.stdout.is_empty(), "{} failed ({})", program.display(), output.status);
    Ok(touches)
}

/// ` S 8001ca1a8,4`: what kind of access, where, how many bytes.
fn access(line: &[u8], memory_base: u64) -> Option<(u8, usize, usize)> {
    let kind = match line.get(..3)? {
        b" L " => READ,
        b" S " | b" M " => WRITTEN,
        _ => return None,
    };
    let text = std::str::from_utf8(line.get(3..)?).ok()?;
    let (address, bytes) = text.trim_end().split_once(',')?;
    let address = u64::from_str_radix(address, 16).ok()?.checked_sub(memory_base)?;
    Some((kind, usize::try_from(address).ok()?, bytes.parse().ok()?))
}

impl Touches {
    fn add(&mut self, kind: u8, address: usize, bytes: usize) {
        let last = address.saturating_add(bytes).saturating_sub(1) / GRANULE_BYTES;
        if let Some(granules) = self.0.get_mut(address / GRANULE_BYTES..=last) {
            granules.iter_mut().for_each(|granule| *granule |= kind);
        }
    }

    /// How many bytes of a block were touched, and in which ways.
    fn of(&self, block: &Block) -> (usize, u8) {
        let range = block.start / GRANULE_BYTES..=(block.start + block.bytes - 1) / GRANULE_BYTES;
        let granules = self.0.get(range).unwrap_or_default().iter().filter(|granule| **granule != 0);
        granules.fold((0, 0), |(bytes, ways), granule| (bytes + GRANULE_BYTES, ways | granule))
    }
}

/// What is alive at the end of the log, in the order of its allocation, and how many allocations there were.
fn blocks(log: &[u8]) -> Result<(Vec<Block>, usize)> {
    let mut alive = BTreeMap::new();
    let mut allocations = 0;
    for row in log.chunks_exact(8) {
        let (start, bytes) = row.split_first_chunk::<4>().context("a row has two words")?;
        let (start, bytes) = (u32::from_le_bytes(*start), u32::from_le_bytes(bytes.try_into()?));
        if bytes == 0 {
            alive.remove(&start);
            continue;
        }
        alive.insert(start, (allocations, bytes));
        allocations += 1;
    }
    let block = |(start, (number, bytes)): (u32, (usize, u32))| {
        Ok(Block { number, start: usize::try_from(start)?, bytes: usize::try_from(bytes)? })
    };
    let mut blocks = alive.into_iter().map(block).collect::<Result<Vec<Block>>>()?;
    blocks.sort_by_key(|block| block.number);
    Ok((blocks, allocations))
}

fn encode(blocks: &[Block], allocations: usize, watched: &[Touches]) -> Result<Vec<u8>> {
    let mut classes = vec![0; allocations];
    let mut class_bytes = [0; HEAP_CLASSES];
    for block in blocks {
        let class = class(block, watched);
        let (Some(slot), Some(used)) = (classes.get_mut(block.number), class_bytes.get_mut(usize::from(class))) else {
            continue;
        };
        *slot = class;
        *used = (*used + HEAP_HEAD_BYTES).next_multiple_of(HEAP_ALIGN_BYTES) + block.bytes;
    }
    if let Some(not_placed) = class_bytes.first_mut() {
        *not_placed = 0;
    }
    // Each class has pages of its own.
    let class_bytes = class_bytes.map(|bytes| bytes.next_multiple_of(PAGE_BYTES));
    let total: usize = class_bytes.iter().sum();
    ensure!(total <= HEAP_ARENA_BYTES, "{total} bytes stay alive: the arena has {HEAP_ARENA_BYTES}");
    Ok(heap_plan(&class_bytes.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)), &classes))
}

/// Blocks that more programs touch come first; of those that as many touch, the ones that are written to; those that
/// none touches come last. 0 is not placed.
fn class(block: &Block, watched: &[Touches]) -> u8 {
    if block.bytes > BLOCK_BYTES_MAX {
        return 0;
    }
    let touches: Vec<(usize, u8)> = watched.iter().map(|touches| touches.of(block)).collect();
    let bytes_max = touches.iter().map(|(bytes, _)| *bytes).max().unwrap_or(0);
    let is_dense = block.bytes <= SMALL_BLOCK_BYTES || bytes_max * SHARE_TOUCHED_MIN >= block.bytes;
    let programs = if is_dense { touches.iter().filter(|(bytes, _)| *bytes > 0).count() } else { 0 };
    let is_read_only = touches.iter().all(|(_, ways)| ways & WRITTEN == 0);
    let after = (watched.len() - programs) * 2 + usize::from(programs > 0 && is_read_only);
    u8::try_from(1 + after).unwrap_or(0)
}

const _: () = assert!(PROGRAMS.len() * 2 + 1 < HEAP_CLASSES, "two classes for each number of programs, one for none");
