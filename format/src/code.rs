//! The engine's code that few boots call, as a stub has it: frames in a section of its own.

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::limits::PAGE_BYTES;

/// What the linker calls the engine's functions that few boots call. They are at their addresses in no file: a stub has
/// them compressed.
pub const COLD_CODE_SECTION: &str = "edge_cold_code";

/// The ELF section of a stub that holds them. It comes last in an executable, as no boot may need it.
pub const CODE_SECTION: &str = ".edgepack.code";

/// So much code is in a frame: what a call brings at once, where the kernel's pages are not larger.
pub const CODE_FRAME_BYTES: usize = 4 * PAGE_BYTES;

/// Frames at most: 4 MiB of code.
pub const CODE_FRAMES_MAX: usize = 256;

/// Frames, one after the other, behind a table of where each ends.
#[derive(Debug, Clone, Copy)]
pub struct CodeFrames<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> CodeFrames<'a> {
    /// The frames of so many bytes of code.
    #[must_use]
    pub const fn new(bytes: &'a [u8], code_bytes: usize) -> CodeFrames<'a> {
        CodeFrames { bytes, count: code_bytes.div_ceil(CODE_FRAME_BYTES) }
    }

    /// What the section has; `None` if the table cannot say how long it is.
    #[must_use]
    pub fn encode(frames: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut end: u32 = 0;
        for frame in frames {
            end = end.checked_add(u32::try_from(frame.len()).ok()?)?;
            out.extend_from_slice(&end.to_le_bytes());
        }
        out.extend(frames.iter().flatten());
        Some(out)
    }

    /// A frame; `None` if it is not there.
    #[must_use]
    pub fn frame(&self, number: usize) -> Option<&'a [u8]> {
        let (table, frames) = self.bytes.split_at_checked(self.count.checked_mul(ROW_BYTES)?)?;
        let end = |number: usize| {
            let row = table.get(number.checked_mul(ROW_BYTES)?..)?;
            usize::try_from(Cursor::new(row).u32()?).ok()
        };
        let start = if number == 0 { 0 } else { end(number - 1)? };
        frames.get(start..end(number)?)
    }
}

const ROW_BYTES: usize = size_of::<u32>();

#[cfg(test)]
mod tests {
    use super::{CODE_FRAME_BYTES, CodeFrames};
    use alloc::vec;

    #[test]
    fn frames_are_found_and_nothing_else() {
        let section = CodeFrames::encode(&[vec![1, 2], vec![], vec![3]]).unwrap();
        let frames = CodeFrames::new(&section, 2 * CODE_FRAME_BYTES + 1);
        let found: vec::Vec<_> = (0..4).map(|number| frames.frame(number)).collect();
        assert_eq!(found, [Some([1, 2].as_slice()), Some(&[]), Some(&[3]), None]);
    }

    #[test]
    fn a_damaged_table_gives_nothing() {
        for length in 0..CodeFrames::encode(&[vec![1, 2]]).unwrap().len() {
            assert_eq!(CodeFrames::new(&[0xff; 16][..length], CODE_FRAME_BYTES).frame(0), None);
        }
        let backwards = [9, 0, 0, 0, 1, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7];
        assert_eq!(CodeFrames::new(&backwards, 2 * CODE_FRAME_BYTES).frame(1), None);
    }
}
