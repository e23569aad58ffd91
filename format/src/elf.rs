//! As much of ELF as boot needs: where a named section lies in a file, and where an address comes from.

use core::ops::Range;

use crate::cursor::Cursor;

/// The offsets and widths that differ between 32 and 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Bits32,
    Bits64,
}

/// A little-endian ELF file.
#[derive(Debug, Clone, Copy)]
pub struct Elf<'a> {
    bytes: &'a [u8],
    class: Class,
}

const LITTLE_ENDIAN: u8 = 1;
const LOADED: u64 = 1;

impl<'a> Elf<'a> {
    /// Looks at the first bytes only.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Elf<'a>> {
        let mut cursor = Cursor::new(bytes.strip_prefix(b"\x7fELF")?);
        let class = match cursor.u8()? {
            1 => Class::Bits32,
            2 => Class::Bits64,
            _ => return None,
        };
        (cursor.u8()? == LITTLE_ENDIAN).then_some(Elf { bytes, class })
    }

    fn pick<T>(&self, narrow: T, wide: T) -> T {
        match self.class {
            Class::Bits32 => narrow,
            Class::Bits64 => wide,
        }
    }

    fn at(&self, offset: u64) -> Option<Cursor<'a>> {
        Some(Cursor::new(self.bytes.get(usize::try_from(offset).ok()?..)?))
    }

    fn half(&self, offset: u64) -> Option<u64> {
        self.at(offset)?.u16().map(u64::from)
    }

    fn int(&self, offset: u64) -> Option<u64> {
        self.at(offset)?.u32().map(u64::from)
    }

    /// An address, offset or size.
    fn word(&self, offset: u64) -> Option<u64> {
        let mut cursor = self.at(offset)?;
        match self.class {
            Class::Bits32 => cursor.u32().map(u64::from),
            Class::Bits64 => cursor.u64(),
        }
    }

    /// Where the content of the last section of that name lies in the file.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<Range<usize>> {
        let table = self.word(self.pick(0x20, 0x28))?;
        let row_bytes = self.half(self.pick(0x2e, 0x3a))?;
        let rows = self.half(self.pick(0x30, 0x3c))?;
        let names = self.half(self.pick(0x32, 0x3e))?;
        let row = |number: u64| table.checked_add(number.checked_mul(row_bytes)?);
        let names = self.content(row(names)?)?;
        let is_named = |number: &u64| {
            let start = row(*number).and_then(|row| self.int(row)).and_then(|start| usize::try_from(start).ok());
            let text = start.and_then(|start| self.bytes.get(names.clone())?.get(start..));
            text.and_then(|text| text.strip_prefix(name.as_bytes())).is_some_and(|rest| rest.first() == Some(&0))
        };
        let found = (0..rows).rev().find(is_named)?;
        self.content(row(found)?)
    }

    fn content(&self, row: u64) -> Option<Range<usize>> {
        let offset = self.word(row.checked_add(self.pick(0x10, 0x18))?)?;
        let bytes = self.word(row.checked_add(self.pick(0x14, 0x20))?)?;
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(bytes).ok()?)?;
        self.bytes.get(start..end).map(|_| start..end)
    }

    /// Where in the file the byte at a loaded address comes from.
    #[must_use]
    pub fn file_offset(&self, address: u64) -> Option<u64> {
        let table = self.word(self.pick(0x1c, 0x20))?;
        let row_bytes = self.half(self.pick(0x2a, 0x36))?;
        let rows = self.half(self.pick(0x2c, 0x38))?;
        (0..rows).find_map(|number| {
            let row = table.checked_add(number.checked_mul(row_bytes)?)?;
            let field = |narrow, wide| self.word(row.checked_add(self.pick(narrow, wide))?);
            let (offset, start, bytes) = (field(4, 8)?, field(8, 16)?, field(16, 32)?);
            let inside = address.checked_sub(start).filter(|inside| *inside < bytes)?;
            (self.int(row)? == LOADED).then(|| offset.checked_add(inside))?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Elf;

    #[test]
    fn anything_is_read_without_a_panic() {
        for length in 0..200 {
            let mut bytes = alloc::vec![0xff; length];
            for (slot, byte) in bytes.iter_mut().zip(b"\x7fELF\x02\x01") {
                *slot = *byte;
            }
            if let Some(elf) = Elf::parse(&bytes) {
                assert_eq!(elf.section(".edgepack"), None);
                assert_eq!(elf.file_offset(0), None);
            }
        }
    }
}
