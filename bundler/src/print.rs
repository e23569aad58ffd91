//! Prints the script and maps its positions to the sources.

use swc_core::common::source_map::SourceMapGenConfig;
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, FileName, LineCol, SourceFile, SourceMap};
use swc_core::ecma::ast::Program;
use swc_core::ecma::codegen::text_writer::{JsWriter, WriteJs, omit_trailing_semi};
use swc_core::ecma::codegen::{Config, Emitter};

use edgepack_format::positions::Mapping;

use crate::{SourceMaps, Whitespace};

/// The script as text.
pub(crate) struct Printed {
    pub(crate) script: String,
    pub(crate) source_map: String,
    /// The same, as the device reads it.
    pub(crate) positions: Vec<u8>,
}

/// Prints `program`, whose names clash no more.
pub(crate) fn print_script(
    program: &Program,
    sources: &Lrc<SourceMap>,
    whitespace: Whitespace,
    maps: SourceMaps,
) -> Printed {
    let mut mappings = (maps == SourceMaps::Made).then(Vec::new);
    let script = into_text(print(program, sources, whitespace, mappings.as_mut()));
    let Some(mappings) = mappings else {
        return Printed { script, source_map: String::new(), positions: Vec::new() };
    };
    let (source_map, positions) = map_positions(mappings, sources);
    Printed { script, source_map, positions }
}

fn print(
    program: &Program,
    sources: &Lrc<SourceMap>,
    whitespace: Whitespace,
    mappings: Option<&mut Vec<(BytePos, LineCol)>>,
) -> Vec<u8> {
    let mut script = Vec::new();
    let minimal = whitespace == Whitespace::Minimal;
    let writer = JsWriter::new(sources.clone(), "\n", &mut script, mappings);
    let writer: Box<dyn WriteJs> = if minimal { Box::new(omit_trailing_semi(writer)) } else { Box::new(writer) };
    let mut emitter =
        Emitter { cfg: Config::default().with_minify(minimal), cm: sources.clone(), comments: None, wr: writer };
    emitter.emit_program(program).unwrap_or_else(|error| unreachable!("printing to memory failed: {error}"));
    drop(emitter);
    script
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
