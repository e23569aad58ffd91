//! How a host and the guest engine call each other: exports, status codes, and the app package handed to `edge_load`.

/// `edge_bootstrap(ptr: i32, len: i32) -> i32`: starts Node's library from an encoded [`Package`] whose script is the
/// skeleton of the bindings and whose files are the sources by id; 0 when it is ready. Its memory is the base image.
pub const EXPORT_BOOTSTRAP: &str = "edge_bootstrap";
/// `edge_alloc(bytes: i32) -> i32`: memory for an input that the host writes; the guest frees it.
pub const EXPORT_ALLOC: &str = "edge_alloc";
/// `edge_load(ptr: i32, len: i32) -> i32`: takes an encoded [`Package`], compiles the script, evaluates nothing.
pub const EXPORT_LOAD: &str = "edge_load";
/// `edge_start(stop_at: i64) -> i32`: runs start-up sealed, stops before step `stop_at` (-1: never); a `STATUS_*`.
pub const EXPORT_START: &str = "edge_start";
/// `edge_run() -> i32`: refreshes what differs per process, goes on where `edge_start` stopped (or starts), runs the
/// event loop to its end; the exit code.
pub const EXPORT_RUN: &str = "edge_run";
/// `edge_steps() -> i64`: the number of the step that is running, which is where a second pass has to stop; callable
/// from inside a host call.
pub const EXPORT_STEPS: &str = "edge_steps";
/// `edge_backtrace(ptr: i32, capacity: i32) -> i32`: writes the JS stack as text; callable from inside a host call.
pub const EXPORT_BACKTRACE: &str = "edge_backtrace";

/// `edge_heap_record()`: from now on every allocation and every free is a row of two `u32`: the block, and its size or 0.
pub const EXPORT_HEAP_RECORD: &str = "edge_heap_record";
/// `edge_heap_recorded() -> i32`: ends it; where the rows are, 0 if there was no room for them.
pub const EXPORT_HEAP_RECORDED: &str = "edge_heap_recorded";
/// `edge_heap_rows() -> i32`: how many rows those are.
pub const EXPORT_HEAP_ROWS: &str = "edge_heap_rows";
/// `edge_heap_place(plan: i32)`: from now on allocations are placed by a plan, which `heap_plan` encodes.
pub const EXPORT_HEAP_PLACE: &str = "edge_heap_place";
/// `edge_heap_placed() -> i32`: ends it, and frees the plan; how many allocations there were.
pub const EXPORT_HEAP_PLACED: &str = "edge_heap_placed";

/// `edge_heap_record_sites()`: notes, besides, which place of the app makes each block.
pub const EXPORT_HEAP_RECORD_SITES: &str = "edge_heap_record_sites";
/// `edge_heap_sites() -> i32`: where the numbers of those places are, a `u32` for each row; 0 is for none.
pub const EXPORT_HEAP_SITES: &str = "edge_heap_sites";
/// `edge_audit_sites() -> i32`: where the places are, by number, [`AUDIT_SITE_BYTES`] each: six `u32`, of which the
/// last two are the line and the column in the app's script.
pub const EXPORT_AUDIT_SITES: &str = "edge_audit_sites";
/// Bytes of a place.
pub const AUDIT_SITE_BYTES: u32 = 24;
/// `edge_audit_parts() -> i32`: where rows of two `u32` are: the key of a constructor, with [`AUDIT_PART_MORE`] if it is
/// not the object itself, and an address in a block of one of its objects.
pub const EXPORT_AUDIT_PARTS: &str = "edge_audit_parts";
/// The bit of a row that is not the object itself.
pub const AUDIT_PART_MORE: u32 = 1 << 31;
/// `edge_audit_part_count() -> i32`: how many rows those are.
pub const EXPORT_AUDIT_PART_COUNT: &str = "edge_audit_part_count";
/// `edge_audit_name(key: i32, ptr: i32, capacity: i32) -> i32`: writes the name of a constructor; its length.
pub const EXPORT_AUDIT_NAME: &str = "edge_audit_name";
/// `edge_audit_resources(ptr: i32, capacity: i32) -> i32`: writes what the program has open, a kind on each line.
pub const EXPORT_AUDIT_RESOURCES: &str = "edge_audit_resources";

