//! UTF-8 of JS strings; a lone surrogate is written as U+FFFD.

use crate::js::Units;

/// What a partial write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// UTF-16 units read.
    pub(crate) read: usize,
    /// Bytes written.
    pub(crate) written: usize,
}

/// How many bytes the text takes.
pub(crate) fn length(units: Units<'_>) -> usize {
    match units {
        Units::Latin1(bytes) => bytes.len() + bytes.iter().filter(|byte| **byte >= 0x80).count(),
        Units::Utf16(wide) => {
            char::decode_utf16(wide.iter().copied()).map(|unit| or_replacement(unit).len_utf8()).sum()
        }
    }
}

fn or_replacement(unit: Result<char, std::char::DecodeUtf16Error>) -> char {
    unit.unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Writes the whole characters that fit.
pub(crate) fn write(units: Units<'_>, out: &mut [u8]) -> Progress {
    match units {
        Units::Latin1(bytes) => write_latin1(bytes, out),
        Units::Utf16(wide) => write_utf16(wide, out),
    }
}

fn write_latin1(bytes: &[u8], out: &mut [u8]) -> Progress {
    let plain = ascii_prefix(bytes).min(out.len());
    out[..plain].copy_from_slice(&bytes[..plain]);
    let (mut read, mut written) = (plain, plain);
    for &byte in &bytes[plain..] {
        let encoded = [0xc0 | byte >> 6, 0x80 | byte & 0x3f];
        let encoded = if byte < 0x80 { std::slice::from_ref(&byte) } else { &encoded[..] };
        let Some(to) = out.get_mut(written..written + encoded.len()) else { break };
        to.copy_from_slice(encoded);
        read += 1;
        written += encoded.len();
    }
    Progress { read, written }
}

fn ascii_prefix(bytes: &[u8]) -> usize {
    if bytes.is_ascii() { bytes.len() } else { bytes.iter().position(|byte| *byte >= 0x80).unwrap_or(bytes.len()) }
}

fn write_utf16(wide: &[u16], out: &mut [u8]) -> Progress {
    let (mut read, mut written) = (0, 0);
    for unit in char::decode_utf16(wide.iter().copied()) {
        let character = or_replacement(unit);
        let Some(to) = out.get_mut(written..written + character.len_utf8()) else { break };
        character.encode_utf8(to);
        read += character.len_utf16();
        written += character.len_utf8();
    }
    Progress { read, written }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_splits_a_character() {
        let text: Vec<u16> = "aé€😀".encode_utf16().collect();
        let mut out = [0; 9];
        assert_eq!(write(Units::Utf16(&text), &mut out), Progress { read: 3, written: 6 });
        assert_eq!(&out[..6], "aé€".as_bytes());
        assert_eq!(length(Units::Utf16(&text)), 10);
        assert_eq!(write(Units::Latin1(&[0x61, 0xe9]), &mut out[..2]), Progress { read: 1, written: 1 });
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        let mut out = [0; 5];
        assert_eq!(write(Units::Utf16(&[0x61, 0xd83d]), &mut out), Progress { read: 2, written: 4 });
        assert_eq!(&out[..4], "a\u{fffd}".as_bytes());
        assert_eq!(write(Units::Utf16(&[0x61, 0xd83d]), &mut out[..3]), Progress { read: 1, written: 1 });
    }
}
