//! A memory image in a container: which pages differ from the engine's base image, and where they are stored.
//!
//! A boot reads the index, and so what it needs anyway: the hot pages, gathered in a few frames, and which pages of the
//! base image must not be mapped as they are. The cold chunks have a section of their own, as there may be many: a table
//! in leaves of equal size, whose hashes stand in the index, so that a chunk that is touched costs one leaf, and boot
//! costs nothing that grows with the app but a hash per leaf.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::container::{ContainerError, Hash};
use crate::cursor::Cursor;
use crate::limits::{MEMORY_CHUNKS_MAX, PAGE_BYTES};

/// Where compressed pages are: a zstd frame in the pages section.
///
/// The pages lie in it one after the other, each as what it differs from the base image's in (exclusive or: most have a
/// few counters changed), or whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// From the start of the section's content.
    pub offset: usize,
    /// Bytes.
    pub length: usize,
    /// BLAKE3 of them.
    pub hash: Hash,
}

impl Frame {
    /// Its bytes, compared with the hash; `chunk` is whose they are.
    pub fn bytes<'p>(
        &self,
        chunk: u32,
        pages: &'p [u8],
        hash: impl Fn(&[u8]) -> Hash,
    ) -> Result<&'p [u8], ContainerError> {
        let end = self.offset.checked_add(self.length);
        let bytes = end.and_then(|end| pages.get(self.offset..end)).ok_or(ContainerError::Truncated)?;
        if hash(bytes) != self.hash {
            return Err(ContainerError::Altered(alloc::format!("chunk {chunk} of the app's memory")));
        }
        Ok(bytes)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put(out, self.offset);
        put(out, self.length);
        out.extend_from_slice(&self.hash);
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Frame> {
        let offset = usize::try_from(cursor.u32()?).ok()?;
        Some(Frame { offset, length: usize::try_from(cursor.u32()?).ok()?, hash: cursor.array()? })
    }
}

/// Pages of one chunk of memory (a wasm page).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which chunk.
    pub chunk: u32,
    /// Which pages of it; bit 0 is the first.
    pub mask: u16,
    /// Which of those are stored as they are, and not as what they differ in from the base image's: to bring one of that
    /// first would take longer than it spares bytes.
    pub whole: u16,
}

impl Part {
    /// Bytes of memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        usize::try_from(self.mask.count_ones()).unwrap_or(16).saturating_mul(PAGE_BYTES)
    }
}

/// What every boot touches, as far as it fits into one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotFrame<'a> {
    /// The frame.
    pub frame: Frame,
    parts: &'a [u8],
}

impl<'a> HotFrame<'a> {
    /// Whose pages are in it, in order.
    pub fn parts(self) -> impl Iterator<Item = Part> + 'a {
        self.parts.chunks_exact(PART_BYTES).map_while(part)
    }

    /// The pages of a chunk that are in it, and how many bytes come before them.
    #[must_use]
    pub fn find(self, chunk: u32) -> Option<(Part, usize)> {
        let mut before: usize = 0;
        self.parts().find_map(|part| {
            let start = before;
            before = before.saturating_add(part.memory_bytes());
            (part.chunk == chunk).then_some((part, start))
        })
    }
}

/// A cold chunk: its pages that differ and are not hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColdChunk {
    /// Which pages.
    pub part: Part,
    /// Where they are stored.
    pub stored: Stored,
}

/// Where the pages of a cold chunk are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// In a frame of their own.
    Frame(Frame),
    /// As so many of the package's bytes from here on: what is in memory as it is in there, the script, is stored once.
    Package {
        /// Where they start in the package as the engine takes it.
        offset: usize,
    },
}

const HOT_FRAME_BYTES: usize = FRAME_BYTES + 4;
const FRAME_BYTES: usize = 4 + 4 + 32;
const PART_BYTES: usize = 4 + 2 + 2;
const COLD_BYTES: usize = PART_BYTES + 4 + FRAME_BYTES;
const IN_FRAME: u32 = 0;
const IN_PACKAGE: u32 = 1;
/// A leaf's first chunk and its hash.
const LEAF_REF_BYTES: usize = 4 + 32;
/// Rows of a leaf: hashing 7 KiB takes as long as decompressing a page.
const LEAF_ROWS: usize = 128;

/// The image, as far as it stands in the index. Tables stay bytes and are read where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// The size of memory in chunks.
    pub memory_chunks: u32,
    /// The guest's stack pointer.
    pub stack_pointer: u32,
    hot_frames: &'a [u8],
    hot_parts: &'a [u8],
    touched: &'a [u8],
    cold_over_base: &'a [u8],
    leaves: &'a [u8],
    cold_count: usize,
}

