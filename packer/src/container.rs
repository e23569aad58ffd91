//! Writes a container: sections in their order, hashes into the index, the index's hash as the root.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use edgepack_format::container::{
    Assumption, Effect, Hash, IndexParts, SectionEntry, SectionKind, WASM_HEADER, encode_effects,
};
use edgepack_format::image::ImageParts;
use edgepack_format::limits::{CHUNK_BYTES, INDEX_BYTES_MAX, MEMORY_BYTES_MAX, SECTION_BYTES_MAX};
use edgepack_format::manifest::{Manifest, Packed};
use wasm_encoder::{CustomSection, Section};

use crate::chunks::{Pages, store};
use crate::error::{Error, Result};

/// The engine that the container is for.
#[derive(Debug, Clone, Copy)]
pub struct Engine<'a> {
    /// See `engine_hash`.
    pub hash: Hash,
    /// Its bootstrapped memory, without trailing zeros or with.
    pub base_memory: &'a [u8],
    /// Numbers of its 4 KiB pages that stubs map; they have the others compressed.
    pub mapped_pages: &'a [u32],
}

/// A captured memory.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'a> {
    /// All of it, in whole wasm pages.
    pub bytes: &'a [u8],
    /// The value of the guest's `__stack_pointer`.
    pub stack_pointer: u32,
}

/// The app started at build time.
#[derive(Debug, Clone, Copy)]
pub struct Started<'a> {
    /// Where it was suspended.
    pub memory: Memory<'a>,
    /// What was assumed, first when the memory was captured.
    pub assumptions: &'a [Assumption],
    /// What is to be done again at boot.
    pub effects: &'a [Effect],
}

/// Everything that goes into a container.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    /// For people and tools; its grants also rule the boot.
    pub manifest: &'a Manifest,
    /// For which engine.
    pub engine: Engine<'a>,
    /// The bundle started.
    pub started: Option<Started<'a>>,
    /// The package to load at boot where there is no image or a guard does not hold.
    pub package: &'a CompressedPackage,
    /// JSON, or empty.
    pub source_map: &'a str,
    /// Texts of licences, or empty.
    pub licences: &'a str,
    /// Numbers of 4 KiB pages that every boot touches: they are stored together.
    pub hot_pages: &'a [u32],
}

/// Writes the container; the same contents give the same bytes.
pub fn container(contents: &Contents<'_>) -> Result<Vec<u8>> {
    let (image, pages) = image(contents)?.unwrap_or_default();
    let cold = image.encode_cold();
    let sections = named_sections(contents, image.cold.len())?;
    limit("memory", pages.len(), u32::MAX as usize)?;
    limit("the table of chunks", cold.len(), SECTION_BYTES_MAX)?;
    let index = index(contents, &sections, (&image, &cold));
    limit("the index", index.len(), INDEX_BYTES_MAX)?;
    let mut out = write_front(&sections, &index);
    for (kind, content) in [(SectionKind::Chunks, &cold), (SectionKind::Pages, &pages)] {
        if !content.is_empty() {
            put_section(&mut out, kind, content);
        }
    }
    Ok(out)
}

/// A `guest::Package` as containers hold it. It depends on nothing that start-up finds out, so it can be made beside that.
#[derive(Debug, Clone)]
pub struct CompressedPackage {
    frame: Vec<u8>,
    content: Vec<u8>,
    /// Where the script is in that.
    script: Range<usize>,
}

impl CompressedPackage {
    /// Compresses an encoded one; where the script is in it.
    ///
    /// # Errors
    /// If it is larger than a section may be.
    pub fn new(content: Vec<u8>, script: Range<usize>) -> Result<CompressedPackage> {
        limit("the package", content.len(), SECTION_BYTES_MAX)?;
        Ok(CompressedPackage { frame: compressed(&content)?, content, script })
    }
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    /// Of zstd: as small as it gets without taking seconds.
    const LEVEL: i32 = 12;
    zstd::bulk::compress(bytes, LEVEL).map_err(Error::Compress)
}

