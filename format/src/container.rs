//! The container `app.epk`: a wasm module of custom sections only. How its sections are named, and the index: what
//! boot needs, in the order in which it needs it, so that nothing is parsed that is not used.
//!
//! The index names every other section by length and hash, and its own hash is the root: whoever checks the root has
//! checked everything that he then compares with the index. Chunks are compared when they are used.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::limits::{GUARDS_MAX, INDEX_BYTES_MAX, MEMORY_CHUNKS_MAX, PAGE_BYTES};
use crate::policy::{Grants, Scope};

/// Every wasm module starts so.
pub const WASM_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// The ELF section that holds the container in an executable.
pub const ELF_SECTION: &str = ".edgepack";

/// Where a container may start in an executable, and pages stored raw in a container, so that both can be mapped.
/// Kernels with larger pages map neither: they copy.
pub const ALIGN_BYTES: usize = PAGE_BYTES;

/// BLAKE3.
pub type Hash = [u8; 32];

/// Tells engine builds apart: a hash of the engine's module and of its bootstrapped memory.
pub fn engine_hash(hash: impl Fn(&[u8]) -> Hash, engine_wasm: &[u8], base_memory: &[u8]) -> Hash {
    let mut both = [0; 64];
    let (first, second) = both.split_at_mut(32);
    first.copy_from_slice(&hash(engine_wasm));
    second.copy_from_slice(&hash(base_memory));
    hash(&both)
}

/// The custom sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionKind {
    /// Canonical JSON for people and tools; boot does not read it.
    Manifest,
    /// What boot reads: see [`Index`].
    Index,
    /// The index's hash.
    Root,
    /// An encoded `guest::Package`, for a container without images.
    Package,
    /// Effects of the start-up that was done at build time: see [`Effect`].
    Deferred,
    /// The script's source map, a zstd frame.
    SourceMap,
    /// The licences of what is inside, a zstd frame.
    Licences,
    /// Stored chunks.
    Pages,
    /// What the app is made of.
    Sbom,
    /// A signature of the root.
    Signature,
}

impl SectionKind {
    /// In the order in which they are written.
    pub const ALL: [SectionKind; 10] = [
        SectionKind::Manifest,
        SectionKind::Index,
        SectionKind::Root,
        SectionKind::Package,
        SectionKind::Deferred,
        SectionKind::SourceMap,
        SectionKind::Licences,
        SectionKind::Pages,
        SectionKind::Sbom,
        SectionKind::Signature,
    ];

    /// Those whose length and hash stand in the index. Pages have theirs per chunk.
    pub const HASHED: [SectionKind; 5] = [
        SectionKind::Manifest,
        SectionKind::Package,
        SectionKind::Deferred,
        SectionKind::SourceMap,
        SectionKind::Licences,
    ];

    /// The custom section's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SectionKind::Manifest => "edgepack.manifest",
            SectionKind::Index => "edgepack.index",
            SectionKind::Root => "edgepack.root",
            SectionKind::Package => "edgepack.package",
            SectionKind::Deferred => "edgepack.deferred",
            SectionKind::SourceMap => "edgepack.source-map",
            SectionKind::Licences => "edgepack.licences",
            SectionKind::Pages => "edgepack.pages",
            SectionKind::Sbom => "edgepack.sbom",
            SectionKind::Signature => "edgepack.signature",
        }
    }
}

/// Why bytes are not a container that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContainerError {
    /// No wasm header.
    NotAContainer,
    /// It ends in the middle of something.
    Truncated,
    /// A section that this version does not know, or one twice or out of order.
    UnexpectedSection(String),
    /// A section that must be there is not.
    MissingSection(&'static str),
    /// The index is not what an index looks like; what was looked at.
    BadIndex(&'static str),
    /// A hash differs: of which part.
    Altered(String),
    /// For another engine: theirs and ours.
    OtherEngine {
        /// The container's.
        container: Hash,
        /// The stub's.
        stub: Hash,
    },
}

impl core::fmt::Display for ContainerError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ContainerError::NotAContainer => f.write_str("not an edgepack container"),
            ContainerError::Truncated => f.write_str("the container is cut short"),
            ContainerError::UnexpectedSection(name) => write!(f, "the container has an unexpected section `{name}`"),
            ContainerError::MissingSection(name) => write!(f, "the container has no section `{name}`"),
            ContainerError::BadIndex(what) => write!(f, "the container's index is damaged: {what}"),
            ContainerError::Altered(what) => write!(f, "the container was altered or damaged: {what} has another hash"),
            ContainerError::OtherEngine { container, stub } => {
                f.write_str("the container was made for engine ")?;
                write_hex(f, container)?;
                f.write_str(", this executable has engine ")?;
                write_hex(f, stub)
            }
        }
    }
}

