//! Prints the script: gives clashing names new ones, adds the parentheses needed, and maps positions to the sources.

use swc_core::common::source_map::SourceMapGenConfig;
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, FileName, LineCol, SourceMap};
use swc_core::ecma::ast::{Pass, Program};
use swc_core::ecma::codegen::text_writer::{JsWriter, WriteJs, omit_trailing_semi};
use swc_core::ecma::codegen::{Config, Emitter};
use swc_core::ecma::transforms::base::fixer::fixer;
use swc_core::ecma::transforms::base::hygiene::hygiene;

use crate::Whitespace;
use crate::keep_names::{collect_names, restore_names};

/// The script as text.
pub(crate) struct Printed {
    pub(crate) script: String,
    pub(crate) source_map: String,
}

/// Prints `program`, all of whose names are still told apart by their contexts.
pub(crate) fn print_script(mut program: Program, sources: &Lrc<SourceMap>, whitespace: Whitespace) -> Printed {
    let names = collect_names(&program);
    hygiene().process(&mut program);
    restore_names(&mut program, &names);
    fixer(None).process(&mut program);
    let mut script = Vec::new();
    let mut mappings: Vec<(BytePos, LineCol)> = Vec::new();
    let minimal = whitespace == Whitespace::Minimal;
    let writer = JsWriter::new(sources.clone(), "\n", &mut script, Some(&mut mappings));
    let writer: Box<dyn WriteJs> = if minimal { Box::new(omit_trailing_semi(writer)) } else { Box::new(writer) };
    let mut emitter =
        Emitter { cfg: Config::default().with_minify(minimal), cm: sources.clone(), comments: None, wr: writer };
    emitter.emit_program(&program).unwrap_or_else(|error| unreachable!("printing to memory failed: {error}"));
    drop(emitter);
    let map = sources.build_source_map(&mappings, None, Paths);
    let mut source_map = Vec::new();
    map.to_writer(&mut source_map).unwrap_or_else(|error| unreachable!("printing to memory failed: {error}"));
    Printed { script: into_text(script), source_map: into_text(source_map) }
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
