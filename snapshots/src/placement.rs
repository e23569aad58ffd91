//! A recorded start-up and what was touched afterwards → the plan of the heap: blocks that stay alive lie together,
//! those first that are touched, so that a boot brings few pages (docs/decisions/placed-heap.md).

use edgepack_format::guest::{HEAP_ALIGN_BYTES, HEAP_CLASSES, HEAP_HEAD_BYTES, heap_plan};
use edgepack_format::limits::PAGE_BYTES;

use crate::touches::Touches;

/// Every allocation and every free of a start-up, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeapLog(pub(crate) Vec<u8>);

/// Bytes of a row of the log: the block, and its size or 0.
pub(crate) const ROW_BYTES: usize = 8;

/// Larger blocks are tables, which are given back when they grow.
const BLOCK_BYTES_MAX: usize = 16 * 1024;

/// A block of which a few places are touched is dense if it is as small as this, or the share is that large.
const SMALL_BLOCK_BYTES: usize = 512;
const SHARE_TOUCHED_MIN: usize = 4;

/// A block that is alive at the end.
struct Block {
    /// Allocations before its own.
    number: usize,
    start: usize,
    bytes: usize,
}

/// The plan, for the guest, from what each of some runs touched of the blocks.
pub(crate) fn plan(log: &HeapLog, runs: &[Touches]) -> Vec<u8> {
    let (blocks, allocations) = log.blocks();
    let mut classes = vec![0; allocations];
    let mut class_bytes = [0; HEAP_CLASSES];
    for block in &blocks {
        let class = class(block, runs);
        let slots = (classes.get_mut(block.number), class_bytes.get_mut(usize::from(class)));
        if let (Some(slot), Some(used)) = slots
            && class != NOT_PLACED
        {
            *slot = class;
            *used = (*used + HEAP_HEAD_BYTES).next_multiple_of(HEAP_ALIGN_BYTES) + block.bytes;
        }
    }
    // Each class has pages of its own.
    let class_bytes = class_bytes.map(|bytes| bytes.next_multiple_of(PAGE_BYTES));
    heap_plan(&class_bytes.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)), &classes)
}

/// How many allocations a plan knows.
pub(crate) fn planned(plan: &[u8]) -> Option<u32> {
    plan.first_chunk().map(|count| u32::from_le_bytes(*count))
}

const NOT_PLACED: u8 = 0;

/// Blocks that more runs touch come first; of those that as many touch, the ones that are written to. Then those of
/// which little is touched, and last those that nobody touches.
fn class(block: &Block, runs: &[Touches]) -> u8 {
    if block.bytes > BLOCK_BYTES_MAX {
        return NOT_PLACED;
    }
    let touches: Vec<(usize, bool)> = runs.iter().map(|touches| touches.of(block.start, block.bytes)).collect();
    let bytes_max = touches.iter().map(|(bytes, _)| *bytes).max().unwrap_or(0);
    let is_dense = block.bytes <= SMALL_BLOCK_BYTES || bytes_max * SHARE_TOUCHED_MIN >= block.bytes;
    let by = touches.iter().filter(|(bytes, _)| *bytes > 0).count();
    let is_written = touches.iter().any(|(_, written)| *written);
    let after = match (by, is_dense) {
        (0, _) => runs.len() * 2 + 1,
        (_, false) => runs.len() * 2,
        (by, true) => (runs.len() - by) * 2 + usize::from(!is_written),
    };
    u8::try_from(1 + after).unwrap_or(NOT_PLACED)
}

impl HeapLog {
    /// What is alive at the end, in the order of its allocation, and how many allocations there were.
    fn blocks(&self) -> (Vec<Block>, usize) {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        // By address, as there are millions of rows: the allocation that is there, counted from 1.
        let mut alive: Vec<u32> = Vec::new();
        let mut made: Vec<Block> = Vec::new();
        for row in self.0.as_chunks::<ROW_BYTES>().0 {
            let [a, b, c, d, e, f, g, h] = *row;
            let (start, bytes) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
            let slot = size(start) / HEAP_ALIGN_BYTES;
            if slot >= alive.len() {
                alive.resize((slot + 1).next_power_of_two(), 0);
            }
            if bytes != 0 {
                made.push(Block { number: made.len(), start: size(start), bytes: size(bytes) });
            }
            alive[slot] = if bytes == 0 { 0 } else { u32::try_from(made.len()).unwrap_or(0) };
        }
        let allocations = made.len();
        let is_alive = |block: &Block| {
            alive.get(block.start / HEAP_ALIGN_BYTES).map(|number| size(*number)) == Some(block.number + 1)
        };
        made.retain(is_alive);
        (made, allocations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(rows: &[(u32, u32)]) -> HeapLog {
        HeapLog(rows.iter().flat_map(|(block, bytes)| [block.to_le_bytes(), bytes.to_le_bytes()].concat()).collect())
    }

    fn touches(bytes: usize, read: &[usize], written: &[usize]) -> Touches {
        let notes = |at: &[usize]| {
            let mut notes = vec![0; bytes / 8];
            at.iter().for_each(|at| notes[at / 8] = 1);
            notes
        };
        Touches { reads: notes(read), writes: notes(written), entered: Vec::new() }
    }

    fn classes(plan: &[u8]) -> &[u8] {
        &plan[4 + 4 * HEAP_CLASSES..]
    }

    #[test]
    fn blocks_of_one_class_lie_together_and_dead_ones_nowhere() {
        // Written, read, dead, untouched, and one that is large and hardly touched.
        let log = log(&[(64, 16), (80, 24), (128, 8), (128, 0), (256, 100), (1024, 4096)]);
        let plan = plan(&log, &[touches(8192, &[80, 1024], &[72])]);
        assert_eq!(planned(&plan), Some(5));
        assert_eq!(classes(&plan), [1, 2, 0, 4, 3]);
    }

    #[test]
    fn a_class_has_room_for_its_blocks_with_their_heads() {
        let log = log(&[(64, 16), (80, 24)]);
        let plan = plan(&log, &[touches(4096, &[], &[64, 80])]);
        let bytes: Vec<u32> = plan[4..].as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).take(3).collect();
        assert_eq!(bytes, [0, 4096, 0]);
    }

    #[test]
    fn what_more_runs_touch_comes_first() {
        let log = log(&[(64, 16), (80, 16), (96, 16)]);
        let runs = [touches(4096, &[64, 80], &[]), touches(4096, &[64], &[64])];
        assert_eq!(classes(&plan(&log, &runs)), [1, 4, 6]);
    }
}
