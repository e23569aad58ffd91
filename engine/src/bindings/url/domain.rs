//! Domain names to ASCII and back, by UTS 46 as the URL standard uses it.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// The domain in ASCII, `xn--` labels included; nothing if it is no domain.
pub(crate) fn to_ascii(domain: &str) -> Option<String> {
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// The domain with its `xn--` labels decoded; malformed labels stay as they are.
pub(crate) fn to_unicode(domain: &str) -> String {
    domain.split('.').map(label_to_unicode).collect::<Vec<_>>().join(".")
}

fn label_to_unicode(label: &str) -> String {
    if !label.starts_with("xn--") {
        return label.to_owned();
    }
    let (decoded, result) = Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    if result.is_ok() { decoded.into_owned() } else { label.to_owned() }
}