impl core::error::Error for ContainerError {}

/// The first 8 bytes tell builds apart.
fn write_hex(f: &mut core::fmt::Formatter<'_>, hash: &Hash) -> core::fmt::Result {
    hash.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// A container's sections, found and in order; nothing is verified yet.
#[derive(Debug, Clone)]
pub struct Sections<'a> {
    found: Vec<(SectionKind, &'a [u8])>,
    /// Bytes from the container's start to the start of the pages.
    pub pages_offset: usize,
}

impl<'a> Sections<'a> {
    /// Walks over the sections.
    pub fn find(container: &'a [u8]) -> Result<Sections<'a>, ContainerError> {
        let body = container.strip_prefix(&WASM_HEADER).ok_or(ContainerError::NotAContainer)?;
        let mut cursor = Cursor::new(body);
        let mut sections = Sections { found: Vec::new(), pages_offset: 0 };
        while !cursor.rest().is_empty() {
            let id = cursor.u8().ok_or(ContainerError::Truncated)?;
            if id != 0 {
                return Err(ContainerError::UnexpectedSection(alloc::format!("wasm section {id}")));
            }
            let length = cursor.leb_u32().and_then(|length| usize::try_from(length).ok());
            let section = length.and_then(|length| cursor.bytes(length)).ok_or(ContainerError::Truncated)?;
            let mut inside = Cursor::new(section);
            let name = inside.leb_u32().and_then(|length| usize::try_from(length).ok());
            let name = name.and_then(|length| inside.bytes(length)).ok_or(ContainerError::Truncated)?;
            let name = core::str::from_utf8(name).unwrap_or("?");
            let kind = SectionKind::ALL.into_iter().find(|kind| kind.name() == name);
            let in_order = kind.filter(|kind| sections.found.last().is_none_or(|(before, _)| before < kind));
            let Some(kind) = in_order else { return Err(ContainerError::UnexpectedSection(name.to_string())) };
            if kind == SectionKind::Pages {
                let after = cursor.rest().len().saturating_add(inside.rest().len());
                sections.pages_offset = container.len().saturating_sub(after);
            }
            sections.found.push((kind, inside.rest()));
        }
        Ok(sections)
    }

    /// A section's content, if it is there.
    #[must_use]
    pub fn get(&self, kind: SectionKind) -> Option<&'a [u8]> {
        self.found.iter().find(|(found, _)| *found == kind).map(|(_, content)| *content)
    }

    /// A section's content.
    pub fn require(&self, kind: SectionKind) -> Result<&'a [u8], ContainerError> {
        self.get(kind).ok_or(ContainerError::MissingSection(kind.name()))
    }

    /// All sections, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SectionKind, &'a [u8])> + '_ {
        self.found.iter().copied()
    }

    /// The index, compared with the root.
    pub fn index(&self, hash: impl Fn(&[u8]) -> Hash) -> Result<Index<'a>, ContainerError> {
        let bytes = self.require(SectionKind::Index)?;
        if bytes.len() > INDEX_BYTES_MAX {
            return Err(ContainerError::BadIndex("its size"));
        }
        if hash(bytes) != *self.require(SectionKind::Root)? {
            return Err(ContainerError::Altered("the index".to_string()));
        }
        Index::decode(bytes)
    }

    /// A section that the index names, compared with it; `None` if the index has none.
    pub fn verified(
        &self,
        kind: SectionKind,
        index: &Index<'_>,
        hash: impl Fn(&[u8]) -> Hash,
    ) -> Result<Option<&'a [u8]>, ContainerError> {
        let Some(expected) = index.sections.iter().find(|section| section.kind == kind) else {
            return match self.get(kind) {
                Some(_) => Err(ContainerError::UnexpectedSection(kind.name().to_string())),
                None => Ok(None),
            };
        };
        let content = self.require(kind)?;
        if content.len() != expected.length || hash(content) != expected.hash {
            return Err(ContainerError::Altered(kind.name().to_string()));
        }
        Ok(Some(content))
    }
}

