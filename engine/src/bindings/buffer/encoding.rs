//! Node's string encodings: bytes to JS strings and back.

use super::{base64, hex, utf8};
use crate::js::{Ctx, ErrorClass, Result, Units, Value, from_latin1, from_str, from_utf16, throw_coded};

/// Node's `buffer.constants.MAX_STRING_LENGTH`, the longest string of V8 on 64 bits.
const STRING_UNITS_MAX: usize = 0x1fff_ffe8;

/// An encoding of text as Node's `enum encoding` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// One byte a unit, decoded with the high bit cleared.
    Ascii,
    /// UTF-8.
    Utf8,
    /// Base64, padded.
    Base64,
    /// UTF-16, little endian.
    Utf16Le,
    /// One byte a unit.
    Latin1,
    /// Hexadecimal digits.
    Hex,
    /// Base64 for URLs, not padded.
    Base64Url,
}

impl Encoding {
    /// By the number that `internalBinding('string_decoder').encodings` gives it. 6 is `buffer`, read as UTF-8.
    pub(crate) fn from_number(number: u32) -> Encoding {
        match number {
            0 => Encoding::Ascii,
            2 => Encoding::Base64,
            3 => Encoding::Utf16Le,
            4 => Encoding::Latin1,
            5 => Encoding::Hex,
            7 => Encoding::Base64Url,
            _ => Encoding::Utf8,
        }
    }

    /// By name, any case.
    pub(crate) fn parse(name: &str) -> Option<Encoding> {
        match name.to_ascii_lowercase().as_str() {
            "ascii" => Some(Encoding::Ascii),
            "base64" => Some(Encoding::Base64),
            "base64url" => Some(Encoding::Base64Url),
            "hex" => Some(Encoding::Hex),
            "latin1" | "binary" => Some(Encoding::Latin1),
            "ucs2" | "ucs-2" | "utf16le" | "utf-16le" => Some(Encoding::Utf16Le),
            "utf8" | "utf-8" => Some(Encoding::Utf8),
            _ => None,
        }
    }

    /// By name, any case; UTF-8 for an unknown one.
    pub(crate) fn from_name(name: &str) -> Encoding {
        Encoding::parse(name).unwrap_or(Encoding::Utf8)
    }
}

/// The JS string that the bytes mean. Malformed UTF-8 becomes U+FFFD; an odd last byte of UTF-16 is left out.
pub(crate) fn decode<'js>(ctx: &Ctx<'js>, bytes: &[u8], encoding: Encoding) -> Result<Value<'js>> {
    if bytes.len() > STRING_UNITS_MAX / 2 && units_of(bytes, encoding) > STRING_UNITS_MAX {
        let message = format!("Cannot create a string longer than {STRING_UNITS_MAX:#x} characters");
        return Err(throw_coded(ctx, ErrorClass::Plain, "ERR_STRING_TOO_LONG", &message));
    }
    match encoding {
        Encoding::Latin1 => from_latin1(ctx, bytes),
        Encoding::Utf8 if bytes.is_ascii() => from_latin1(ctx, bytes),
        Encoding::Utf8 => from_str(ctx, &String::from_utf8_lossy(bytes)),
        Encoding::Ascii if bytes.is_ascii() => from_latin1(ctx, bytes),
        Encoding::Ascii => from_latin1(ctx, &bytes.iter().map(|byte| byte & 0x7f).collect::<Vec<u8>>()),
        Encoding::Base64 => from_latin1(ctx, &base64::encode(bytes, base64::Alphabet::Standard)),
        Encoding::Base64Url => from_latin1(ctx, &base64::encode(bytes, base64::Alphabet::Url)),
        Encoding::Hex => from_latin1(ctx, &hex::encode(bytes)),
        Encoding::Utf16Le => from_utf16(ctx, &utf16_units(bytes)),
    }
}

/// How many units the decoded string has.
fn units_of(bytes: &[u8], encoding: Encoding) -> usize {
    match encoding {
        Encoding::Ascii | Encoding::Latin1 => bytes.len(),
        Encoding::Utf8 => String::from_utf8_lossy(bytes).encode_utf16().count(),
        Encoding::Base64 => bytes.len().div_ceil(3) * 4,
        Encoding::Base64Url => (bytes.len() * 4).div_ceil(3),
        Encoding::Utf16Le => bytes.len() / 2,
        Encoding::Hex => bytes.len() * 2,
    }
}

fn utf16_units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Writes what fits of the text into `out`, whole characters only; how many bytes were written.
pub(crate) fn write(units: Units<'_>, encoding: Encoding, out: &mut [u8]) -> usize {
    match encoding {
        Encoding::Utf8 => utf8::write(units, out).written,
        Encoding::Ascii | Encoding::Latin1 => write_latin1(units, out),
        Encoding::Utf16Le => write_utf16(units, out),
        Encoding::Hex => hex::decode(units, out),
        Encoding::Base64 | Encoding::Base64Url => base64::decode(units, out),
    }
}

/// All bytes of the text.
pub(crate) fn encode(units: Units<'_>, encoding: Encoding) -> Vec<u8> {
    let length = match units {
        Units::Latin1(bytes) => bytes.len(),
        Units::Utf16(wide) => wide.len(),
    };
    let capacity = match encoding {
        Encoding::Utf8 => utf8::length(units),
        Encoding::Utf16Le => length * 2,
        Encoding::Hex => length / 2,
        Encoding::Ascii | Encoding::Latin1 | Encoding::Base64 | Encoding::Base64Url => length,
    };
    let mut out = vec![0; capacity];
    let written = write(units, encoding, &mut out);
    out.truncate(written);
    out
}

fn write_latin1(units: Units<'_>, out: &mut [u8]) -> usize {
    match units {
        Units::Latin1(bytes) => {
            let count = bytes.len().min(out.len());
            out[..count].copy_from_slice(&bytes[..count]);
            count
        }
        Units::Utf16(wide) => {
            for (to, unit) in out.iter_mut().zip(wide) {
                *to = low_byte(*unit);
            }
            wide.len().min(out.len())
        }
    }
}

/// Node takes the low byte where an encoding knows no wide units.
pub(super) fn low_byte(unit: u16) -> u8 {
    unit.to_le_bytes()[0]
}

fn write_utf16(units: Units<'_>, out: &mut [u8]) -> usize {
    let pairs = out.chunks_exact_mut(2);
    let capacity = pairs.len();
    match units {
        Units::Latin1(bytes) => {
            for (pair, byte) in pairs.zip(bytes) {
                pair.copy_from_slice(&[*byte, 0]);
            }
            bytes.len().min(capacity) * 2
        }
        Units::Utf16(wide) => {
            for (pair, unit) in pairs.zip(wide) {
                pair.copy_from_slice(&unit.to_le_bytes());
            }
            wide.len().min(capacity) * 2
        }
    }
}
