//! Memory images become stored chunks: only pages that differ from the base, each distinct chunk once.

use std::collections::{BTreeMap, BTreeSet};

use edgepack_format::container::{ALIGN_BYTES, Encoding, Hash, Stored};
use edgepack_format::limits::{CHUNK_BYTES, PAGE_BYTES};

use crate::error::{Error, Result};

/// zstd's level: the highest before its time doubles again for less than 2 % of size.
const LEVEL: i32 = 12;

/// Pages per chunk.
const CHUNK_PAGES: usize = CHUNK_BYTES / PAGE_BYTES;

/// The pages section while it is written.
#[derive(Debug, Default)]
pub(crate) struct ChunkStore {
    /// Pages to be mapped, and then the compressed ones.
    raw: Vec<u8>,
    compressed: Vec<u8>,
    stored: Vec<Stored>,
    /// Stored chunks by content: pages mask, encoding and what the pages hold.
    known: BTreeMap<(u16, bool, Hash), u32>,
}

/// Where an image's chunks are stored: pairs of chunk number and stored number.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub(crate) hot: Vec<(u32, u32)>,
    pub(crate) cold: Vec<(u32, u32)>,
}

/// A chunk of an image that differs from the base.
struct Difference<'a> {
    number: u32,
    chunk: &'a [u8],
    page_mask: u16,
}

impl ChunkStore {
    /// Stores what differs, hot pages raw and the others compressed.
    pub(crate) fn add(&mut self, memory: &[u8], base: &[u8], hot_pages: &BTreeSet<u32>) -> Result<Placed> {
        let mut placed = Placed::default();
        for Difference { number, chunk, page_mask } in differences(memory, base) {
            let first_page = number.saturating_mul(CHUNK_PAGES as u32);
            let hot = hot_pages.range(first_page..first_page + CHUNK_PAGES as u32);
            let hot_mask = page_mask & hot.fold(0, |mask, page| mask | 1 << (page - first_page));
            for (mask, encoding, pairs) in
                [(hot_mask, Encoding::Raw, &mut placed.hot), (page_mask & !hot_mask, Encoding::Zstd, &mut placed.cold)]
            {
                if mask != 0 {
                    pairs.push((number, self.store(chunk, mask, encoding)?));
                }
            }
        }
        Ok(placed)
    }

    fn store(&mut self, chunk: &[u8], page_mask: u16, encoding: Encoding) -> Result<u32> {
        let pages = masked(chunk, page_mask);
        let is_hot = encoding == Encoding::Raw;
        let key = (page_mask, is_hot, crate::hash(&pages));
        if let Some(number) = self.known.get(&key) {
            return Ok(*number);
        }
        let (target, bytes) = if is_hot {
            (&mut self.raw, pages)
        } else {
            (&mut self.compressed, zstd::bulk::compress(&pages, LEVEL).map_err(Error::Compress)?)
        };
        let stored =
            Stored { offset: target.len(), length: bytes.len(), encoding, page_mask, hash: crate::hash(&bytes) };
        target.extend_from_slice(&bytes);
        let number = u32::try_from(self.stored.len()).unwrap_or(u32::MAX);
        self.stored.push(stored);
        self.known.insert(key, number);
        Ok(number)
    }

    /// The section's content for a section that starts at `section_offset` of the container: padding up to the
    /// alignment, raw pages, compressed ones; and the table of all.
    pub(crate) fn finish(mut self, section_offset: usize) -> (Vec<u8>, Vec<Stored>) {
        let padding =
            if self.raw.is_empty() { 0 } else { section_offset.next_multiple_of(ALIGN_BYTES) - section_offset };
        for stored in &mut self.stored {
            stored.offset += match stored.encoding {
                Encoding::Raw => padding,
                Encoding::Zstd => padding + self.raw.len(),
            };
        }
        let mut content = vec![0; padding];
        content.append(&mut self.raw);
        content.append(&mut self.compressed);
        (content, self.stored)
    }

    /// How many chunks are stored.
    pub(crate) fn len(&self) -> usize {
        self.stored.len()
    }
}

fn differences<'a>(memory: &'a [u8], base: &'a [u8]) -> impl Iterator<Item = Difference<'a>> {
    static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];
    (0_u32..).zip(memory.chunks_exact(CHUNK_BYTES)).filter_map(move |(number, chunk)| {
        let start = number as usize * CHUNK_BYTES;
        // Beyond the base image memory is zero.
        let before = base.get(start..start + CHUNK_BYTES).unwrap_or(&ZEROS);
        let pages = chunk.chunks_exact(PAGE_BYTES).zip(before.chunks_exact(PAGE_BYTES));
        let page_mask = pages.enumerate().fold(0, |mask, (page, (new, old))| mask | (u16::from(new != old) << page));
        (page_mask != 0).then_some(Difference { number, chunk, page_mask })
    })
}

fn masked(chunk: &[u8], page_mask: u16) -> Vec<u8> {
    let pages = chunk.chunks_exact(PAGE_BYTES).enumerate();
    pages.filter(|(page, _)| page_mask & (1 << page) != 0).flat_map(|(_, bytes)| bytes).copied().collect()
}