/// A section's length and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionEntry {
    /// Which.
    pub kind: SectionKind,
    /// Bytes.
    pub length: usize,
    /// BLAKE3 of the content.
    pub hash: Hash,
}

/// A host call whose answer was assumed when the app was started at build time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The call.
    pub call: String,
    /// Its arguments, widened.
    pub args: Vec<i64>,
    /// What was answered.
    pub result: i64,
}

/// What an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// The bundle loaded, nothing evaluated: always right.
    Loaded,
    /// Started at build time: right if the guards hold.
    Started,
}

/// How a chunk is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The pages of the mask one after the other, each as what it differs from the base image's in (exclusive or: most
    /// have a few counters changed), as a zstd frame.
    Zstd,
    /// As a part of a frame: that of the rows around it that have the same place, one after the other. For pages that
    /// every boot touches.
    Gathered,
}

/// A stored chunk; images may share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Where, from the start of the pages section's content.
    pub offset: usize,
    /// How many bytes.
    pub length: usize,
    /// How.
    pub encoding: Encoding,
    /// Which pages of the chunk differ from the base image; bit 0 is the first.
    pub page_mask: u16,
    /// BLAKE3 of the stored bytes.
    pub hash: Hash,
}

impl Stored {
    /// Whether the other one's pages are in the same frame.
    #[must_use]
    pub fn shares_frame(&self, other: &Stored) -> bool {
        self.encoding == Encoding::Gathered
            && (self.offset, self.length, self.encoding, self.hash)
                == (other.offset, other.length, other.encoding, other.hash)
    }

    /// Bytes of memory that it brings.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let pages = usize::try_from(self.page_mask.count_ones()).unwrap_or(16);
        pages.saturating_mul(PAGE_BYTES)
    }
}

const STORED_BYTES: usize = 4 + 4 + 1 + 1 + 2 + 32;
const CHUNK_REF_BYTES: usize = 8;

/// A memory image: where it differs from the engine's base image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// What it shows.
    pub kind: ImageKind,
    /// The size of memory in chunks, which are wasm pages.
    pub memory_chunks: u32,
    /// The guest's stack pointer.
    pub stack_pointer: u32,
    hot: &'a [u8],
    cold: &'a [u8],
}

impl Image<'_> {
    /// What every boot touches: pairs of a chunk's number in memory, ascending, and its number among the stored ones.
    pub fn hot(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        chunk_refs(self.hot)
    }

    /// The rest, in the same way.
    pub fn cold(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        chunk_refs(self.cold)
    }

    /// What is stored of a chunk.
    #[must_use]
    pub fn stored_of(&self, chunk: u32) -> StoredNumbers {
        StoredNumbers { hot: find_chunk(self.hot, chunk), cold: find_chunk(self.cold, chunk) }
    }
}

/// The numbers of what is stored of one chunk of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredNumbers {
    /// Pages that every boot touches.
    pub hot: Option<u32>,
    /// The others.
    pub cold: Option<u32>,
}

fn chunk_ref(pair: &[u8]) -> Option<(u32, u32)> {
    let mut cursor = Cursor::new(pair);
    Some((cursor.u32()?, cursor.u32()?))
}

fn chunk_refs(table: &[u8]) -> impl Iterator<Item = (u32, u32)> + '_ {
    table.chunks_exact(CHUNK_REF_BYTES).map_while(chunk_ref)
}

/// They ascend, so that an app of any size is found as fast.
fn find_chunk(table: &[u8], chunk: u32) -> Option<u32> {
    let (rows, _) = table.as_chunks::<CHUNK_REF_BYTES>();
    let found = rows.binary_search_by_key(&Some(chunk), |row| chunk_ref(row).map(|(chunk, _)| chunk)).ok()?;
    rows.get(found).and_then(|row| chunk_ref(row)).map(|(_, number)| number)
}

/// The decoded index. Chunk tables stay bytes and are read where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index<'a> {
    /// The engine it was made for.
    pub engine: Hash,
    /// Bytes of linear memory that the app may have; 0 for all there is.
    pub memory_bytes_max: u64,
    /// What the app may do.
    pub grants: Grants,
    /// What must hold for the started image.
    pub guards: Vec<Guard>,
    /// Other sections.
    pub sections: Vec<SectionEntry>,
    /// None, the loaded one, or both.
    pub images: Vec<Image<'a>>,
    stored: &'a [u8],
}

