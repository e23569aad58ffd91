//! Prints the script and maps its positions to the sources.

use swc_core::common::source_map::SourceMapGenConfig;
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, DUMMY_SP, FileName, LineCol, SourceFile, SourceMap};
use swc_core::ecma::ast::{Expr, Ident, Program};
use swc_core::ecma::codegen::text_writer::{JsWriter, WriteJs, omit_trailing_semi};
use swc_core::ecma::codegen::{Config, Emitter, Node};

use edgepack_format::positions::Mapping;

use crate::{SourceMaps, Whitespace};

/// The script as text.
pub(crate) struct Printed {
    pub(crate) script: String,
    pub(crate) source_map: String,
    /// The same, as the device reads it.
    pub(crate) positions: Vec<u8>,
}

/// How it is printed.
pub(crate) struct Printer {
    pub(crate) sources: Lrc<SourceMap>,
    pub(crate) whitespace: Whitespace,
    pub(crate) maps: SourceMaps,
}

/// A piece of the script, and where it is from.
pub(crate) struct Text {
    text: String,
    mappings: Vec<(BytePos, LineCol)>,
}

/// What stands in a script for the piece of this number, which is printed by itself.
pub(crate) fn placeholder(number: usize) -> Box<Expr> {
    Box::new(Expr::Ident(Ident::new_no_ctxt(mark(number).into(), DUMMY_SP)))
}

/// No source has such a name.
fn mark(number: usize) -> String {
    format!("\u{1}{number}\u{1}")
}

impl Printer {
    /// Prints code whose names clash no more.
    pub(crate) fn print(&self, code: &impl Node) -> Text {
        let (mut text, mut mappings) = (Vec::new(), Vec::new());
        let minimal = self.whitespace == Whitespace::Minimal;
        let mapped = (self.maps == SourceMaps::Made).then_some(&mut mappings);
        let writer = JsWriter::new(self.sources.clone(), "\n", &mut text, mapped);
        let wr: Box<dyn WriteJs> = if minimal { Box::new(omit_trailing_semi(writer)) } else { Box::new(writer) };
        let cfg = Config::default().with_minify(minimal);
        let mut emitter = Emitter { cfg, cm: self.sources.clone(), comments: None, wr };
        code.emit_with(&mut emitter).unwrap_or_else(|error| unreachable!("printing to memory failed: {error}"));
        drop(emitter);
        Text { text: into_text(text), mappings }
    }

    /// Prints the script around `pieces`, in whose places placeholders stand, in order and before any text of the app's.
    pub(crate) fn print_script(&self, program: &Program, pieces: &[Text]) -> Printed {
        let Text { text: script, mappings } = put_together(self.print(program), pieces);
        if self.maps != SourceMaps::Made {
            return Printed { script, source_map: String::new(), positions: Vec::new() };
        }
        let (source_map, positions) = map_positions(mappings, &self.sources);
        Printed { script, source_map, positions }
    }
}

const START: LineCol = LineCol { line: 0, col: 0 };

fn put_together(around: Text, pieces: &[Text]) -> Text {
    let (bytes, mapped) = (|text: &Text| text.text.len(), |text: &Text| text.mappings.len());
    let mut whole = Text {
        text: String::with_capacity(bytes(&around) + pieces.iter().map(bytes).sum::<usize>()),
        mappings: Vec::with_capacity(mapped(&around) + pieces.iter().map(mapped).sum::<usize>()),
    };
    // Where the one and the other have come to.
    let (mut here, mut there) = (START, START);
    let mut rest = &*around.text;
    let mut mappings = around.mappings.into_iter().peekable();
    for (number, piece) in pieces.iter().enumerate() {
        let mark = mark(number);
        let (before, after) = rest.split_once(&mark).unwrap_or_else(|| unreachable!("every piece has its place"));
        let end = moved(here, before);
        while let Some((pos, place)) = mappings.next_if(|(_, place)| (place.line, place.col) < (end.line, end.col)) {
            whole.mappings.push((pos, shifted(place, here, there)));
        }
        whole.text.push_str(before);
        there = moved(there, before);
        whole.mappings.extend(piece.mappings.iter().map(|(pos, place)| (*pos, shifted(*place, START, there))));
        whole.text.push_str(&piece.text);
        there = moved(there, &piece.text);
        here = moved(end, &mark);
        rest = after;
    }
    whole.mappings.extend(mappings.map(|(pos, place)| (pos, shifted(place, here, there))));
    whole.text.push_str(rest);
    whole
}

