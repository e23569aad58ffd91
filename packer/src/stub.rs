//! What the linker made → a stub: the engine's code that few boots call is taken out and compressed, and the compressed
//! part of the base image is added.

use edgepack_format::code::{CODE_FRAME_BYTES, CODE_FRAMES_MAX, CODE_SECTION, COLD_CODE_SECTION, CodeFrames};
use edgepack_format::container::FRAMES_SECTION;

use crate::error::{Error, Result};
use crate::executable::{section_named, with_section, without_segment};

/// zstd's level: done once for each engine, so the best that a decoder with little memory reads.
const LEVEL: i32 = 22;

/// The code that is loaded, and that the rest is compressed against.
const LOADED_CODE_SECTION: &str = ".text";

/// The stub of what was linked and the base image's frames.
pub fn stub(linked: &[u8], base_frames: &[u8]) -> Result<Vec<u8>> {
    let section = |name| section_named(linked, name).map_err(|_| Error::Stub(format!("it has no {name}")));
    let (code, known) = (section(COLD_CODE_SECTION)?, section(LOADED_CODE_SECTION)?);
    let frames = compressed_code(code, known)?;
    let stub = without_segment(linked, COLD_CODE_SECTION)?;
    with_section(&with_section(&stub, FRAMES_SECTION, base_frames)?, CODE_SECTION, &frames)
}

fn compressed_code(code: &[u8], known: &[u8]) -> Result<Vec<u8>> {
    let bytes_max = CODE_FRAMES_MAX * CODE_FRAME_BYTES;
    if code.len() > bytes_max {
        return Err(Error::TooLarge { what: "the engine's code", bytes: code.len(), bytes_max });
    }
    let mut compressor = zstd::bulk::Compressor::with_dictionary(LEVEL, known).map_err(Error::Compress)?;
    let frames = code.chunks(CODE_FRAME_BYTES).map(|code| compressor.compress(code).map_err(Error::Compress));
    let frames = frames.collect::<Result<Vec<_>>>()?;
    CodeFrames::encode(&frames).ok_or_else(|| Error::Stub("its code is too long".to_owned()))
}
