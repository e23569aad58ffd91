//! What of a guest's memory a run touched, as the instrumented engine has noted it.

use edgepack_format::limits::PAGE_BYTES;

use crate::instrument::GRANULE_BYTES;

/// A note per granule of memory: not 0 if it was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touches {
    /// By reading.
    pub(crate) reads: Vec<u8>,
    /// By writing.
    pub(crate) writes: Vec<u8>,
    /// A note per function of the engine: not 0 if it was entered.
    pub(crate) entered: Vec<u8>,
}

impl Touches {
    /// The pages of 4 KiB that were touched, ascending.
    pub(crate) fn pages(&self) -> Vec<u32> {
        let pages = |notes: &'_ [u8]| -> Vec<bool> {
            notes.chunks(PAGE_BYTES / GRANULE_BYTES).map(|page| page.iter().any(|note| *note != 0)).collect()
        };
        let (read, written) = (pages(&self.reads), pages(&self.writes));
        let touched = (0_u32..).zip(read.iter().zip(&written)).filter(|(_, (read, written))| **read || **written);
        touched.map(|(page, _)| page).collect()
    }

    /// How many bytes of a block were touched, and whether any of it was written to.
    pub(crate) fn of(&self, start: usize, bytes: usize) -> (usize, bool) {
        let range = start / GRANULE_BYTES..(start + bytes).div_ceil(GRANULE_BYTES);
        let (Some(reads), Some(writes)) = (self.reads.get(range.clone()), self.writes.get(range)) else {
            return (0, false);
        };
        let touched = reads.iter().zip(writes).filter(|(read, written)| **read | **written != 0).count();
        (touched * GRANULE_BYTES, writes.iter().any(|written| *written != 0))
    }
}