/// The image and the content of the pages section.
fn image(contents: &Contents<'_>) -> Result<Option<(ImageParts, Vec<u8>)>> {
    let Some(Started { memory, .. }) = contents.started else { return Ok(None) };
    let bytes = memory.bytes.len();
    if !bytes.is_multiple_of(CHUNK_BYTES) || bytes as u64 > MEMORY_BYTES_MAX {
        return Err(Error::ImageSize { bytes });
    }
    let set = |pages: &[u32]| pages.iter().copied().collect::<BTreeSet<u32>>();
    let (hot, mapped) = (&set(contents.hot_pages), &set(contents.engine.mapped_pages));
    let base = whole_chunks(contents.engine.base_memory);
    let CompressedPackage { content: package, script: text, .. } = contents.package;
    let stored = store(Pages { memory: memory.bytes, base: &base, hot, mapped, package, text })?;
    let parts = ImageParts {
        memory_chunks: u32::try_from(bytes / CHUNK_BYTES).map_err(|_| Error::ImageSize { bytes })?,
        stack_pointer: memory.stack_pointer,
        base_chunks: u32::try_from(base.len() / CHUNK_BYTES).map_err(|_| Error::ImageSize { bytes })?,
        hot: stored.hot,
        touched: stored.touched,
        cold: stored.cold,
    };
    Ok(Some((parts, stored.content)))
}

fn whole_chunks(memory: &[u8]) -> Cow<'_, [u8]> {
    if memory.len().is_multiple_of(CHUNK_BYTES) {
        return Cow::Borrowed(memory);
    }
    let mut whole = memory.to_vec();
    whole.resize(memory.len().next_multiple_of(CHUNK_BYTES), 0);
    Cow::Owned(whole)
}

/// The sections whose hashes stand in the index, in order.
fn named_sections(contents: &Contents<'_>, chunk_count: usize) -> Result<Vec<(SectionKind, Vec<u8>)>> {
    let (assumptions, effects) =
        contents.started.map(|started| (started.assumptions, started.effects)).unwrap_or_default();
    let sizes = [
        ("chunks", chunk_count),
        ("source_map_bytes", contents.source_map.len()),
        ("started_memory_bytes", contents.started.map_or(0, |started| started.memory.bytes.len())),
    ];
    let packed = Packed { engine: &contents.engine.hash, assumptions, deferred_count: effects.len(), sizes: &sizes };
    let mut sections = vec![(SectionKind::Manifest, contents.manifest.encode(&packed).into_bytes())];
    sections.push((SectionKind::Package, contents.package.frame.clone()));
    if !effects.is_empty() {
        sections.push((SectionKind::Deferred, encode_effects(effects)));
    }
    for (kind, text) in [(SectionKind::SourceMap, contents.source_map), (SectionKind::Licences, contents.licences)] {
        if !text.is_empty() {
            sections.push((kind, compressed(text.as_bytes())?));
        }
    }
    for (kind, content) in &sections {
        limit(kind.name(), content.len(), SECTION_BYTES_MAX)?;
    }
    Ok(sections)
}

fn limit(what: &'static str, bytes: usize, bytes_max: usize) -> Result<()> {
    if bytes > bytes_max { Err(Error::TooLarge { what, bytes, bytes_max }) } else { Ok(()) }
}

fn index(contents: &Contents<'_>, sections: &[(SectionKind, Vec<u8>)], (image, cold): (&ImageParts, &[u8])) -> Vec<u8> {
    let entries: Vec<SectionEntry> = sections
        .iter()
        .map(|(kind, content)| SectionEntry { kind: *kind, length: content.len(), hash: crate::hash(content) })
        .collect();
    let parts = IndexParts {
        engine: contents.engine.hash,
        memory_bytes_max: contents.manifest.memory_bytes_max,
        grants: &contents.manifest.grants,
        assumptions: contents.started.map(|started| started.assumptions).unwrap_or_default(),
        sections: &entries,
        image: contents.started.map(|_| (image, cold)),
    };
    parts.encode(crate::hash)
}

fn write_front(sections: &[(SectionKind, Vec<u8>)], index: &[u8]) -> Vec<u8> {
    let mut out = WASM_HEADER.to_vec();
    let root = crate::hash(index);
    for kind in SectionKind::ALL {
        match kind {
            SectionKind::Index => put_section(&mut out, kind, index),
            SectionKind::Root => put_section(&mut out, kind, &root),
            _ => {
                for (_, content) in sections.iter().filter(|(found, _)| *found == kind) {
                    put_section(&mut out, kind, content);
                }
            }
        }
    }
    out
}

fn put_section(out: &mut Vec<u8>, kind: SectionKind, content: &[u8]) {
    let section = CustomSection { name: kind.name().into(), data: content.into() };
    section.append_to(out);
}
