//! Turns an absolute path into a `file:` URL.

use url::{Url, quirks};

/// What separates the names of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `/`; a backslash is part of a name.
    Posix,
    /// Both slashes.
    Windows,
}

/// The URL of `path`; nothing if the host is none.
pub(super) fn to_url(path: &str, style: Style, host: Option<&str>) -> Option<Url> {
    let mut escaped = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '%' => escaped.push_str("%25"),
            '\\' if style == Style::Posix => escaped.push_str("%5C"),
            '\n' => escaped.push_str("%0A"),
            '\r' => escaped.push_str("%0D"),
            '\t' => escaped.push_str("%09"),
            '[' => escaped.push_str("%5B"),
            ']' => escaped.push_str("%5D"),
            '^' => escaped.push_str("%5E"),
            '|' => escaped.push_str("%7C"),
            '~' => escaped.push_str("%7E"),
            _ => escaped.push(character),
        }
    }
    let mut url = Url::parse("file://").ok()?;
    quirks::set_pathname(&mut url, &escaped);
    // What follows a `?` is no host: the `\\\\?\\` of long Windows paths has none.
    if let Some(host) = host.and_then(|host| host.split('?').next()).filter(|host| !host.is_empty()) {
        quirks::set_hostname(&mut url, host).ok()?;
    }
    Some(url)
}
