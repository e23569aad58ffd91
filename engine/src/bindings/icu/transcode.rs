//! `buffer.transcode`: bytes of one of Node's encodings to another.

use crate::bindings::buffer::encoding::Encoding;

/// `U_ILLEGAL_ARGUMENT_ERROR`: an encoding that is not one of characters.
pub(super) const ILLEGAL_ARGUMENT: i32 = 1;
/// `U_INVALID_CHAR_FOUND`: malformed input, where it is refused.
pub(super) const INVALID_CHARACTER: i32 = 10;

/// What stands for a character that the target lacks.
const SUBSTITUTE: u8 = b'?';

/// The bytes, or the number of an ICU error.
pub(super) fn transcode(source: &[u8], from: Encoding, to: Encoding) -> Result<Vec<u8>, i32> {
    let text = match from {
        Encoding::Ascii => source
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER })
            .collect(),
        Encoding::Latin1 => source.iter().copied().map(char::from).collect(),
        Encoding::Utf8 if to == Encoding::Utf16Le => {
            std::str::from_utf8(source).map_err(|_| INVALID_CHARACTER)?.to_owned()
        }
        Encoding::Utf8 => String::from_utf8_lossy(source).into_owned(),
        Encoding::Utf16Le => {
            let units: Vec<u16> = source.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            match String::from_utf16(&units) {
                Ok(text) => text,
                Err(_) if to == Encoding::Utf8 => return Err(INVALID_CHARACTER),
                Err(_) => String::from_utf16_lossy(&units),
            }
        }
        Encoding::Base64 | Encoding::Base64Url | Encoding::Hex => return Err(ILLEGAL_ARGUMENT),
    };
    match to {
        Encoding::Ascii => Ok(narrow(&text, 0x7f)),
        Encoding::Latin1 => Ok(narrow(&text, 0xff)),
        Encoding::Utf8 => Ok(text.into_bytes()),
        Encoding::Utf16Le => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        Encoding::Base64 | Encoding::Base64Url | Encoding::Hex => Err(ILLEGAL_ARGUMENT),
    }
}

fn narrow(text: &str, last: u8) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(character).ok().filter(|byte| *byte <= last).unwrap_or(SUBSTITUTE))
        .collect()
}