/// An image as the writer has it.
#[derive(Debug, Clone, Default)]
pub struct ImageParts {
    /// As in [`Image`].
    pub memory_chunks: u32,
    /// As in [`Image`].
    pub stack_pointer: u32,
    /// The size of the base image in chunks.
    pub base_chunks: u32,
    /// Frames with their parts, chunks ascending.
    pub hot: Vec<(Frame, Vec<Part>)>,
    /// As in [`Image::touched`], chunks ascending.
    pub touched: Vec<Part>,
    /// Chunks ascending.
    pub cold: Vec<ColdChunk>,
}

impl ImageParts {
    /// The table of cold chunks: the content of a section.
    #[must_use]
    pub fn encode_cold(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for ColdChunk { part, stored } in &self.cold {
            put_part(&mut out, part);
            let (kind, frame) = match *stored {
                Stored::Frame(frame) => (IN_FRAME, frame),
                Stored::Package { offset } => (IN_PACKAGE, Frame { offset, length: 0, hash: Hash::default() }),
            };
            out.extend_from_slice(&kind.to_le_bytes());
            frame.encode(&mut out);
        }
        out
    }

    /// What [`Image::decode`] reads, with that table.
    pub fn encode(&self, cold: &[u8], hash: impl Fn(&[u8]) -> Hash, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.memory_chunks.to_le_bytes());
        out.extend_from_slice(&self.stack_pointer.to_le_bytes());
        put(out, self.hot.len());
        for (frame, parts) in &self.hot {
            frame.encode(out);
            put(out, parts.len());
        }
        put(out, self.hot.iter().map(|(_, parts)| parts.len()).sum());
        self.hot.iter().flat_map(|(_, parts)| parts).for_each(|part| put_part(out, part));
        put(out, self.touched.len());
        self.touched.iter().for_each(|part| put_part(out, part));
        let over_base = self.cold.iter().filter(|cold| cold.part.chunk < self.base_chunks);
        put(out, over_base.clone().count());
        over_base.for_each(|cold| put_part(out, &cold.part));
        put(out, self.cold.len());
        for (leaf, rows) in cold.chunks(LEAF_ROWS * COLD_BYTES).zip(self.cold.chunks(LEAF_ROWS)) {
            out.extend_from_slice(&rows.first().map_or(0, |row| row.part.chunk).to_le_bytes());
            out.extend_from_slice(&hash(leaf));
        }
    }
}

