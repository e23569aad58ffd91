//! Memory images become stored chunks: only pages that differ from the base, as what they differ in, each distinct
//! chunk once.

use std::collections::{BTreeMap, BTreeSet};

use edgepack_format::container::{Encoding, Hash, Stored};
use edgepack_format::limits::{CHUNK_BYTES, HOT_FRAME_PAGES, PAGE_BYTES};

use crate::error::{Error, Result};

/// zstd's level: the highest before its time doubles again for less than 2 % of size.
const LEVEL: i32 = 12;

/// Pages per chunk.
const CHUNK_PAGES: usize = CHUNK_BYTES / PAGE_BYTES;

/// The pages section while it is written.
#[derive(Debug, Default)]
pub(crate) struct ChunkStore {
    content: Vec<u8>,
    stored: Vec<Stored>,
    /// Stored chunks by content: pages mask and what the pages hold.
    known: BTreeMap<(u16, Hash), u32>,
    /// The first row of each hot frame by content: the pages masks of its rows and what the pages hold.
    known_frames: BTreeMap<(Vec<u16>, Hash), u32>,
}

/// Where an image's chunks are stored: pairs of chunk number and stored number.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub(crate) hot: Vec<(u32, u32)>,
    pub(crate) cold: Vec<(u32, u32)>,
}

/// A chunk of an image that differs from the base.
#[derive(Clone, Copy)]
struct Difference<'a> {
    number: u32,
    chunk: &'a [u8],
    /// What the base image has there.
    before: &'a [u8],
    page_mask: u16,
}

impl Difference<'_> {
    /// What the pages of a mask differ in.
    fn pages(&self, mask: u16) -> Vec<u8> {
        let changed = |page: usize| {
            let range = page * PAGE_BYTES..(page + 1) * PAGE_BYTES;
            let (new, old) = (self.chunk.get(range.clone())?, self.before.get(range)?);
            Some(new.iter().zip(old).map(|(new, old)| new ^ old))
        };
        (0..CHUNK_PAGES).filter(|page| mask & (1 << page) != 0).filter_map(changed).flatten().collect()
    }
}

impl ChunkStore {
    /// Stores what differs: hot pages together, each other chunk by itself.
    pub(crate) fn add(&mut self, memory: &[u8], base: &[u8], hot_pages: &BTreeSet<u32>) -> Result<Placed> {
        let mut placed = Placed::default();
        let mut hot = Vec::new();
        for difference in differences(memory, base) {
            let Difference { number, page_mask, .. } = difference;
            let first_page = number.saturating_mul(CHUNK_PAGES as u32);
            let hot_here = hot_pages.range(first_page..first_page + CHUNK_PAGES as u32);
            let hot_mask = page_mask & hot_here.fold(0, |mask, page| mask | 1 << (page - first_page));
            if hot_mask != 0 {
                hot.push(Difference { page_mask: hot_mask, ..difference });
            }
            let cold_mask = page_mask & !hot_mask;
            if cold_mask != 0 {
                placed.cold.push((number, self.store(&difference, cold_mask)?));
            }
        }
        for frame in frames(&hot) {
            self.gather(frame, &mut placed.hot)?;
        }
        Ok(placed)
    }

    fn store(&mut self, difference: &Difference<'_>, page_mask: u16) -> Result<u32> {
        let pages = difference.pages(page_mask);
        let key = (page_mask, crate::hash(&pages));
        if let Some(number) = self.known.get(&key) {
            return Ok(*number);
        }
        let stored = self.put(&pages, Encoding::Zstd)?;
        let number = u32::try_from(self.stored.len()).unwrap_or(u32::MAX);
        self.stored.push(Stored { page_mask, ..stored });
        self.known.insert(key, number);
        Ok(number)
    }

    /// One frame of the pages of all.
    fn gather(&mut self, frame: &[Difference<'_>], pairs: &mut Vec<(u32, u32)>) -> Result<()> {
        let pages: Vec<u8> = frame.iter().flat_map(|part| part.pages(part.page_mask)).collect();
        let key = (frame.iter().map(|part| part.page_mask).collect(), crate::hash(&pages));
        let first = match self.known_frames.get(&key) {
            Some(first) => *first,
            None => {
                let stored = self.put(&pages, Encoding::Gathered)?;
                let first = u32::try_from(self.stored.len()).unwrap_or(u32::MAX);
                self.stored.extend(frame.iter().map(|part| Stored { page_mask: part.page_mask, ..stored }));
                self.known_frames.insert(key, first);
                first
            }
        };
        pairs.extend((first..).zip(frame).map(|(row, part)| (part.number, row)));
        Ok(())
    }

    fn put(&mut self, pages: &[u8], encoding: Encoding) -> Result<Stored> {
        let frame = zstd::bulk::compress(pages, LEVEL).map_err(Error::Compress)?;
        let (offset, length, hash) = (self.content.len(), frame.len(), crate::hash(&frame));
        self.content.extend_from_slice(&frame);
        Ok(Stored { offset, length, encoding, page_mask: 0, hash })
    }

    /// The section's content, and the table of what is in it.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<Stored>) {
        (self.content, self.stored)
    }

    /// How many chunks are stored.
    pub(crate) fn len(&self) -> usize {
        self.stored.len()
    }
}

/// As many neighbours together as fit into a hot frame.
fn frames<'d, 'a>(mut parts: &'d [Difference<'a>]) -> impl Iterator<Item = &'d [Difference<'a>]> {
    std::iter::from_fn(move || {
        let mut pages = 0;
        let fits = |part: &&Difference<'_>| {
            pages += part.page_mask.count_ones() as usize;
            pages <= HOT_FRAME_PAGES
        };
        let (frame, rest) = parts.split_at(parts.iter().take_while(fits).count());
        parts = rest;
        (!frame.is_empty()).then_some(frame)
    })
}

fn differences<'a>(memory: &'a [u8], base: &'a [u8]) -> impl Iterator<Item = Difference<'a>> {
    static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];
    (0_u32..).zip(memory.chunks_exact(CHUNK_BYTES)).filter_map(move |(number, chunk)| {
        let start = number as usize * CHUNK_BYTES;
        // Beyond the base image memory is zero.
        let before = base.get(start..start + CHUNK_BYTES).unwrap_or(&ZEROS);
        let pages = chunk.chunks_exact(PAGE_BYTES).zip(before.chunks_exact(PAGE_BYTES));
        let page_mask = pages.enumerate().fold(0, |mask, (page, (new, old))| mask | (u16::from(new != old) << page));
        (page_mask != 0).then_some(Difference { number, chunk, before, page_mask })
    })
}
