//! Where each position in the app's script stands in its sources: a source map as the device reads it.
//!
//! Sources, blocks, and the mappings of each block. A block begins at a mapping that is written out; the others are
//! differences to the one before. So a position is found without decoding more than one block, and nothing is read
//! before the first one is asked for.

use alloc::vec::Vec;

use crate::cursor::Cursor;

/// How many mappings a block has.
const BLOCK_MAPPINGS: usize = 128;

/// Bytes of what is known of a block: where its first mapping stands, and where the others begin.
const BLOCK_BYTES: usize = 24;

/// The next mapping is on another line of the script.
const ON_OTHER_LINE: u32 = 1;
/// The next mapping leads to another source.
const IN_OTHER_SOURCE: u32 = 2;

/// A position in the script, and where it comes from. All count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mapping {
    /// Line of the script.
    pub script_line: u32,
    /// Column of the script.
    pub script_column: u32,
    /// Index of the source.
    pub source: u32,
    /// Line of the source.
    pub line: u32,
    /// Column of the source.
    pub column: u32,
}

/// A place in a source; line and column count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The source's path.
    pub source: &'a str,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// Writes mappings that are sorted by their positions in the script.
#[must_use]
pub fn encode(sources: &[&str], mappings: &[Mapping]) -> Vec<u8> {
    let (mut blocks, mut body) = (Vec::new(), Vec::new());
    for block in mappings.chunks(BLOCK_MAPPINGS) {
        let mut before = block.first().copied().unwrap_or_default();
        let start = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let Mapping { script_line, script_column, source, line, column } = before;
        for number in [script_line, script_column, source, line, column, start] {
            blocks.extend_from_slice(&number.to_le_bytes());
        }
        for mapping in block.iter().skip(1) {
            put_difference(&mut body, before, *mapping);
            before = *mapping;
        }
    }
    let mut out = Vec::new();
    put_number(&mut out, u32::try_from(sources.len()).unwrap_or(u32::MAX));
    for source in sources {
        put_number(&mut out, u32::try_from(source.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(source.as_bytes());
    }
    put_number(&mut out, u32::try_from(blocks.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(&blocks);
    out.extend_from_slice(&body);
    out
}

/// The place of a position in the script, whose line and column count from 1; `None` if it has none.
#[must_use]
pub fn find(bytes: &[u8], line: u32, column: u32) -> Option<Place<'_>> {
    let wanted = (line.checked_sub(1)?, column.saturating_sub(1));
    let mut cursor = Cursor::new(bytes);
    let mut sources = Vec::new();
    for _ in 0..take_number(&mut cursor)? {
        let length = usize::try_from(take_number(&mut cursor)?).ok()?;
        sources.push(cursor.bytes(length)?);
    }
    let length = usize::try_from(take_number(&mut cursor)?).ok()?;
    let blocks = cursor.bytes(length)?;
    let found = find_mapping(blocks, cursor.rest(), wanted).filter(|found| found.script_line == wanted.0)?;
    let source = core::str::from_utf8(sources.get(usize::try_from(found.source).ok()?)?).ok()?;
    Some(Place { source, line: found.line.checked_add(1)?, column: found.column.checked_add(1)? })
}

/// The last mapping that is not behind the position.
fn find_mapping(blocks: &[u8], body: &[u8], wanted: (u32, u32)) -> Option<Mapping> {
    let (blocks, _) = blocks.as_chunks::<BLOCK_BYTES>();
    let is_before = |block: &[u8; BLOCK_BYTES]| {
        read_block(block).is_some_and(|(first, _)| (first.script_line, first.script_column) <= wanted)
    };
    let place = blocks.partition_point(is_before).checked_sub(1)?;
    let (mut found, start) = read_block(blocks.get(place)?)?;
    let mut cursor = Cursor::new(body.get(usize::try_from(start).ok()?..)?);
    for _ in 1..BLOCK_MAPPINGS {
        let Some(next) = take_difference(&mut cursor, found) else { break };
        if (next.script_line, next.script_column) > wanted {
            break;
        }
        found = next;
    }
    Some(found)
}

fn read_block(block: &[u8; BLOCK_BYTES]) -> Option<(Mapping, u32)> {
    let mut cursor = Cursor::new(block);
    let mut next = || cursor.u32();
    let mapping =
        Mapping { script_line: next()?, script_column: next()?, source: next()?, line: next()?, column: next()? };
    Some((mapping, next()?))
}

fn put_difference(out: &mut Vec<u8>, from: Mapping, to: Mapping) {
    let lines = to.script_line.saturating_sub(from.script_line);
    let columns = if lines == 0 { to.script_column.saturating_sub(from.script_column) } else { to.script_column };
    let other_source = if to.source == from.source { 0 } else { IN_OTHER_SOURCE };
    let other_line = if lines == 0 { 0 } else { ON_OTHER_LINE };
    put_number(out, (columns << 2) | other_source | other_line);
    if lines > 0 {
        put_number(out, lines);
    }
    if to.source != from.source {
        put_number(out, to.source);
    }
    put_number(out, zigzag(from.line, to.line));
    put_number(out, zigzag(from.column, to.column));
}

fn take_difference(cursor: &mut Cursor<'_>, from: Mapping) -> Option<Mapping> {
    let head = take_number(cursor)?;
    let mut to = Mapping { script_column: from.script_column.checked_add(head >> 2)?, ..from };
    if head & ON_OTHER_LINE != 0 {
        to.script_line = from.script_line.checked_add(take_number(cursor)?)?;
        to.script_column = head >> 2;
    }
    if head & IN_OTHER_SOURCE != 0 {
        to.source = take_number(cursor)?;
    }
    to.line = unzigzag(from.line, take_number(cursor)?);
    to.column = unzigzag(from.column, take_number(cursor)?);
    Some(to)
}

/// A difference as a number that is small if it is near zero, on either side.
fn zigzag(from: u32, to: u32) -> u32 {
    if to >= from { to.wrapping_sub(from) << 1 } else { (from.wrapping_sub(to) << 1).wrapping_sub(1) }
}

fn unzigzag(from: u32, coded: u32) -> u32 {
    if coded & 1 == 0 { from.wrapping_add(coded >> 1) } else { from.wrapping_sub((coded >> 1).wrapping_add(1)) }
}

/// Seven bits to a byte, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u32) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

fn take_number(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut number = 0;
    for shift in (0..u32::BITS).step_by(7) {
        let byte = cursor.u8()?;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lines, two sources, differences of both signs, several blocks.
    fn mappings() -> Vec<Mapping> {
        let mapping = |number: u32| Mapping {
            script_line: number / 400,
            script_column: number % 400 * 3,
            source: number / 7 % 2,
            line: 1000 - number,
            column: number * 37 % 101,
        };
        (0..900).map(mapping).collect()
    }

    #[test]
    fn every_position_is_found_again() {
        let mappings = mappings();
        let bytes = encode(&["/app/a.ts", "/app/b.ts"], &mappings);
        for mapping in &mappings {
            for offset in 1..=3 {
                let found = find(&bytes, mapping.script_line + 1, mapping.script_column + offset);
                let source = if mapping.source == 0 { "/app/a.ts" } else { "/app/b.ts" };
                assert_eq!(found, Some(Place { source, line: mapping.line + 1, column: mapping.column + 1 }));
            }
        }
    }

    #[test]
    fn a_position_without_a_mapping_has_no_place() {
        let one = Mapping { script_line: 1, script_column: 5, ..Mapping::default() };
        let bytes = encode(&["/app/a.ts"], &[one]);
        assert_eq!(find(&bytes, 2, 5), None);
        assert_eq!(find(&bytes, 1, 9), None);
        assert_eq!(find(&bytes, 3, 9), None);
        assert_eq!(find(&[], 1, 1), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let bytes = encode(&["/app/a.ts", "/app/b.ts"], &mappings());
        for cut in 0..bytes.len() {
            let _ = find(&bytes[..cut], 2, 700);
            let mut broken = bytes.clone();
            broken[cut] ^= 0xff;
            let _ = find(&broken, 2, 700);
        }
    }
}
