//! A start-up → who made what is in its heap: by place of the app's script, and by constructor.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::AddAssign;

use edgepack_format::guest::{
    AUDIT_PART_MORE, AUDIT_SITE_BYTES, EXPORT_ALLOC, EXPORT_AUDIT_NAME, EXPORT_AUDIT_PART_COUNT, EXPORT_AUDIT_PARTS,
    EXPORT_AUDIT_RESOURCES, EXPORT_AUDIT_SITES, EXPORT_HEAP_RECORD_SITES, EXPORT_HEAP_SITES, Package,
};

use crate::Result;
use crate::engine::Engine;
use crate::machine::Guest;
use crate::placement::{HeapLog, ROW_BYTES};
use crate::requests::pointer;
use crate::sealed::Sealing;
use crate::snapshot::{Position, Snapshot};
use crate::take::{Heap, START_UP_BUDGET, SealedGuest, called, loaded_guest, recorded, run};

/// What a started app holds.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Its blocks of the heap by the place of the script that made them, the largest sum first; `None` is what was made
    /// while none of the app's functions ran: its compiled code and text.
    pub places: Vec<(Option<Position>, Sum)>,
    /// Its objects by constructor, the largest sum first.
    pub constructors: Vec<(String, Sum)>,
    /// The kinds of what it has open, as `process.getActiveResourcesInfo` lists them, with how many there are.
    pub resources: BTreeMap<String, usize>,
    /// The names of environment variables that it found unset, as they are not granted.
    pub unset: BTreeSet<String>,
    /// Linear memory. Its blocks lie elsewhere than in the snapshot; what they hold is the same.
    pub memory: Vec<u8>,
    /// The bytes of blocks in it that the app made and the places that made them, by address.
    pub blocks: BTreeMap<u32, (u32, Position)>,
}

impl Audit {
    /// The place that made what is at an address of the memory.
    #[must_use]
    pub fn made_by(&self, address: usize) -> Option<Position> {
        let address = u32::try_from(address).ok()?;
        let (block, (bytes, position)) = self.blocks.range(..=address).next_back()?;
        (address - block < *bytes).then_some(*position)
    }
}

/// How much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Blocks, or objects.
    pub count: usize,
    /// Bytes.
    pub bytes: usize,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Sum) {
        self.count += other.count;
        self.bytes += other.bytes;
    }
}

/// Starts the app again as `snapshot` was taken, and looks at its heap.
///
/// # Errors
/// As [`crate::take`].
pub fn audit(engine: &Engine, package: &Package<'_>, sealing: Sealing<'_>, snapshot: &Snapshot) -> Result<Audit> {
    let stop_at = snapshot.started.as_ref().map_or(0, |started| started.stop_at);
    let mut guest = loaded_guest(engine, package, sealing, Heap::Audited)?;
    run(&mut guest, START_UP_BUDGET * 2, stop_at)?;
    let mut found = heap(&mut guest)?;
    found.constructors = constructors(&mut guest, &found.sizes)?;
    let mut resources = BTreeMap::new();
    for line in text(&mut guest, EXPORT_AUDIT_RESOURCES, None)?.lines() {
        *resources.entry(line.to_owned()).or_default() += 1;
    }
    let unset = guest.host().map(|host| std::mem::take(&mut host.unset)).unwrap_or_default();
    let memory = guest.memory()?;
    Ok(Audit { places: found.places, constructors: found.constructors, resources, unset, memory, blocks: found.blocks })
}

/// Which places of the script made what there is when start-up stops by itself: where it wants more memory than it may
/// have.
///
/// # Errors
/// As [`crate::take`].
pub fn heap_at_stop(
    engine: &Engine,
    package: &Package<'_>,
    sealing: Sealing<'_>,
) -> Result<Vec<(Option<Position>, Sum)>> {
    let mut guest = loaded_guest(engine, package, sealing, Heap::Audited)?;
    run(&mut guest, START_UP_BUDGET * 2, -1)?;
    Ok(heap(&mut guest)?.places)
}

#[derive(Default)]
struct Found {
    places: Vec<(Option<Position>, Sum)>,
    constructors: Vec<(String, Sum)>,
    blocks: BTreeMap<u32, (u32, Position)>,
    /// Bytes of all blocks, by address.
    sizes: BTreeMap<u32, usize>,
}

/// Ends the recording and reads it.
fn heap(guest: &mut SealedGuest) -> Result<Found> {
    let Ok(Some(log)) = recorded(guest) else { return Ok(Found::default()) };
    let sites = site_numbers(guest, &log)?;
    let table = called(guest, EXPORT_AUDIT_SITES, &[])?;
    let mut positions: HashMap<u32, Option<Position>> = HashMap::from([(0, None)]);
    let mut places: HashMap<Option<Position>, Sum> = HashMap::new();
    let mut found = Found::default();
    for (block, (bytes, row)) in alive(&log) {
        let site = sites.get(row).copied().unwrap_or(0);
        let position = *positions.entry(site).or_insert_with(|| position(guest, pointer(table), site));
        *places.entry(position).or_default() += Sum { count: 1, bytes: bytes as usize };
        found.sizes.insert(block, bytes as usize);
        if let Some(position) = position {
            found.blocks.insert(block, (bytes, position));
        }
    }
    found.places = largest_first(places);
    Ok(found)
}

