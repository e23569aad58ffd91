//! The values this crate makes: the engine's base image, and an app's snapshot.

use edgepack_format::container::{Assumption, Effect};
use serde::{Deserialize, Serialize};

use crate::placement::HeapLog;
use crate::{Error, Result};

/// The engine's memory after `edge_bootstrap`, before any app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// Linear memory, whole wasm pages.
    pub memory: Vec<u8>,
    /// The exported mutable globals (`__stack_pointer`), by name.
    pub globals: Vec<(String, i64)>,
    /// BLAKE3 of the engine it was made from.
    pub engine_hash: [u8; 32],
}

const MAGIC: &[u8; 8] = b"edgebas1";
/// The file's head is one memory page, so that the memory behind it can be mapped from the file.
const HEAD_BYTES: usize = edgepack_format::limits::PAGE_BYTES;

impl BaseImage {
    /// One file: a head of one page (magic, engine hash, count of globals, then each as length, name, value), then
    /// the memory.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + self.memory.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.engine_hash);
        out.extend_from_slice(&length(self.globals.len()));
        for (name, value) in &self.globals {
            out.extend_from_slice(&length(name.len()));
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&value.to_le_bytes());
        }
        debug_assert!(out.len() <= HEAD_BYTES, "an engine exports a handful of globals");
        out.resize(HEAD_BYTES, 0);
        out.extend_from_slice(&self.memory);
        out
    }

    /// The value of `__stack_pointer` while no frame of the engine is alive: in every image.
    #[must_use]
    pub fn stack_pointer(&self) -> u32 {
        let value = self.globals.iter().find(|(name, _)| name == "__stack_pointer").map_or(0, |(_, value)| *value);
        crate::requests::pointer(value)
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// [`Error::NotABaseImage`] if the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<BaseImage> {
        let (head, memory) =
            bytes.split_at_checked(HEAD_BYTES).ok_or(Error::NotABaseImage("it is shorter than its head"))?;
        if memory.is_empty() || !memory.len().is_multiple_of(edgepack_format::limits::CHUNK_BYTES) {
            return Err(Error::NotABaseImage("its memory is not whole wasm pages"));
        }
        let (engine_hash, globals) = decode_head(head).ok_or(Error::NotABaseImage("its head is damaged"))?;
        Ok(BaseImage { memory: memory.to_vec(), globals, engine_hash })
    }
}

type Head = ([u8; 32], Vec<(String, i64)>);

fn decode_head(head: &[u8]) -> Option<Head> {
    let rest = head.strip_prefix(MAGIC)?;
    let (engine_hash, mut rest) = rest.split_first_chunk::<32>()?;
    let count = take_length(&mut rest)?;
    let mut globals = Vec::new();
    for _ in 0..count {
        let name_bytes = take_length(&mut rest)?;
        let (name, tail) = rest.split_at_checked(name_bytes)?;
        let (value, tail) = tail.split_first_chunk::<8>()?;
        globals.push((str::from_utf8(name).ok()?.to_owned(), i64::from_le_bytes(*value)));
        rest = tail;
    }
    Some((*engine_hash, globals))
}

fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (count, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*count)).ok()
}

/// An app's memory at two moments, and what happened in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The bundle is loaded, nothing of it evaluated: the image to start from when a guard does not hold.
    pub loaded: Vec<u8>,
    /// Start-up as far as it could be run, if any of it could.
    pub started: Option<Started>,
    /// How the run ended.
    pub ending: Ending,
    /// Whether the run asked which machine it is for: for another target it has to be run again.
    pub reads_target: bool,
}

/// Start-up, run and suspended (or completed), as boot will find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Linear memory, whole wasm pages.
    pub memory: Vec<u8>,
    /// Effects to replay in this order before anything else.
    pub effects: Vec<Effect>,
    /// Answers given at build; boot must find the same.
    pub assumption: Assumption,
    /// Other answers that the memory serves, patched.
    pub others: Vec<Assumption>,
    /// The pages of 4 KiB that a boot touches, ascending; `None` before `lay_out`, and if this machine cannot tell.
    pub hot_pages: Option<Vec<u32>>,
    /// How much of start-up that is; `None` before `lay_out`, and if the rest does not end.
    pub share: Option<Share>,
    /// What is known of the heap.
    pub(crate) layout: Layout,
    /// The step it stopped before; -1 if it did not.
    pub(crate) stop_at: i64,
}

/// What is known of a started guest's heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Nothing: the guest cannot tell.
    Unknown,
    /// Its blocks, as they came to lie.
    Recorded(HeapLog),
    /// It lies by a plan.
    Placed {
        /// Instructions of start-up.
        instructions: u64,
    },
}

/// How much of start-up is done at build time, in instructions of the engine, loading and compiling the script aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Instructions at build time.
    pub done: u64,
    /// Instructions from there to where the program first waits, or ends.
    pub rest: u64,
    /// What is asked for in these, with how many there are before it.
    pub asked: Vec<(Stop, u64)>,
}

impl Started {
    /// The assumption that the memory was captured under, then the others.
    pub fn assumptions(&self) -> impl Iterator<Item = &Assumption> {
        std::iter::once(&self.assumption).chain(&self.others)
    }
}

/// How the sealed run of start-up ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// Not run (`load`).
    NotRun,
    /// All of start-up was run; what is left waits for the event loop.
    Completed,
    /// It stopped before the statement in which this was asked for.
    Stopped(Stop),
    /// An uncaught exception, which the app will meet again at boot; the text is its stack.
    Threw(String),
    /// It did not end within the budget; it stopped before the statement that was running.
    OutOfTime(Stop),
}

/// Where and why start-up cannot go on at build time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The host call that has no answer yet; empty if the time ran out.
    pub call: String,
    /// For people: `process.env.PORT is granted`.
    pub reason: String,
    /// Where in the bundle's script, innermost first, as far as the stack tells.
    pub positions: Vec<Position>,
    /// The JS stack.
    pub backtrace: String,
}

impl Stop {
    /// Whether start-up was cut off for wanting more memory than builds give.
    #[must_use]
    pub fn wants_memory(&self) -> bool {
        self.call == "memory_budget"
    }
}

/// A place in the bundle's script, as QuickJS prints it: both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}
