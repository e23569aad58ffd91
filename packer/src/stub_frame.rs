//! A stub → what it has that another one has not, and back: stubs share the base image, which is most of them.

use std::io::{Read, Write};

use crate::error::{Error, Result};

const LEVEL: i32 = 19;

/// The window has to span both stubs: 64 MiB.
const WINDOW_LOG: u32 = 26;

/// Compresses a stub against a known one.
pub fn compress_stub(stub: &[u8], known: &[u8]) -> Result<Vec<u8>> {
    let write = || {
        let mut encoder = zstd::stream::Encoder::with_ref_prefix(Vec::new(), LEVEL, known)?;
        encoder.long_distance_matching(true)?;
        encoder.window_log(WINDOW_LOG)?;
        encoder.set_pledged_src_size(Some(stub.len() as u64))?;
        encoder.write_all(stub)?;
        encoder.finish()
    };
    write().map_err(Error::Compress)
}

/// The stub that was compressed against the known one.
pub fn expand_stub(frame: &[u8], known: &[u8]) -> Result<Vec<u8>> {
    let read = || {
        let mut stub = Vec::new();
        zstd::stream::Decoder::with_ref_prefix(frame, known)?.read_to_end(&mut stub)?;
        Ok(stub)
    };
    read().map_err(|source| Error::Decompress { what: "a stub".to_owned(), source })
}