const MAGIC: &[u8; 8] = b"edgeidx1";

/// What the writer hands to `encode`: chunk tables as lists.
#[derive(Debug, Clone)]
pub struct IndexParts<'a> {
    /// As in [`Index`].
    pub engine: Hash,
    /// As in [`Index`].
    pub memory_bytes_max: u64,
    /// As in [`Index`].
    pub grants: &'a Grants,
    /// As in [`Index`].
    pub guards: &'a [Guard],
    /// As in [`Index`].
    pub sections: &'a [SectionEntry],
    /// Images with their (chunk, stored) pairs.
    pub images: &'a [ImageParts],
    /// Stored chunks.
    pub stored: &'a [Stored],
}

/// An image as the writer has it.
#[derive(Debug, Clone)]
pub struct ImageParts {
    /// As in [`Image`].
    pub kind: ImageKind,
    /// As in [`Image`].
    pub memory_chunks: u32,
    /// As in [`Image`].
    pub stack_pointer: u32,
    /// Pairs of chunk and stored chunk, ascending: what every boot touches.
    pub hot: Vec<(u32, u32)>,
    /// And the rest.
    pub cold: Vec<(u32, u32)>,
}

impl IndexParts<'_> {
    /// The bytes that [`Index::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.engine);
        out.extend_from_slice(&self.memory_bytes_max.to_le_bytes());
        let grants = self.grants;
        for scope in [&grants.net, &grants.read, &grants.write, &grants.env, &grants.run, &grants.sys] {
            put_scope(&mut out, scope);
        }
        put_count(&mut out, self.guards.len());
        for guard in self.guards {
            put_text(&mut out, &guard.call);
            put_count(&mut out, guard.args.len());
            guard.args.iter().for_each(|arg| out.extend_from_slice(&arg.to_le_bytes()));
            out.extend_from_slice(&guard.result.to_le_bytes());
        }
        put_count(&mut out, self.sections.len());
        for section in self.sections {
            put_text(&mut out, section.kind.name());
            put_count(&mut out, section.length);
            out.extend_from_slice(&section.hash);
        }
        put_count(&mut out, self.stored.len());
        for stored in self.stored {
            put_count(&mut out, stored.offset);
            put_count(&mut out, stored.length);
            out.push(u8::from(stored.encoding == Encoding::Gathered));
            out.push(0);
            out.extend_from_slice(&stored.page_mask.to_le_bytes());
            out.extend_from_slice(&stored.hash);
        }
        put_count(&mut out, self.images.len());
        for image in self.images {
            out.push(u8::from(image.kind == ImageKind::Started));
            out.extend_from_slice(&image.memory_chunks.to_le_bytes());
            out.extend_from_slice(&image.stack_pointer.to_le_bytes());
            for chunks in [&image.hot, &image.cold] {
                put_count(&mut out, chunks.len());
                for (chunk, stored) in chunks {
                    out.extend_from_slice(&chunk.to_le_bytes());
                    out.extend_from_slice(&stored.to_le_bytes());
                }
            }
        }
        out
    }
}

/// Lengths beyond u32 do not occur: a wasm section cannot be that long.
fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_scope(out: &mut Vec<u8>, scope: &Scope) {
    match scope {
        Scope::None => out.push(0),
        Scope::All => out.push(1),
        Scope::Some(entries) => {
            out.push(2);
            put_count(out, entries.len());
            entries.iter().for_each(|entry| put_text(out, entry));
        }
    }
}

