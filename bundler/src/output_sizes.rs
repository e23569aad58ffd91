//! Counts how many bytes of a script come from each source, by its source map.

use std::collections::BTreeMap;

use sourcemap::SourceMap;

/// Bytes of `script` by virtual path; what no source is mapped to (the runtime) is not counted.
pub(crate) fn output_bytes(script: &str, source_map: &str) -> BTreeMap<String, usize> {
    let mut sizes = BTreeMap::new();
    let Ok(map) = SourceMap::from_slice(source_map.as_bytes()) else { return sizes };
    let mut tokens = map.tokens().peekable();
    for (number, line) in script.split_inclusive('\n').enumerate() {
        let mut offsets = Offsets { line, column: 0, at: 0 };
        while let Some(token) = tokens.next_if(|token| token.get_dst_line() as usize == number) {
            let start = offsets.byte(token.get_dst_col());
            let next = tokens.peek().filter(|next| next.get_dst_line() as usize == number);
            let end = next.map_or(line.len(), |next| offsets.byte(next.get_dst_col()));
            if let Some(source) = token.get_source() {
                *sizes.entry(source.to_owned()).or_insert(0) += end.saturating_sub(start);
            }
        }
    }
    sizes
}

/// Columns, which count UTF-16 units and only grow, as places in the line.
struct Offsets<'a> {
    line: &'a str,
    column: u32,
    at: usize,
}

impl Offsets<'_> {
    fn byte(&mut self, column: u32) -> usize {
        let mut rest = self.line[self.at..].chars();
        while self.column < column {
            let Some(c) = rest.next() else { break };
            self.column += u32::from(c.len_utf16() == 2) + 1;
            self.at += c.len_utf8();
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_belong_to_the_source_before_them() {
        // Columns 0 and 4 of the first line are of `a`, column 8 is of `b`.
        let map = r#"{"version":3,"sources":["a","b"],"names":[],"mappings":"AAAA,IAAI,ICAJ"}"#;
        let sizes = output_bytes("let é=1;let b=2\n", map);
        assert_eq!(sizes, BTreeMap::from([("a".to_owned(), 9), ("b".to_owned(), 8)]));
    }
}
