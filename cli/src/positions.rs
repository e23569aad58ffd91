//! Positions in the bundle's script → the place in the app's own sources, by the bundle's source map.

use edgepack_format::guest::APP_ROOT;
use edgepack_snapshots::Position;
use serde::{Deserialize, Serialize};
use sourcemap::SourceMap;

/// A place in a source file; line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The file, relative to the app's root.
    pub(crate) file: String,
    /// Line.
    pub(crate) line: u32,
    /// Column.
    pub(crate) column: u32,
}

/// The original place of the first position that has one: what the bundler has put in between has none.
pub(crate) fn original(source_map: &str, positions: &[Position]) -> Option<Place> {
    let map = SourceMap::from_slice(source_map.as_bytes()).ok()?;
    positions.iter().find_map(|position| in_map(&map, *position))
}

/// The original place of one position.
pub(crate) fn in_map(map: &SourceMap, position: Position) -> Option<Place> {
    let line = position.line.checked_sub(1)?;
    // What no token of its line precedes is the bundler's own.
    let token =
        map.lookup_token(line, position.column.saturating_sub(1)).filter(|token| token.get_dst_line() == line)?;
    let file = token.get_source()?;
    let file = file.strip_prefix(APP_ROOT).map_or(file, |below| below.trim_start_matches('/'));
    Some(Place { file: file.to_owned(), line: token.get_src_line() + 1, column: token.get_src_col() + 1 })
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_position_is_mapped_to_its_source() {
        // One segment: generated 1:1 is source 0, line 12, column 3.
        let map = r#"{"version":3,"sources":["/app/src/server.ts"],"names":[],"mappings":"AAWE"}"#;
        let place = original(map, &[Position { line: 1, column: 7 }]).expect("a place");
        assert_eq!((place.to_string().as_str(), place.column), ("src/server.ts:12", 3));
        assert_eq!(original("", &[Position { line: 1, column: 1 }]), None);
    }
}
