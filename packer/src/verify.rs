//! Checks everything in a container: what `inspect` shows has been verified.

use std::collections::BTreeMap;

use edgepack_format::container::{ImageKind, Index, SectionKind, Sections, Stored, decode_effects};
use edgepack_format::limits::{CHUNK_BYTES, HOT_FRAME_PAGES, PAGE_BYTES};

use crate::error::{Error, Result};

/// A section's place in the size table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionSize {
    /// Its name.
    pub name: &'static str,
    /// Bytes of its content.
    pub bytes: usize,
}

/// A container with everything checked.
#[derive(Debug)]
pub struct Verified<'a> {
    /// The manifest's JSON.
    pub manifest: &'a str,
    /// The index.
    pub index: Index<'a>,
    /// Every section.
    pub sections: Vec<SectionSize>,
    /// The source map's JSON, or empty.
    pub source_map: String,
    /// Licence texts, or empty.
    pub licences: String,
}

/// Checks every hash, decompresses every chunk, reads every list.
pub fn verify(container: &[u8]) -> Result<Verified<'_>> {
    let sections = Sections::find(container)?;
    let index = sections.index(crate::hash)?;
    for kind in SectionKind::HASHED {
        sections.verified(kind, &index, crate::hash)?;
    }
    let pages = sections.get(SectionKind::Pages).unwrap_or_default();
    for number in 0..index.stored_count() {
        let (stored, bytes) = index.chunk(number, pages, crate::hash)?;
        expand(&index, number, &stored, bytes)?;
    }
    decode_effects(sections.get(SectionKind::Deferred).unwrap_or_default())?;
    let manifest = sections.require(SectionKind::Manifest)?;
    let manifest = std::str::from_utf8(manifest)
        .map_err(|_| edgepack_format::container::ContainerError::BadIndex("the manifest's text"))?;
    let sizes = sections.iter().map(|(kind, content)| SectionSize { name: kind.name(), bytes: content.len() });
    Ok(Verified {
        manifest,
        sections: sizes.collect(),
        source_map: text(&sections, SectionKind::SourceMap)?,
        licences: text(&sections, SectionKind::Licences)?,
        index,
    })
}

impl Verified<'_> {
    /// Bytes that an image stores, shared ones included.
    #[must_use]
    pub fn stored_bytes(&self, kind: ImageKind) -> usize {
        let image = self.index.image(kind);
        let chunks = image.into_iter().flat_map(|image| image.hot().chain(image.cold()));
        // Rows that share a frame count once.
        let frames: BTreeMap<usize, usize> = chunks
            .filter_map(|(_, number)| self.index.stored(number))
            .map(|stored| (stored.offset, stored.length))
            .collect();
        frames.values().sum()
    }
}

fn expand(index: &Index<'_>, number: u32, stored: &Stored, bytes: &[u8]) -> Result<()> {
    let end = index.offset_in_frame(number) + stored.memory_bytes();
    let next = number.checked_add(1).and_then(|next| index.stored(next));
    if next.is_some_and(|next| stored.shares_frame(&next)) {
        // The last row of a frame has its whole length.
        return Ok(());
    }
    let what = || format!("stored chunk {number}");
    let pages = zstd::bulk::decompress(bytes, CHUNK_BYTES.max(HOT_FRAME_PAGES * PAGE_BYTES))
        .map_err(|source| Error::Decompress { what: what(), source })?;
    if pages.len() != end {
        let source = std::io::Error::other("its length is not that of its pages");
        return Err(Error::Decompress { what: what(), source });
    }
    Ok(())
}

fn text(sections: &Sections<'_>, kind: SectionKind) -> Result<String> {
    let Some(frame) = sections.get(kind) else { return Ok(String::new()) };
    let decompress = |frame| {
        let bytes = zstd::stream::decode_all(frame)?;
        String::from_utf8(bytes).map_err(std::io::Error::other)
    };
    decompress(frame).map_err(|source| Error::Decompress { what: kind.name().to_owned(), source })
}