/// Blocks that are alive, with their bytes and the numbers of their rows.
fn alive(log: &HeapLog) -> BTreeMap<u32, (u32, usize)> {
    let mut alive = BTreeMap::new();
    for (number, [a, b, c, d, e, f, g, h]) in log.0.as_chunks::<ROW_BYTES>().0.iter().enumerate() {
        let (block, bytes) = (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
        if bytes == 0 {
            alive.remove(&block)
        } else {
            alive.insert(block, (bytes, number))
        };
    }
    alive
}

fn site_numbers(guest: &mut SealedGuest, log: &HeapLog) -> Result<Vec<u32>> {
    let at = called(guest, EXPORT_HEAP_SITES, &[])?;
    let bytes = u32::try_from(log.0.len() / ROW_BYTES * 4).unwrap_or(u32::MAX);
    let sites = guest.read(pointer(at), bytes).unwrap_or_default();
    Ok(sites.as_chunks().0.iter().map(|site| u32::from_le_bytes(*site)).collect())
}

/// A row of the guest's table: function, program counter, the function's own line and column, line, column.
fn position(guest: &mut SealedGuest, table: u32, site: u32) -> Option<Position> {
    let at = table.checked_add(site.checked_mul(AUDIT_SITE_BYTES)?)?;
    let row = guest.read(at, AUDIT_SITE_BYTES)?;
    let words = row.as_chunks().0;
    let word = |number: usize| words.get(number).map(|word| u32::from_le_bytes(*word));
    Some(Position { line: word(4)?, column: word(5)? })
}

/// What blocks are part of: rows of a key and an address in a block.
fn constructors(guest: &mut SealedGuest, sizes: &BTreeMap<u32, usize>) -> Result<Vec<(String, Sum)>> {
    let at = called(guest, EXPORT_AUDIT_PARTS, &[])?;
    let count = called(guest, EXPORT_AUDIT_PART_COUNT, &[])?;
    let rows = guest.read(pointer(at), pointer(count).saturating_mul(8)).unwrap_or_default();
    let mut by_key: BTreeMap<u32, Sum> = BTreeMap::new();
    let mut left: usize = sizes.values().sum();
    let mut seen = BTreeSet::new();
    for [a, b, c, d, e, f, g, h] in rows.as_chunks::<8>().0 {
        let (key, part) = (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
        // QuickJS has a head of its own before what it hands out.
        let holding = sizes.range(..=part).next_back().filter(|(block, bytes)| ((part - **block) as usize) < **bytes);
        if let Some((_, bytes)) = holding.filter(|(block, _)| seen.insert(**block)) {
            let count = usize::from(key & AUDIT_PART_MORE == 0);
            *by_key.entry(key & !AUDIT_PART_MORE).or_default() += Sum { count, bytes: *bytes };
            left -= bytes;
        }
    }
    let mut by_name: HashMap<String, Sum> = HashMap::new();
    for (key, sum) in by_key {
        *by_name.entry(text(guest, EXPORT_AUDIT_NAME, Some(key))?).or_default() += sum;
    }
    let rest = Sum { count: sizes.len() - seen.len(), bytes: left };
    by_name.insert("(strings and tables)".to_owned(), rest);
    Ok(largest_first(by_name))
}

/// The text that an export writes into a buffer.
fn text(guest: &mut SealedGuest, export: &'static str, key: Option<u32>) -> Result<String> {
    const CAPACITY: i64 = 64 << 10;
    let buffer = called(guest, EXPORT_ALLOC, &[CAPACITY])?;
    let args: Vec<i64> = key.map(i64::from).into_iter().chain([buffer, CAPACITY]).collect();
    let length = called(guest, export, &args)?.clamp(0, CAPACITY);
    let bytes = guest.read(pointer(buffer), pointer(length)).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn largest_first<K: Ord>(sums: HashMap<K, Sum>) -> Vec<(K, Sum)> {
    let mut sums: Vec<(K, Sum)> = sums.into_iter().collect();
    sums.sort_by(|(a, of_a), (b, of_b)| of_b.bytes.cmp(&of_a.bytes).then_with(|| a.cmp(b)));
    sums
}

/// Tells the guest to note places too.
pub(crate) fn note_sites(guest: &mut SealedGuest) -> Result<()> {
    called(guest, EXPORT_HEAP_RECORD_SITES, &[]).map(drop)
}