impl<'a> Index<'a> {
    /// Reads what `encode` wrote; everything that is not checked here is checked when it is used.
    pub fn decode(bytes: &'a [u8]) -> Result<Index<'a>, ContainerError> {
        let mut cursor = Cursor::new(bytes);
        let bad = ContainerError::BadIndex;
        if cursor.bytes(MAGIC.len()) != Some(MAGIC) {
            return Err(bad("its version"));
        }
        let engine = cursor.array().ok_or(bad("the engine"))?;
        let memory_bytes_max = cursor.u64().ok_or(bad("the memory limit"))?;
        let grants = grants(&mut cursor).ok_or(bad("the grants"))?;
        let guards = guards(&mut cursor).ok_or(bad("the guards"))?;
        let sections = sections(&mut cursor).ok_or(bad("the sections"))?;
        let stored = table(&mut cursor, STORED_BYTES).ok_or(bad("the stored chunks"))?;
        let images = images(&mut cursor).ok_or(bad("the images"))?;
        if !cursor.rest().is_empty() {
            return Err(bad("its length"));
        }
        let index = Index { engine, memory_bytes_max, grants, guards, sections, images, stored };
        index.check_images()?;
        Ok(index)
    }

    /// A stored chunk.
    #[must_use]
    pub fn stored(&self, number: u32) -> Option<Stored> {
        let start = usize::try_from(number).ok()?.checked_mul(STORED_BYTES)?;
        let mut cursor = Cursor::new(self.stored.get(start..)?);
        let offset = usize::try_from(cursor.u32()?).ok()?;
        let length = usize::try_from(cursor.u32()?).ok()?;
        let encoding = match cursor.array()? {
            [0, 0] => Encoding::Zstd,
            [1, 0] => Encoding::Gathered,
            _ => return None,
        };
        Some(Stored { offset, length, encoding, page_mask: cursor.u16()?, hash: cursor.array()? })
    }

    /// How many stored chunks there are.
    #[must_use]
    pub fn stored_count(&self) -> u32 {
        let count = self.stored.len().checked_div(STORED_BYTES).unwrap_or(0);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// What is in its frame before a stored chunk's pages, in bytes: nothing unless it is gathered.
    #[must_use]
    pub fn offset_in_frame(&self, number: u32) -> usize {
        let row = self.stored(number).filter(|row| row.encoding == Encoding::Gathered);
        let before = (0..number).rev().map_while(|before| self.stored(before));
        let same = before.take_while(|before| row.is_some_and(|row| row.shares_frame(before)));
        same.fold(0, |bytes, before| bytes.saturating_add(before.memory_bytes()))
    }

    /// The bytes of a stored chunk, compared with its hash.
    pub fn chunk<'p>(
        &self,
        number: u32,
        pages: &'p [u8],
        hash: impl Fn(&[u8]) -> Hash,
    ) -> Result<(Stored, &'p [u8]), ContainerError> {
        let stored = self.stored(number).ok_or(ContainerError::BadIndex("a stored chunk"))?;
        let end = stored.offset.checked_add(stored.length);
        let bytes = end.and_then(|end| pages.get(stored.offset..end)).ok_or(ContainerError::Truncated)?;
        if hash(bytes) != stored.hash {
            return Err(ContainerError::Altered(alloc::format!("stored chunk {number}")));
        }
        Ok((stored, bytes))
    }

    /// The image of that kind.
    #[must_use]
    pub fn image(&self, kind: ImageKind) -> Option<&Image<'a>> {
        self.images.iter().find(|image| image.kind == kind)
    }

    /// Sizes, and that hot chunks lie in memory, ascend, and name chunks that are stored. Cold ones are looked at when
    /// they are touched: there may be many.
    fn check_images(&self) -> Result<(), ContainerError> {
        let stored = self.stored_count();
        for image in &self.images {
            if image.memory_chunks > MEMORY_CHUNKS_MAX {
                return Err(ContainerError::BadIndex("an image's size"));
            }
            let mut hot_next = 0;
            for (chunk, number) in image.hot() {
                if chunk < hot_next || chunk >= image.memory_chunks || number >= stored {
                    return Err(ContainerError::BadIndex("an image's chunks"));
                }
                hot_next = chunk.saturating_add(1);
            }
        }
        Ok(())
    }
}

/// A count, then as many records.
fn table<'a>(cursor: &mut Cursor<'a>, record_bytes: usize) -> Option<&'a [u8]> {
    let count = usize::try_from(cursor.u32()?).ok()?;
    cursor.bytes(count.checked_mul(record_bytes)?)
}

fn grants(cursor: &mut Cursor<'_>) -> Option<Grants> {
    Some(Grants {
        net: scope(cursor)?,
        read: scope(cursor)?,
        write: scope(cursor)?,
        env: scope(cursor)?,
        run: scope(cursor)?,
        sys: scope(cursor)?,
    })
}

