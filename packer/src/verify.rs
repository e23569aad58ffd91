//! Checks everything in a container: what `inspect` shows has been verified.

use edgepack_format::container::{ContainerError, Index, SectionKind, Sections, decode_effects};
use edgepack_format::image::{Frame, Image, Part, Stored};
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
    if let Some(image) = &index.image {
        verify_image(image, &sections)?;
    }
    decode_effects(sections.get(SectionKind::Deferred).unwrap_or_default())?;
    let manifest = sections.require(SectionKind::Manifest)?;
    let manifest = std::str::from_utf8(manifest).map_err(|_| ContainerError::BadIndex("the manifest's text"))?;
    let sizes = sections.iter().map(|(kind, content)| SectionSize { name: kind.name(), bytes: content.len() });
    Ok(Verified {
        manifest,
        sections: sizes.collect(),
        source_map: text(&sections, SectionKind::SourceMap)?,
        licences: text(&sections, SectionKind::Licences)?,
        index,
    })
}

fn verify_image(image: &Image<'_>, sections: &Sections<'_>) -> Result<()> {
    let pages = sections.get(SectionKind::Pages).unwrap_or_default();
    let cold = sections.get(SectionKind::Chunks).unwrap_or_default();
    let package = expanded(sections, SectionKind::Package)?;
    for hot in image.hot() {
        let parts: Vec<Part> = hot.parts().collect();
        expand(&hot.frame, &parts, pages)?;
    }
    let mut rows = 0;
    for number in 0.. {
        if rows == image.cold_count() {
            break;
        }
        let leaf = image.leaf(number, cold)?;
        leaf.verify(crate::hash)?;
        for chunk in leaf.rows() {
            match &chunk.stored {
                Stored::Frame(frame) => expand(frame, &[chunk.part], pages)?,
                Stored::Package { offset } if package.get(*offset..offset + chunk.part.memory_bytes()).is_some() => {}
                Stored::Package { .. } => return Err(ContainerError::BadIndex("a chunk's part of the package").into()),
            }
            rows += 1;
        }
    }
    Ok(())
}

fn expand(frame: &Frame, parts: &[Part], pages: &[u8]) -> Result<()> {
    let chunk = parts.first().map_or(0, |part| part.chunk);
    let bytes = frame.bytes(chunk, pages, crate::hash)?;
    let what = || format!("chunk {chunk} of the app's memory");
    let decompressed = zstd::bulk::decompress(bytes, CHUNK_BYTES.max(HOT_FRAME_PAGES * PAGE_BYTES))
        .map_err(|source| Error::Decompress { what: what(), source })?;
    if decompressed.len() != parts.iter().map(Part::memory_bytes).sum::<usize>() {
        let source = std::io::Error::other("its length is not that of its pages");
        return Err(Error::Decompress { what: what(), source });
    }
    Ok(())
}

fn text(sections: &Sections<'_>, kind: SectionKind) -> Result<String> {
    let text = String::from_utf8(expanded(sections, kind)?).map_err(std::io::Error::other);
    text.map_err(|source| Error::Decompress { what: kind.name().to_owned(), source })
}

fn expanded(sections: &Sections<'_>, kind: SectionKind) -> Result<Vec<u8>> {
    let Some(frame) = sections.get(kind) else { return Ok(Vec::new()) };
    zstd::stream::decode_all(frame).map_err(|source| Error::Decompress { what: kind.name().to_owned(), source })
}
