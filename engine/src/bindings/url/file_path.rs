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

/// The URL of `path`; a host that is none is left out.
pub(super) fn to_url(path: &str, style: Style, host: Option<&str>) -> Option<Url> {
    let mut escaped = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '%' => escaped.push_str("%25"),
            '\\' if style == Style::Posix => escaped.push_str("%5C"),
            '\n' => escaped.push_str("%0A"),
            '\r' => escaped.push_str("%0D"),
            '\t' => escaped.push_str("%09"),
            _ => escaped.push(character),
        }
    }
    let mut url = Url::parse("file://").ok()?;
    quirks::set_pathname(&mut url, &escaped);
    if let Some(host) = host {
        let _ = quirks::set_hostname(&mut url, host);
    }
    Some(url)
}
