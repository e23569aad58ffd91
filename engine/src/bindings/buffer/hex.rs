//! Hexadecimal digits.

use super::encoding::low_byte;
use crate::js::Units;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Two lower-case digits a byte.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    out
}

/// Decodes pairs of digits until one is malformed or `out` is full; how many bytes were written.
pub(super) fn decode(units: Units<'_>, out: &mut [u8]) -> usize {
    match units {
        Units::Latin1(bytes) => decode_pairs(bytes.chunks_exact(2).map(|pair| (pair[0], pair[1])), out),
        Units::Utf16(wide) => {
            decode_pairs(wide.chunks_exact(2).map(|pair| (low_byte(pair[0]), low_byte(pair[1]))), out)
        }
    }
}

fn decode_pairs(pairs: impl Iterator<Item = (u8, u8)>, out: &mut [u8]) -> usize {
    let mut written = 0;
    for ((high, low), to) in pairs.zip(out) {
        let (Some(high), Some(low)) = (digit(high), digit(low)) else { break };
        *to = high << 4 | low;
        written += 1;
    }
    written
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
