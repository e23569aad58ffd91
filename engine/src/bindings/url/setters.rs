//! The setters of `URL`: those of the `url` crate, and the standard where the crate departs from it.

use url::{Position, Url, quirks};

/// Runs a setter; an error if it has no effect. The actions are numbered as in `lib/internal/url.js`.
pub(super) fn set(url: &mut Url, action: u32, value: &str) -> Result<(), ()> {
    match action {
        0 => set_protocol(url, value),
        1 => set_authority(url, |url| quirks::set_host(url, of_file(url, value))),
        2 => set_authority(url, |url| quirks::set_hostname(url, of_file(url, value))),
        3 => set_port(url, value),
        4 => quirks::set_username(url, value),
        5 => quirks::set_password(url, value),
        6 => {
            set_pathname(url, value);
            Ok(())
        }
        7 => {
            quirks::set_search(url, value);
            Ok(())
        }
        8 => {
            quirks::set_hash(url, value);
            Ok(())
        }
        _ => Err(()),
    }
}

/// The crate lets no URL become one of a file; the standard does if it has neither credentials nor a port.
fn set_protocol(url: &mut Url, value: &str) -> Result<(), ()> {
    let scheme = value.split(':').next().unwrap_or_default();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    if !scheme.eq_ignore_ascii_case("file") || !url.is_special() || !is_plain {
        return quirks::set_protocol(url, value);
    }
    *url = Url::parse(&format!("file{}", &url[Position::AfterScheme..])).map_err(|_| ())?;
    Ok(())
}

/// The host of a file URL ends before a slash, `?` or `#`, and may be empty: then it goes. The crate leaves it.
fn of_file<'a>(url: &Url, value: &'a str) -> &'a str {
    if url.scheme() == "file" && value.starts_with(['/', '\\', '?', '#']) { "" } else { value }
}

/// Tabs and line ends do not count; the crate takes a value of nothing else for an empty one, which removes the port.
fn set_port(url: &mut Url, value: &str) -> Result<(), ()> {
    if !value.is_empty() && value.chars().all(|character| matches!(character, '\t' | '\n' | '\r')) {
        return Err(());
    }
    quirks::set_port(url, value)
}

/// A path that begins with `//` is written as `/.//` while there is no host before it: `/.` goes when one comes.
fn set_authority(url: &mut Url, set: impl FnOnce(&mut Url) -> Result<(), ()>) -> Result<(), ()> {
    let path = url.path().to_owned();
    let was_without = !url.has_authority();
    set(url)?;
    if was_without && url.has_authority() && path.starts_with("//") {
        let text = format!("{}{path}{}", &url[..Position::AfterPort], &url[Position::AfterPath..]);
        *url = Url::parse(&text).map_err(|_| ())?;
    }
    Ok(())
}

/// As above, in the other direction: the crate neither adds nor removes `/.`.
fn set_pathname(url: &mut Url, value: &str) {
    let has_authority = url.has_authority();
    quirks::set_pathname(url, &value.replace(['\t', '\n', '\r'], ""));
    if url.cannot_be_a_base() || (has_authority && (url.is_special() || !value.is_empty())) {
        return;
    }
    if has_authority {
        // Only a URL with a special scheme cannot do without a path.
        let text = format!("{}{}", &url[..Position::BeforePath], &url[Position::AfterPath..]);
        *url = Url::parse(&text).unwrap_or_else(|_| url.clone());
        return;
    }
    let (path, rest) = (url.path(), &url[Position::AfterPath..]);
    let dot = if path.starts_with("//") { "/." } else { "" };
    if let Ok(parsed) = Url::parse(&format!("{}:{dot}{path}{rest}", url.scheme())) {
        *url = parsed;
    }
}
