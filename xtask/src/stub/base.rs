//! The base image becomes a section of the stub: the chunks that are not zero, and a table of where they belong.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::Hash;
use edgepack_format::cursor::Cursor;
use edgepack_format::limits::{CHUNK_BYTES, PAGE_BYTES};

/// What `edgepack_snapshots::BaseImage::encode` wrote. Read here again because that crate brings a whole virtual
/// machine with it, and this one is built first.
#[derive(Debug)]
pub(super) struct BaseImage<'a> {
    pub(super) stack_pointer: u32,
    pub(super) memory: &'a [u8],
}

impl<'a> BaseImage<'a> {
    pub(super) fn decode(bytes: &'a [u8]) -> Result<BaseImage<'a>> {
        let (head, memory) = bytes.split_at_checked(PAGE_BYTES).context("the base image is cut short")?;
        let stack_pointer = stack_pointer(head).context("the base image has no `__stack_pointer`")?;
        ensure!(memory.len().is_multiple_of(CHUNK_BYTES), "the base image's memory is not whole wasm pages");
        Ok(BaseImage { stack_pointer, memory })
    }
}

fn stack_pointer(head: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(head.strip_prefix(b"edgebas1")?);
    cursor.bytes(32)?;
    let count = cursor.u32()?;
    // It is the only mutable global: `translate` refuses an engine with more.
    (count == 1 && cursor.text()? == "__stack_pointer").then(|| cursor.i64())?.map(|value| value as u32)
}

/// Chunks that follow one another in memory.
struct Run {
    first: usize,
    count: usize,
    stored_before: usize,
}

/// Writes the chunks and the assembly that places them; the assembly's path.
pub(super) fn write(base: &BaseImage<'_>, engine_hash: Hash, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut runs: Vec<Run> = Vec::new();
    let mut stored = Vec::new();
    for (number, chunk) in base.memory.chunks_exact(CHUNK_BYTES).enumerate() {
        if chunk.iter().all(|byte| *byte == 0) {
            continue;
        }
        let stored_before = stored.len() / CHUNK_BYTES;
        stored.extend_from_slice(chunk);
        match runs.last_mut().filter(|run| run.first + run.count == number) {
            Some(run) => run.count += 1,
            None => runs.push(Run { first: number, count: 1, stored_before }),
        }
    }
    let chunks = folder.join("base.bin");
    fs::write(&chunks, &stored)?;
    let assembly = folder.join("base.S");
    fs::write(&assembly, table(base, &runs, engine_hash, &chunks)?)?;
    Ok(vec![assembly, chunks])
}

fn table(base: &BaseImage<'_>, runs: &[Run], engine_hash: Hash, chunks: &Path) -> Result<String> {
    let mut text = String::from(".section .rodata.edge_tables,\"a\",%progbits\n");
    let mut symbol =
        |name: &str, align: usize, content: &str| writeln!(text, ".balign {align}\n.globl {name}\n{name}:\n{content}");
    let hash = engine_hash.map(|byte| byte.to_string()).join(",");
    symbol("edge_engine_hash", 1, &format!(".byte {hash}"))?;
    symbol("edge_initial_stack_pointer", 4, &format!(".long {}", base.stack_pointer))?;
    symbol("edge_base_chunks", 4, &format!(".long {}", base.memory.len() / CHUNK_BYTES))?;
    symbol("edge_base_run_count", 4, &format!(".long {}", runs.len()))?;
    let rows = runs.iter().map(|run| format!(".long {}, {}, {}\n", run.first, run.count, run.stored_before));
    symbol("edge_base_runs", 4, &rows.collect::<String>())?;
    let chunks = chunks.display();
    let image = format!(".incbin \"{chunks}\"\n.section .note.GNU-stack,\"\",%progbits");
    text.push_str(".section .rodata.edge_base_image,\"a\",%progbits\n");
    writeln!(text, ".balign {CHUNK_BYTES}\n.globl edge_base_image\nedge_base_image:\n{image}")?;
    Ok(text)
}