fn scope(cursor: &mut Cursor<'_>) -> Option<Scope> {
    match cursor.u8()? {
        0 => Some(Scope::None),
        1 => Some(Scope::All),
        2 => {
            let count = cursor.u32()?;
            let entries = (0..count).map(|_| cursor.text().map(ToString::to_string));
            Some(Scope::Some(entries.collect::<Option<Vec<_>>>()?))
        }
        _ => None,
    }
}

fn guards(cursor: &mut Cursor<'_>) -> Option<Vec<Guard>> {
    let count = cursor.u32().filter(|count| *count <= GUARDS_MAX)?;
    let guard = |cursor: &mut Cursor<'_>| {
        let call = cursor.text()?.to_string();
        let args = table(cursor, 8)?.chunks_exact(8).map(|arg| Cursor::new(arg).i64());
        Some(Guard { call, args: args.collect::<Option<Vec<_>>>()?, result: cursor.i64()? })
    };
    (0..count).map(|_| guard(cursor)).collect()
}

fn sections(cursor: &mut Cursor<'_>) -> Option<Vec<SectionEntry>> {
    let count = cursor.u32()?;
    let section = |cursor: &mut Cursor<'_>| {
        let name = cursor.text()?;
        let kind = SectionKind::HASHED.into_iter().find(|kind| kind.name() == name)?;
        Some(SectionEntry { kind, length: usize::try_from(cursor.u32()?).ok()?, hash: cursor.array()? })
    };
    (0..count).map(|_| section(cursor)).collect()
}

fn images<'a>(cursor: &mut Cursor<'a>) -> Option<Vec<Image<'a>>> {
    let count = cursor.u32().filter(|count| *count <= 2)?;
    let image = |cursor: &mut Cursor<'a>| {
        let kind = match cursor.u8()? {
            0 => ImageKind::Loaded,
            1 => ImageKind::Started,
            _ => return None,
        };
        let (memory_chunks, stack_pointer) = (cursor.u32()?, cursor.u32()?);
        let (hot, cold) = (table(cursor, CHUNK_REF_BYTES)?, table(cursor, CHUNK_REF_BYTES)?);
        Some(Image { kind, memory_chunks, stack_pointer, hot, cold })
    };
    (0..count).map(|_| image(cursor)).collect()
}

/// An effect of the start-up done at build time, to be had again at boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// `stdio_write`.
    Write {
        /// Standard output or error.
        handle: i32,
        /// What.
        bytes: Vec<u8>,
    },
    /// Any deferred call without pointers, as `signal_watch`.
    Call {
        /// Its name.
        name: String,
        /// Its arguments, widened.
        args: Vec<i64>,
    },
}

/// The content of the deferred section: effects in order.
#[must_use]
pub fn encode_effects(effects: &[Effect]) -> Vec<u8> {
    let mut out = Vec::new();
    for effect in effects {
        match effect {
            Effect::Write { handle, bytes } => {
                out.push(0);
                out.extend_from_slice(&handle.to_le_bytes());
                put_count(&mut out, bytes.len());
                out.extend_from_slice(bytes);
            }
            Effect::Call { name, args } => {
                out.push(1);
                put_text(&mut out, name);
                put_count(&mut out, args.len());
                args.iter().for_each(|arg| out.extend_from_slice(&arg.to_le_bytes()));
            }
        }
    }
    out
}

/// Reads what `encode_effects` wrote.
pub fn decode_effects(bytes: &[u8]) -> Result<Vec<Effect>, ContainerError> {
    let mut cursor = Cursor::new(bytes);
    let mut effects = Vec::new();
    while !cursor.rest().is_empty() {
        effects.push(effect(&mut cursor).ok_or(ContainerError::BadIndex("the deferred effects"))?);
    }
    Ok(effects)
}

fn effect(cursor: &mut Cursor<'_>) -> Option<Effect> {
    match cursor.u8()? {
        0 => {
            let handle = i32::from_le_bytes(cursor.array()?);
            Some(Effect::Write { handle, bytes: cursor.block()?.to_vec() })
        }
        1 => {
            let name = cursor.text()?.to_string();
            let args = table(cursor, 8)?.chunks_exact(8).map(|arg| Cursor::new(arg).i64());
            Some(Effect::Call { name, args: args.collect::<Option<Vec<_>>>()? })
        }
        _ => None,
    }
}
