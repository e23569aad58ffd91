//! How many columns of a terminal a character takes.

use unicode_width::UnicodeWidthChar;

/// How wide a character is that is wide in East Asian text only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ambiguous {
    /// One column.
    Narrow,
    /// Two columns.
    Wide,
}

/// Invisible where a line does not break, yet ICU gives it a column.
const SOFT_HYPHEN: char = '\u{ad}';

/// Columns of one character; a control character takes none.
pub(super) fn columns(character: char, ambiguous: Ambiguous) -> usize {
    let character = if character == SOFT_HYPHEN { '¡' } else { character };
    match ambiguous {
        Ambiguous::Narrow => character.width(),
        Ambiguous::Wide => character.width_cjk(),
    }
    .unwrap_or(0)
}