fn put(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_part(out: &mut Vec<u8>, part: &Part) {
    out.extend_from_slice(&part.chunk.to_le_bytes());
    out.extend_from_slice(&part.mask.to_le_bytes());
    out.extend_from_slice(&part.whole.to_le_bytes());
}

fn part(bytes: &[u8]) -> Option<Part> {
    let mut cursor = Cursor::new(bytes);
    let part = Part { chunk: cursor.u32()?, mask: cursor.u16()?, whole: cursor.u16()? };
    (part.whole & !part.mask == 0).then_some(part)
}

impl<'a> Image<'a> {
    /// Reads what `encode` wrote, and checks that hot and touched parts lie in memory and ascend, and that the hot ones
    /// fill their frames' counts.
    pub(crate) fn decode(cursor: &mut Cursor<'a>) -> Option<Image<'a>> {
        let memory_chunks = cursor.u32().filter(|chunks| *chunks <= MEMORY_CHUNKS_MAX)?;
        let stack_pointer = cursor.u32()?;
        let hot_frames = table(cursor, HOT_FRAME_BYTES)?;
        let hot_parts = table(cursor, PART_BYTES)?;
        let touched = table(cursor, PART_BYTES)?;
        let cold_over_base = table(cursor, PART_BYTES)?;
        let cold_count = usize::try_from(cursor.u32()?).ok()?;
        let leaves = cursor.bytes(cold_count.div_ceil(LEAF_ROWS).checked_mul(LEAF_REF_BYTES)?)?;
        let image =
            Image { memory_chunks, stack_pointer, hot_frames, hot_parts, touched, cold_over_base, leaves, cold_count };
        image.is_in_order().then_some(image)
    }

    fn is_in_order(&self) -> bool {
        let ascend = [self.hot_parts, self.touched].into_iter().all(|parts| {
            let mut next = 0;
            parts.chunks_exact(PART_BYTES).map(part).all(|part| {
                let fits = part.is_some_and(|part| part.chunk >= next && part.chunk < self.memory_chunks);
                next = part.map_or(0, |part| part.chunk.saturating_add(1));
                fits
            })
        });
        let counted: usize = self.hot().map(|frame| frame.parts.len()).sum();
        ascend && counted == self.hot_parts.len() && self.hot().count() == self.hot_frames.len() / HOT_FRAME_BYTES
    }

    /// What every boot touches.
    pub fn hot(&self) -> impl Iterator<Item = HotFrame<'a>> + 'a {
        let mut rest = self.hot_parts;
        let (frames, _) = self.hot_frames.as_chunks::<HOT_FRAME_BYTES>();
        frames.iter().map_while(move |row| {
            let mut cursor = Cursor::new(row);
            let frame = Frame::decode(&mut cursor)?;
            let bytes = usize::try_from(cursor.u32()?).ok()?.checked_mul(PART_BYTES)?;
            let (parts, after) = rest.split_at_checked(bytes)?;
            rest = after;
            Some(HotFrame { frame, parts })
        })
    }

    /// The pages of a chunk that every boot touches.
    #[must_use]
    pub fn hot_mask(&self, chunk: u32) -> u16 {
        part_of(self.hot_parts, chunk).map_or(0, |part| part.mask)
    }

    /// Those of them that are stored as they are.
    #[must_use]
    pub fn whole_mask(&self, chunk: u32) -> u16 {
        part_of(self.hot_parts, chunk).map_or(0, |part| part.whole)
    }

    /// Pages that every boot touches, too, and that are the base image's.
    pub fn touched(&self) -> impl Iterator<Item = Part> + 'a {
        self.touched.chunks_exact(PART_BYTES).map_while(part)
    }

    /// The pages of a chunk of the base image that are others in the app, and cold.
    #[must_use]
    pub fn cold_mask_over_base(&self, chunk: u32) -> u16 {
        part_of(self.cold_over_base, chunk).map_or(0, |part| part.mask)
    }

    /// Rows of the table of cold chunks.
    #[must_use]
    pub fn cold_count(&self) -> usize {
        self.cold_count
    }

    /// The number of the leaf that has a chunk's row, if any does.
    #[must_use]
    pub fn leaf_of(&self, chunk: u32) -> Option<usize> {
        let (leaves, _) = self.leaves.as_chunks::<LEAF_REF_BYTES>();
        leaves.partition_point(|leaf| Cursor::new(leaf).u32().is_some_and(|first| first <= chunk)).checked_sub(1)
    }

    /// A leaf of the table, not yet verified.
    pub fn leaf<'c>(&self, number: usize, table: &'c [u8]) -> Result<Leaf<'c>, ContainerError> {
        let bad = ContainerError::BadIndex("the table of chunks");
        if Some(table.len()) != self.cold_count.checked_mul(COLD_BYTES) {
            return Err(bad);
        }
        let (leaves, _) = self.leaves.as_chunks::<LEAF_REF_BYTES>();
        let expected = leaves.get(number).and_then(|leaf| leaf.last_chunk::<32>());
        let rows = table.chunks(LEAF_ROWS * COLD_BYTES).nth(number);
        expected.zip(rows).map(|(expected, rows)| Leaf { rows, expected: *expected }).ok_or(bad)
    }
}

/// In a table of parts that ascend.
fn part_of(table: &[u8], chunk: u32) -> Option<Part> {
    let (rows, _) = table.as_chunks::<PART_BYTES>();
    let found = rows.binary_search_by_key(&Some(chunk), |row| part(row).map(|part| part.chunk));
    part(rows.get(found.ok()?)?)
}

/// A part of the table of cold chunks.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'c> {
    rows: &'c [u8],
    expected: Hash,
}

impl<'c> Leaf<'c> {
    /// Compares it with its hash.
    pub fn verify(&self, hash: impl Fn(&[u8]) -> Hash) -> Result<(), ContainerError> {
        if hash(self.rows) == self.expected {
            Ok(())
        } else {
            Err(ContainerError::Altered("the table of chunks".to_string()))
        }
    }

    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = ColdChunk> + 'c {
        self.rows.chunks_exact(COLD_BYTES).map_while(cold_chunk)
    }

    /// The row of a chunk.
    #[must_use]
    pub fn find(&self, chunk: u32) -> Option<ColdChunk> {
        let (rows, _) = self.rows.as_chunks::<COLD_BYTES>();
        let found = rows.binary_search_by_key(&Some(chunk), |row| part(row.get(..PART_BYTES)?).map(|part| part.chunk));
        found.ok().and_then(|row| cold_chunk(rows.get(row)?))
    }
}

fn cold_chunk(row: &[u8]) -> Option<ColdChunk> {
    let (head, rest) = row.split_at_checked(PART_BYTES)?;
    let mut cursor = Cursor::new(rest);
    let (kind, frame) = (cursor.u32()?, Frame::decode(&mut cursor)?);
    let stored = match kind {
        IN_FRAME => Stored::Frame(frame),
        IN_PACKAGE => Stored::Package { offset: frame.offset },
        _ => return None,
    };
    Some(ColdChunk { part: part(head)?, stored })
}

/// A count, then as many records.
pub(crate) fn table<'a>(cursor: &mut Cursor<'a>, record_bytes: usize) -> Option<&'a [u8]> {
    let count = usize::try_from(cursor.u32()?).ok()?;
    cursor.bytes(count.checked_mul(record_bytes)?)
}
