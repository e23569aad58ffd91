//! The container `app.epk`: a wasm module of custom sections only. How its sections are named, and the index: what
//! boot needs, in the order in which it needs it, so that nothing is parsed that is not used.
//!
//! The index names every other section by length and hash, and its own hash is the root: whoever checks the root has
//! checked everything that he then compares with the index. Chunks are compared when they are used (`image.rs`).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::image::{Image, ImageParts, table};
use crate::limits::{ASSUMPTIONS_MAX, GUARDS_MAX, INDEX_BYTES_MAX, PAGE_BYTES, PATCHES_MAX};
use crate::policy::{Grants, Scope};

/// Every wasm module starts so.
pub const WASM_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// The ELF section that holds the container in an executable.
pub const ELF_SECTION: &str = ".edgepack";

/// The ELF section of a stub that holds the pages of the base image that few boots touch, compressed. It comes last in
/// an executable: what a boot needs is read from storage before it.
pub const FRAMES_SECTION: &str = ".edgepack.frames";

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
    /// An encoded `guest::Package`, to boot from where there is no image or a guard does not hold.
    Package,
    /// Effects of the start-up that was done at build time: see [`Effect`].
    Deferred,
    /// The script's source map, a zstd frame.
    SourceMap,
    /// The licences of what is inside, a zstd frame.
    Licences,
    /// The table of the image's cold chunks.
    Chunks,
    /// The image's pages, in frames.
    Pages,
    /// What the app is made of.
    Sbom,
    /// A signature of the root.
    Signature,
}

impl SectionKind {
    /// In the order in which they are written.
    pub const ALL: [SectionKind; 11] = [
        SectionKind::Manifest,
        SectionKind::Index,
        SectionKind::Root,
        SectionKind::Package,
        SectionKind::Deferred,
        SectionKind::SourceMap,
        SectionKind::Licences,
        SectionKind::Chunks,
        SectionKind::Pages,
        SectionKind::Sbom,
        SectionKind::Signature,
    ];

    /// Those whose length and hash stand in the index. Pages have theirs per frame, chunks per leaf.
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
            SectionKind::Chunks => "edgepack.chunks",
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

/// What was assumed when the app was started at build time, and how its memory differs under it from the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assumption {
    /// All of them must hold at boot.
    pub guards: Vec<Guard>,
    /// Bytes to write over the image, in ascending order; none for the assumption that the image was made under.
    pub patches: Vec<Patch>,
}

/// Bytes of linear memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where.
    pub address: u32,
    /// What.
    pub bytes: Vec<u8>,
}

/// The decoded index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index<'a> {
    /// The engine it was made for.
    pub engine: Hash,
    /// Bytes of linear memory that the app may have; 0 for all there is.
    pub memory_bytes_max: u64,
    /// What the app may do.
    pub grants: Grants,
    /// What must hold for the image: one of these. The first fits in most boots.
    pub assumptions: Vec<Assumption>,
    /// Other sections.
    pub sections: Vec<SectionEntry>,
    /// The app started at build time.
    pub image: Option<Image<'a>>,
}

const MAGIC: &[u8; 8] = b"edgeidx4";

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
    pub assumptions: &'a [Assumption],
    /// As in [`Index`].
    pub sections: &'a [SectionEntry],
    /// The image and its table of cold chunks.
    pub image: Option<(&'a ImageParts, &'a [u8])>,
}

impl IndexParts<'_> {
    /// The bytes that [`Index::decode`] reads.
    #[must_use]
    pub fn encode(&self, hash: impl Fn(&[u8]) -> Hash) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.engine);
        out.extend_from_slice(&self.memory_bytes_max.to_le_bytes());
        let grants = self.grants;
        for scope in [&grants.net, &grants.read, &grants.write, &grants.env, &grants.run, &grants.sys] {
            put_scope(&mut out, scope);
        }
        put_count(&mut out, self.assumptions.len());
        self.assumptions.iter().for_each(|assumption| put_assumption(&mut out, assumption));
        put_count(&mut out, self.sections.len());
        for section in self.sections {
            put_text(&mut out, section.kind.name());
            put_count(&mut out, section.length);
            out.extend_from_slice(&section.hash);
        }
        out.push(u8::from(self.image.is_some()));
        if let Some((image, cold)) = self.image {
            image.encode(cold, hash, &mut out);
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

fn put_assumption(out: &mut Vec<u8>, assumption: &Assumption) {
    put_count(out, assumption.guards.len());
    for guard in &assumption.guards {
        put_text(out, &guard.call);
        put_count(out, guard.args.len());
        guard.args.iter().for_each(|arg| out.extend_from_slice(&arg.to_le_bytes()));
        out.extend_from_slice(&guard.result.to_le_bytes());
    }
    put_count(out, assumption.patches.len());
    for patch in &assumption.patches {
        out.extend_from_slice(&patch.address.to_le_bytes());
        put_count(out, patch.bytes.len());
        out.extend_from_slice(&patch.bytes);
    }
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
        let assumptions = assumptions(&mut cursor).ok_or(bad("the guards"))?;
        let sections = sections(&mut cursor).ok_or(bad("the sections"))?;
        let image = match cursor.u8() {
            Some(0) => None,
            Some(1) => Some(Image::decode(&mut cursor).ok_or(bad("the image"))?),
            _ => return Err(bad("the image")),
        };
        if !cursor.rest().is_empty() {
            return Err(bad("its length"));
        }
        Ok(Index { engine, memory_bytes_max, grants, assumptions, sections, image })
    }
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

fn assumptions(cursor: &mut Cursor<'_>) -> Option<Vec<Assumption>> {
    let count = cursor.u32().filter(|count| *count <= ASSUMPTIONS_MAX)?;
    (0..count).map(|_| Some(Assumption { guards: guards(cursor)?, patches: patches(cursor)? })).collect()
}

fn patches(cursor: &mut Cursor<'_>) -> Option<Vec<Patch>> {
    let count = cursor.u32().filter(|count| *count <= PATCHES_MAX)?;
    let patch = |cursor: &mut Cursor<'_>| {
        let address = cursor.u32()?;
        Some(Patch { address, bytes: table(cursor, 1)?.to_vec() })
    };
    (0..count).map(|_| patch(cursor)).collect()
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
