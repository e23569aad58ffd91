//! Where the components of a URL begin and end in its text, as `urlComponents` has them.

use url::{Position, Url};

/// What stands for a component that is not there.
const OMITTED: u32 = u32::MAX;

/// Protocol end, username end, host start and end, port, pathname start, search start, hash start, type of scheme.
pub(super) fn of(url: &Url) -> [u32; 9] {
    let index = |position: Position| offset(url[..position].len());
    let protocol_end = index(Position::AfterScheme) + 1;
    let (username_end, host_start, host_end) = if url.has_authority() {
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        // The `@` counts as part of the host.
        let host_start = index(Position::BeforeHost) - u32::from(has_credentials);
        (index(Position::AfterUsername), host_start, index(Position::AfterHost))
    } else {
        (protocol_end, protocol_end, protocol_end)
    };
    [
        protocol_end,
        username_end,
        host_start,
        host_end,
        url.port().map_or(OMITTED, u32::from),
        index(Position::BeforePath),
        url.query().map_or(OMITTED, |_| index(Position::BeforeQuery) - 1),
        url.fragment().map_or(OMITTED, |_| index(Position::BeforeFragment) - 1),
        scheme_type(url.scheme()),
    ]
}

fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(OMITTED)
}

fn scheme_type(scheme: &str) -> u32 {
    match scheme {
        "http" => 0,
        "https" => 2,
        "ws" => 3,
        "ftp" => 4,
        "wss" => 5,
        "file" => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn components(text: &str) -> [u32; 9] {
        of(&Url::parse(text).expect("the URL is valid"))
    }

    #[test]
    fn are_where_node_has_them() {
        let text = "https://user:pass@example.com:1234/foo/bar?baz#quux";
        assert_eq!(components(text), [6, 12, 17, 29, 1234, 34, 42, 46, 2]);
        assert_eq!(components("https://user@example.com/"), [6, 12, 12, 24, OMITTED, 24, OMITTED, OMITTED, 2]);
        assert_eq!(components("https://:p@example.com/"), [6, 8, 10, 22, OMITTED, 22, OMITTED, OMITTED, 2]);
        assert_eq!(components("mailto:a@b?c#d"), [7, 7, 7, 7, OMITTED, 7, 10, 12, 1]);
        assert_eq!(components("file:///a/b"), [5, 7, 7, 7, OMITTED, 7, OMITTED, OMITTED, 6]);
        assert_eq!(components("web+demo:/.//not-a-host/"), [9, 9, 9, 9, OMITTED, 11, OMITTED, OMITTED, 1]);
        assert_eq!(components("foo://host"), [4, 6, 6, 10, OMITTED, 10, OMITTED, OMITTED, 1]);
        assert_eq!(components("foo:"), [4, 4, 4, 4, OMITTED, 4, OMITTED, OMITTED, 1]);
    }
}
