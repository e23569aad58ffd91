//! Memory images become stored chunks: only pages that differ from the base, as what they differ in, each distinct
//! chunk once.

use std::collections::{BTreeMap, BTreeSet};

use edgepack_format::container::Hash;
use edgepack_format::image::{ColdChunk, Frame, Part};
use edgepack_format::limits::{CHUNK_BYTES, HOT_FRAME_PAGES, PAGE_BYTES};

use crate::error::{Error, Result};

/// zstd's level: 12 takes 1.6 times as long, for 0.7 % of Express's pages.
const LEVEL: i32 = 9;

/// Pages per chunk.
const CHUNK_PAGES: usize = CHUNK_BYTES / PAGE_BYTES;

/// An image's pages: the section's content, and where in it they are.
#[derive(Debug, Default)]
pub(crate) struct StoredPages {
    pub(crate) content: Vec<u8>,
    pub(crate) hot: Vec<(Frame, Vec<Part>)>,
    pub(crate) cold: Vec<ColdChunk>,
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
    fn part(&self) -> Part {
        Part { chunk: self.number, mask: self.page_mask }
    }

    /// What its pages differ in.
    fn pages(&self) -> Vec<u8> {
        let changed = |page: usize| {
            let range = page * PAGE_BYTES..(page + 1) * PAGE_BYTES;
            let (new, old) = (self.chunk.get(range.clone())?, self.before.get(range)?);
            Some(new.iter().zip(old).map(|(new, old)| new ^ old))
        };
        (0..CHUNK_PAGES).filter(|page| self.page_mask & (1 << page) != 0).filter_map(changed).flatten().collect()
    }
}

/// Stores what differs: hot pages together, each other chunk by itself.
pub(crate) fn store(memory: &[u8], base: &[u8], hot_pages: &BTreeSet<u32>) -> Result<StoredPages> {
    let (mut hot, mut cold) = (Vec::new(), Vec::new());
    for difference in differences(memory, base) {
        let first_page = difference.number.saturating_mul(CHUNK_PAGES as u32);
        let hot_here = hot_pages.range(first_page..first_page + CHUNK_PAGES as u32);
        let all = difference.page_mask;
        let hot_mask = all & hot_here.fold(0, |mask, page| mask | 1 << (page - first_page));
        let part = |page_mask| (page_mask != 0).then_some(Difference { page_mask, ..difference });
        hot.extend(part(hot_mask));
        cold.extend(part(all & !hot_mask));
    }
    let frames: Vec<&[Difference<'_>]> = frames(&hot).collect();
    let mut stored = StoredPages::default();
    for (frame, parts) in compressed(&frames)?.into_iter().zip(&frames) {
        let frame = stored.put(&frame);
        stored.hot.push((frame, parts.iter().map(Difference::part).collect()));
    }
    stored.put_cold(&cold)?;
    Ok(stored)
}

/// The frames' bytes, made by as many threads as there are cores. Each has one compressor: its tables are megabytes.
fn compressed(frames: &[&[Difference<'_>]]) -> Result<Vec<Vec<u8>>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = frames.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let run = |share: &'_ [&[Difference<'_>]]| -> Result<Vec<_>> {
            let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(Error::Compress)?;
            let mut compress = |parts: &&[Difference<'_>]| {
                let pages: Vec<u8> = parts.iter().flat_map(Difference::pages).collect();
                compressor.compress(&pages).map_err(Error::Compress)
            };
            share.iter().map(&mut compress).collect()
        };
        let threads: Vec<_> = frames.chunks(share).map(|share| scope.spawn(move || run(share))).collect();
        let mut all = Vec::with_capacity(frames.len());
        for thread in threads {
            // A panic in there is one here.
            all.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

impl StoredPages {
    fn put(&mut self, bytes: &[u8]) -> Frame {
        let frame = Frame { offset: self.content.len(), length: bytes.len(), hash: crate::hash(bytes) };
        self.content.extend_from_slice(bytes);
        frame
    }

    /// Chunks with the same content share their frame.
    fn put_cold(&mut self, cold: &[Difference<'_>]) -> Result<()> {
        let mut known: BTreeMap<Hash, Frame> = BTreeMap::new();
        let alone: Vec<&[Difference<'_>]> = cold.iter().map(std::slice::from_ref).collect();
        for (bytes, difference) in compressed(&alone)?.into_iter().zip(cold) {
            let hash = crate::hash(&bytes);
            let frame = match known.get(&hash) {
                Some(frame) => *frame,
                None => self.put(&bytes),
            };
            known.insert(hash, frame);
            self.cold.push(ColdChunk { part: difference.part(), frame });
        }
        Ok(())
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