/// Classes of placed blocks: each has its own part of the guest's arena. Class 0 is for blocks that are not placed: they
/// die before start-up ends, or are large.
pub const HEAP_CLASSES: usize = 16;
/// A placed block starts at a multiple of this, after its size in this many bytes less.
pub const HEAP_ALIGN_BYTES: usize = 8;
/// The size before a placed block.
pub const HEAP_HEAD_BYTES: usize = 4;

/// The bytes that `edge_heap_place` takes: how many bytes each class has, and the class of each allocation.
#[must_use]
pub fn heap_plan(class_bytes: &[u32; HEAP_CLASSES], classes: &[u8]) -> alloc::vec::Vec<u8> {
    let mut out = alloc::vec::Vec::new();
    out.extend_from_slice(&u32::try_from(classes.len()).unwrap_or(u32::MAX).to_le_bytes());
    class_bytes.iter().for_each(|bytes| out.extend_from_slice(&bytes.to_le_bytes()));
    out.extend_from_slice(classes);
    out
}

/// `edge_start` stopped before the step asked for; the program is suspended in the heap.
pub const STATUS_SUSPENDED: i32 = 0;
/// `edge_start` ran all that can run before the event loop has to wait or to end.
pub const STATUS_COMPLETED: i32 = 1;
/// `edge_start` met an uncaught exception; it is reported again at boot, so nothing of it is kept.
pub const STATUS_THREW: i32 = 2;

/// Where the app's bundled files live in the guest's file tree.
pub const APP_ROOT: &str = "/app";

/// How the engine is to run the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A resumable bundle.
    Bundle,
    /// One whose entry is an ES module: Node runs it in a promise job, so the jobs it leaves come before its ticks.
    ModuleBundle,
    /// `node FILE`: Node's own CommonJS loader from disk; the script is the entry's path.
    Node,
}

/// What `edge_load` takes: `encode` and `decode` are its one writer and one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package<'a> {
    /// How to run it.
    pub mode: Mode,
    /// The entry's virtual path; `process.argv[1]`.
    pub entry: &'a str,
    /// The bundle's script.
    pub script: &'a str,
    /// Where positions in the script stand in the app's sources, as `positions::encode` writes it, or empty.
    pub positions: &'a [u8],
    /// The read-only file tree: absolute virtual path and content.
    pub files: alloc::vec::Vec<(&'a str, &'a [u8])>,
}

const MAGIC: &[u8; 8] = b"edgepkg3";
/// Of a field.
const LENGTH_BYTES: usize = 4;

impl<'a> Package<'a> {
    /// The bytes `edge_load` takes: magic, mode, then length-prefixed (u32, little endian) fields in order.
    #[must_use]
    pub fn encode(&self) -> alloc::vec::Vec<u8> {
        let mut out = alloc::vec::Vec::new();
        out.extend_from_slice(MAGIC);
        out.push(match self.mode {
            Mode::Bundle => 0,
            Mode::Node => 1,
            Mode::ModuleBundle => 2,
        });
        for field in [self.entry.as_bytes(), self.script.as_bytes(), self.positions] {
            put(&mut out, field);
        }
        for (path, content) in &self.files {
            put(&mut out, path.as_bytes());
            put(&mut out, content);
        }
        out
    }

    /// Where `encode` puts the script.
    #[must_use]
    pub fn script_range(&self) -> core::ops::Range<usize> {
        let start = MAGIC.len() + 1 + LENGTH_BYTES + self.entry.len() + LENGTH_BYTES;
        start..start + self.script.len()
    }

    /// Reads what `encode` wrote; `None` if the bytes are not a package.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Package<'a>> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (&mode, mut rest) = rest.split_first()?;
        let mode = match mode {
            0 => Mode::Bundle,
            1 => Mode::Node,
            2 => Mode::ModuleBundle,
            _ => return None,
        };
        let mut text = || core::str::from_utf8(take(&mut rest)?).ok();
        let (entry, script) = (text()?, text()?);
        let positions = take(&mut rest)?;
        let mut files = alloc::vec::Vec::new();
        while !rest.is_empty() {
            let path = core::str::from_utf8(take(&mut rest)?).ok()?;
            files.push((path, take(&mut rest)?));
        }
        Some(Package { mode, entry, script, positions, files })
    }
}

fn put(out: &mut alloc::vec::Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(field);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (field, tail) = tail.split_at_checked(length)?;
    *rest = tail;
    Some(field)
}
