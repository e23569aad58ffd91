//! Which bytes may stand where in an HTTP/1 message: one table of classes for all 256 bytes.

/// A set of bytes, as a bit in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u8);

/// `tchar` of RFC 9110: method and field names.
pub(super) const TOKEN: Class = Class(1);
/// What a path, query or fragment is made of, without `?` and `#`.
pub(super) const URL: Class = Class(2);
/// What may stand in the authority of a URL, without `@`, `?`, `/` and brackets.
pub(super) const USER_INFO: Class = Class(4);
/// Field values: HTAB, SP, visible ASCII and everything from 0x80.
pub(super) const FIELD_VALUE: Class = Class(8);
/// Field values without the comma that ends a list element.
pub(super) const LIST_ELEMENT: Class = Class(16);
/// Inside a quoted string: field value bytes without `"` and `\`.
pub(super) const QUOTED_TEXT: Class = Class(32);
/// Letters.
pub(super) const ALPHA: Class = Class(64);

const TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let classes = classes(byte as u8);
        table[byte] = classes;
        byte += 1;
    }
    table
};

impl Class {
    /// Whether `byte` belongs to the class.
    pub(super) const fn has(self, byte: u8) -> bool {
        TABLE[byte as usize] & self.0 != 0
    }

    /// How many bytes at the start of `bytes` belong to the class.
    pub(super) fn prefix(self, bytes: &[u8]) -> usize {
        bytes.iter().position(|&byte| !self.has(byte)).unwrap_or(bytes.len())
    }
}

const fn classes(byte: u8) -> u8 {
    let mut set = 0;
    if byte.is_ascii_alphanumeric() {
        set |= TOKEN.0 | URL.0 | USER_INFO.0;
    }
    if byte.is_ascii_alphabetic() {
        set |= ALPHA.0;
    }
    if in_text(byte, b"!#$%&'*+-.^_`|~") {
        set |= TOKEN.0;
    }
    if byte.is_ascii_graphic() && !in_text(byte, b"#?") {
        set |= URL.0;
    }
    if in_text(byte, b"-_.!~*'()%;:&=+$,") {
        set |= USER_INFO.0;
    }
    if matches!(byte, b'\t' | b' '..=b'~' | 0x80..) {
        set |= FIELD_VALUE.0;
        if byte != b',' {
            set |= LIST_ELEMENT.0;
        }
        if byte != b'"' && byte != b'\\' {
            set |= QUOTED_TEXT.0;
        }
    }
    set
}

const fn in_text(byte: u8, text: &[u8]) -> bool {
    let mut index = 0;
    while index < text.len() {
        if text[index] == byte {
            return true;
        }
        index += 1;
    }
    false
}
