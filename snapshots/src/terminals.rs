//! A start-up that asks what a standard stream is → what of its memory is otherwise where the stream is a terminal.
//!
//! Libraries ask at module scope and keep the answer (`debug` does). The app is started once more with the other answer;
//! as start-up is deterministic and its heap placed, the two memories differ in what was kept of it. Where they differ
//! in more than that there is no patch, and boot at a terminal starts from the package.

use edgepack_format::container::{Assumption, Patch};
use edgepack_format::host_calls::stdio_kind;
use edgepack_format::limits::PATCHES_MAX;

use crate::Result;
use crate::snapshot::Started;

/// Which of the standard streams are terminals.
pub(crate) type Terminals = [bool; 3];

/// Memories are compared in pieces of this size: the head of a patch takes as much.
const PIECE_BYTES: usize = 8;

/// How far an index may grow by them.
const PATCHED_BYTES_MAX: usize = 16 << 10;

/// What `stdio_kind` answers at build time.
pub(crate) fn kind(terminals: Terminals, handle: Option<&i64>) -> i64 {
    let handle = handle.and_then(|handle| usize::try_from(*handle).ok());
    let is_terminal = handle.and_then(|handle| terminals.get(handle)).is_some_and(|is_terminal| *is_terminal);
    i64::from(if is_terminal { stdio_kind::TTY } else { stdio_kind::PIPE })
}

/// The other assumptions that the image of `started` serves. `start` starts the app again; `None` if that ends otherwise.
pub(crate) fn others(
    started: &Started,
    mut start: impl FnMut(Terminals) -> Result<Option<Started>>,
) -> Result<Vec<Assumption>> {
    let mut found = Vec::new();
    for terminals in answers(&started.assumption) {
        let other = start(terminals)?.filter(|other| other.effects == started.effects);
        let patches = other.as_ref().and_then(|other| patches(&started.memory, &other.memory));
        if let (Some(other), Some(patches)) = (other, patches) {
            found.push(Assumption { patches, ..other.assumption });
        }
    }
    Ok(found)
}

fn asked(assumption: &Assumption) -> Vec<usize> {
    let guards = assumption.guards.iter().filter(|guard| guard.call == "stdio_kind");
    guards.filter_map(|guard| usize::try_from(*guard.args.first()?).ok()).filter(|handle| *handle < 3).collect()
}

/// Every way in which streams that were asked for may be terminals, but none of them.
fn answers(assumption: &Assumption) -> impl Iterator<Item = Terminals> {
    let asked = asked(assumption);
    let mask = asked.iter().fold(0_usize, |mask, handle| mask | 1 << handle);
    (1..8_usize).filter(move |set| set & !mask == 0).map(|set| [set & 1 != 0, set & 2 != 0, set & 4 != 0])
}

/// What to write over the one memory to get the other.
fn patches(from: &[u8], to: &[u8]) -> Option<Vec<Patch>> {
    if from.len() != to.len() {
        return None;
    }
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let pieces = from.chunks(PIECE_BYTES).zip(to.chunks(PIECE_BYTES)).enumerate();
    for (number, _) in pieces.filter(|(_, (from, to))| from != to) {
        let (start, end) = (number * PIECE_BYTES, ((number + 1) * PIECE_BYTES).min(to.len()));
        match ranges.last_mut() {
            Some((_, last)) if *last == start => *last = end,
            _ => ranges.push((start, end)),
        }
        if ranges.len() > PATCHES_MAX as usize {
            return None;
        }
    }
    let bytes: usize = ranges.iter().map(|(start, end)| end - start).sum();
    let patch = |&(start, end): &(usize, usize)| {
        Some(Patch { address: u32::try_from(start).ok()?, bytes: to.get(start..end)?.to_vec() })
    };
    if bytes > PATCHED_BYTES_MAX { None } else { ranges.iter().map(patch).collect() }
}

#[cfg(test)]
mod tests {
    use edgepack_format::container::Guard;

    use super::*;

    fn asking(handles: &[i64]) -> Assumption {
        let guard = |handle: &i64| Guard { call: "stdio_kind".to_owned(), args: vec![*handle], result: 1 };
        Assumption { guards: handles.iter().map(guard).collect(), patches: Vec::new() }
    }

    #[test]
    fn every_set_of_asked_streams_is_tried() {
        assert_eq!(answers(&asking(&[])).count(), 0);
        assert_eq!(answers(&asking(&[2])).collect::<Vec<_>>(), [[false, false, true]]);
        assert_eq!(
            answers(&asking(&[2, 1])).collect::<Vec<_>>(),
            [[false, true, false], [false, false, true], [false, true, true]]
        );
        assert_eq!(answers(&asking(&[0, 1, 2])).count(), 7);
    }

    #[test]
    fn patches_make_one_memory_of_the_other() {
        let from = vec![7_u8; 64];
        let mut to = from.clone();
        to[3] = 1;
        to[15] = 2;
        to[63] = 3;
        let patches = patches(&from, &to).unwrap();
        assert_eq!(
            patches.iter().map(|patch| (patch.address, patch.bytes.len())).collect::<Vec<_>>(),
            [(0, 16), (56, 8)]
        );
        let mut patched = from.clone();
        for patch in &patches {
            patched[patch.address as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        assert_eq!(patched, to);
    }

    #[test]
    fn memories_of_two_start_ups_have_none() {
        let from = vec![0_u8; 64 << 10];
        let every_other: Vec<u8> = (0..from.len()).map(|at| u8::from(at % 16 == 0)).collect();
        assert_eq!(patches(&from, &every_other), None);
        assert_eq!(patches(&from, &vec![1; from.len()]), None, "too many bytes");
        assert_eq!(patches(&from, &from[1..]), None, "another size");
    }
}
