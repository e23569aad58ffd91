//! Base64 as Node reads and writes it: both alphabets are read, whatever is no digit is skipped, `=` ends the text.
//! And the strict form of `atob`.

use super::encoding::low_byte;
use crate::js::Units;

/// Which digits stand for 62 and 63, and whether the text is padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// `+` and `/`, padded.
    Standard,
    /// `-` and `_`, not padded.
    Url,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// In [`VALUES`]: not a digit.
const SKIPPED: u8 = 0x80;
/// In [`VALUES`]: the padding.
const END: u8 = 0x81;

/// What each byte means.
static VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut table = [SKIPPED; 256];
    let mut value = 0_u8;
    while value < 64 {
        table[STANDARD[value as usize] as usize] = value;
        table[URL[value as usize] as usize] = value;
        value += 1;
    }
    table[b'=' as usize] = END;
    table
}

fn value(byte: u8) -> u8 {
    VALUES[usize::from(byte)]
}

/// The digits of `bytes`.
pub(super) fn encode(bytes: &[u8], alphabet: Alphabet) -> Vec<u8> {
    let digits = if alphabet == Alphabet::Url { URL } else { STANDARD };
    let digit = |bits: u32| digits[usize::from(bits.to_le_bytes()[0] & 63)];
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let chunks = bytes.chunks_exact(3);
    let rest = chunks.remainder();
    for chunk in chunks {
        let bits = u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]);
        out.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]);
    }
    match *rest {
        [first] => out.extend_from_slice(&[digit(u32::from(first) >> 2), digit(u32::from(first) << 4)]),
        [first, second] => {
            let bits = u32::from_be_bytes([0, 0, first, second]);
            out.extend_from_slice(&[digit(bits >> 10), digit(bits >> 4), digit(bits << 2)]);
        }
        _ => {}
    }
    if alphabet == Alphabet::Standard {
        out.resize(bytes.len().div_ceil(3) * 4, b'=');
    }
    out
}

/// Decodes until `=`, the end of the text or of `out`; how many bytes were written.
pub(super) fn decode(units: Units<'_>, out: &mut [u8]) -> usize {
    match units {
        Units::Latin1(bytes) => decode_latin1(bytes, out),
        Units::Utf16(wide) => decode_digits(wide.iter().map(|unit| low_byte(*unit)), out),
    }
}

/// Whole groups of clean digits first, whatever is left with care.
fn decode_latin1(bytes: &[u8], out: &mut [u8]) -> usize {
    let mut written = 0;
    let mut read = 0;
    while let (Some(group), Some(to)) = (bytes.get(read..read + 4), out.get_mut(written..written + 3)) {
        let [first, second, third, fourth] = [value(group[0]), value(group[1]), value(group[2]), value(group[3])];
        if (first | second | third | fourth) & SKIPPED != 0 {
            break;
        }
        to.copy_from_slice(&[first << 2 | second >> 4, second << 4 | third >> 2, third << 6 | fourth]);
        read += 4;
        written += 3;
    }
    written + decode_digits(bytes[read..].iter().copied(), &mut out[written..])
}

fn decode_digits(bytes: impl Iterator<Item = u8>, out: &mut [u8]) -> usize {
    let (mut bits, mut digits, mut written) = (0_u32, 0_u32, 0);
    for byte in bytes {
        let value = value(byte);
        if value == END {
            break;
        }
        if value == SKIPPED {
            continue;
        }
        bits = bits << 6 | u32::from(value);
        digits += 6;
        if digits >= 8 {
            digits -= 8;
            let Some(to) = out.get_mut(written) else { break };
            *to = (bits >> digits).to_le_bytes()[0];
            written += 1;
        }
    }
    written
}

/// Why `atob` refuses a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// One digit is left over.
    Remainder,
    /// A character that is no digit, or wrong padding.
    Character,
}

/// Forgiving-base64 decode of the Infra standard.
pub(super) fn decode_strict(text: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut digits: Vec<u8> = text.iter().copied().filter(|byte| !b" \t\n\x0c\r".contains(byte)).collect();
    let mut padding = 0;
    while padding < 2 && digits.last() == Some(&b'=') {
        digits.pop();
        padding += 1;
    }
    if digits.iter().any(|byte| value(*byte) >= SKIPPED || b"-_".contains(byte)) {
        return Err(Malformed::Character);
    }
    if digits.len() % 4 == 1 {
        return Err(Malformed::Remainder);
    }
    if padding > 0 && !(digits.len() + padding).is_multiple_of(4) {
        return Err(Malformed::Character);
    }
    let mut out = vec![0; digits.len() / 4 * 3 + 2];
    let written = decode_latin1(&digits, &mut out);
    out.truncate(written);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        let mut out = vec![0; 64];
        let written = decode(Units::Latin1(text.as_bytes()), &mut out);
        out.truncate(written);
        out
    }

    #[test]
    fn encodes_both_alphabets() {
        assert_eq!(encode(&[0xfb, 0xff], Alphabet::Standard), b"+/8=");
        assert_eq!(encode(&[0xfb, 0xff], Alphabet::Url), b"-_8");
        assert_eq!(encode(b"abc", Alphabet::Standard), b"YWJj");
        assert_eq!(encode(b"a", Alphabet::Standard), b"YQ==");
    }

    #[test]
    fn skips_what_is_no_digit_and_stops_at_padding() {
        assert_eq!(decoded("YWJj-_+/YW"), b"abc\xfb\xff\xbfa");
        assert_eq!(decoded("Y!W\nJ j"), b"abc");
        assert_eq!(decoded("YQ==YWJj"), b"a");
        assert_eq!(decoded("YWJjY"), b"abc");
        assert_eq!(decoded("=YWJj"), b"");
    }

    #[test]
    fn strict_form_names_the_fault() {
        assert_eq!(decode_strict(b" Y Q = = "), Ok(b"a".to_vec()));
        assert_eq!(decode_strict(b"YQ"), Ok(b"a".to_vec()));
        assert_eq!(decode_strict(b"Y"), Err(Malformed::Remainder));
        assert_eq!(decode_strict(b"9="), Err(Malformed::Remainder));
        assert_eq!(decode_strict(b"YQ="), Err(Malformed::Character));
        assert_eq!(decode_strict(b"YQ==="), Err(Malformed::Character));
        assert_eq!(decode_strict(b"/+-_"), Err(Malformed::Character));
    }
}