/// Where `text` ends that begins at `from`, as the printer counts.
fn moved(from: LineCol, text: &str) -> LineCol {
    let ends = text.matches(['\n', '\r']).count() - text.matches("\r\n").count();
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    let columns = if last.is_ascii() { last.len() } else { last.encode_utf16().count() };
    let [ends, columns] = [ends, columns].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    if ends == 0 {
        LineCol { line: from.line, col: from.col + columns }
    } else {
        LineCol { line: from.line + ends, col: columns }
    }
}

/// A place behind `from` where `from` has become `to`.
fn shifted(place: LineCol, from: LineCol, to: LineCol) -> LineCol {
    let col = if place.line == from.line { to.col + place.col - from.col } else { place.col };
    LineCol { line: to.line + place.line - from.line, col }
}

/// As JSON, and as the device reads it.
fn map_positions(mut mappings: Vec<(BytePos, LineCol)>, sources: &Lrc<SourceMap>) -> (String, Vec<u8>) {
    keep_char_boundaries(&mut mappings, sources);
    let map = sources.build_source_map(&mappings, None, Paths);
    let sources: Vec<&str> = map.sources().map(|source| &**source).collect();
    let mapped = map.tokens().filter(|token| token.has_source()).map(|token| Mapping {
        script_line: token.get_dst_line(),
        script_column: token.get_dst_col(),
        source: token.get_src_id(),
        line: token.get_src_line(),
        column: token.get_src_col(),
    });
    let positions = positions_of(&sources, mapped.collect());
    let mut source_map = Vec::new();
    map.to_writer(&mut source_map).unwrap_or_else(|error| unreachable!("printing to memory failed: {error}"));
    (into_text(source_map), positions)
}

fn positions_of(sources: &[&str], mut mapped: Vec<Mapping>) -> Vec<u8> {
    mapped.sort_by_key(|it| (it.script_line, it.script_column));
    // What follows is at the same place until another one is named.
    mapped.dedup_by_key(|it| (it.script_line, it.source, it.line, it.column));
    edgepack_format::positions::encode(sources, &mapped)
}

/// The printer also maps positions that it has only computed, such as that before a closing quote: between two
/// bytes of one character there is nothing to map.
fn keep_char_boundaries(mappings: &mut Vec<(BytePos, LineCol)>, sources: &SourceMap) {
    let mut file: Option<Lrc<SourceFile>> = None;
    mappings.retain(|(pos, _)| {
        if pos.is_reserved_for_comments() || pos.is_dummy() {
            return true;
        }
        if !file.as_ref().is_some_and(|file| (file.start_pos..=file.end_pos).contains(pos)) {
            file = Some(sources.lookup_source_file(*pos));
        }
        file.as_ref().is_some_and(|file| file.src.is_char_boundary((*pos - file.start_pos).0 as usize))
    });
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Sources are named by their virtual paths; their text is not copied into the map.
struct Paths;

impl SourceMapGenConfig for Paths {
    fn file_name_to_source(&self, file: &FileName) -> String {
        match file {
            FileName::Custom(path) => path.clone(),
            other => other.to_string(),
        }
    }

    fn inline_sources_content(&self, _: &FileName) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, places: &[(u32, u32, u32)]) -> Text {
        let mappings = places.iter().map(|&(pos, line, col)| (BytePos(pos), LineCol { line, col })).collect();
        Text { text: text.to_owned(), mappings }
    }

    #[test]
    fn positions_move_with_what_is_put_before_them() {
        let around = text("[\u{1}0\u{1},\u{1}1\u{1}];\nend", &[(1, 0, 0), (2, 0, 9), (3, 1, 0)]);
        let pieces = [text("`ä\n😀`", &[(4, 0, 1), (5, 1, 2)]), text("x", &[(6, 0, 0)])];
        let whole = put_together(around, &pieces);
        assert_eq!(whole.text, "[`ä\n😀`,x];\nend");
        let places: Vec<_> = whole.mappings.iter().map(|(pos, place)| (pos.0, place.line, place.col)).collect();
        assert_eq!(places, [(1, 0, 0), (4, 0, 2), (5, 1, 2), (6, 1, 4), (2, 1, 6), (3, 2, 0)]);
    }
}
