//! Start-ups of earlier builds: where one stops and how its heap lies, by the content of everything that decides it.
//!
//! With these an app is started once instead of three times. Nothing is taken for granted: the run has to stop in the
//! same step and to make as many allocations, or else it is done from the beginning; and as the plan is the one that the
//! same content gave, so are the snapshot's bytes.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use edgepack_format::guest::Package;

use crate::engine::{Engine, write_whole};
use crate::sealed::Sealing;

/// A start-up, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The step it stopped before; -1 if it did not.
    pub(crate) stop_at: i64,
    /// The plan of its heap.
    pub(crate) plan: Vec<u8>,
}

/// How many are kept: a plan takes a byte for each allocation, a megabyte for an app of Express's size.
const KEPT_MAX: usize = 24;

const MAGIC: &[u8; 8] = b"edgeups1";

/// Where the one of this content is kept.
pub(crate) fn place(engine: &Engine, package: &Package<'_>, sealing: Sealing<'_>) -> PathBuf {
    let mut hasher = blake3::Hasher::new();
    let Sealing { grants, frozen, target } = sealing;
    let target = target.map(|target| target.triple);
    let settings = format!("{}\0{target:?}\0{grants:?}\0{}\0{:?}", crate::wasmer::VM, frozen.time, frozen.packages);
    hasher.update(&engine.hash()).update(blake3::hash(&engine.base().memory).as_bytes());
    hasher.update(settings.as_bytes()).update(&package.encode());
    folder(engine.cache_dir()).join(&hasher.finalize().to_hex().as_str()[..32])
}

fn folder(cache_dir: &Path) -> PathBuf {
    cache_dir.join("start-ups")
}

impl Remembered {
    /// Reads what `keep` wrote; `None` if there is none, or if it is damaged.
    pub(crate) fn read(place: &Path) -> Option<Remembered> {
        let file = std::fs::read(place).ok()?;
        let (hash, content) = file.split_first_chunk::<32>()?;
        if blake3::hash(content).as_bytes() != hash {
            return None;
        }
        let (stop_at, plan) = content.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        Some(Remembered { stop_at: i64::from_le_bytes(*stop_at), plan: plan.to_vec() })
    }

    /// Writes it; without room for it, the next build does the work again.
    pub(crate) fn keep(&self, place: &Path) {
        let content = [MAGIC, &self.stop_at.to_le_bytes(), self.plan.as_slice()].concat();
        let file = [blake3::hash(&content).as_bytes(), content.as_slice()].concat();
        if write_whole(place, &file).is_ok()
            && let Some(folder) = place.parent()
        {
            forget_oldest(folder);
        }
    }
}

fn forget_oldest(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let written = |entry: &std::fs::DirEntry| entry.metadata().and_then(|metadata| metadata.modified());
    let mut files: Vec<(SystemTime, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((written(&entry).ok()?, entry.path()))).collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(KEPT_MAX) {
        // Another build may have removed it.
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("start-ups/one");
        assert_eq!(Remembered::read(&place), None);
        let kept = Remembered { stop_at: 7, plan: vec![1, 2, 3] };
        kept.keep(&place);
        assert_eq!(Remembered::read(&place), Some(kept));
        let mut bytes = std::fs::read(&place).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&place, &bytes).unwrap();
        assert_eq!(Remembered::read(&place), None);
        std::fs::write(&place, b"short").unwrap();
        assert_eq!(Remembered::read(&place), None);
    }

    #[test]
    fn only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..KEPT_MAX + 5 {
            Remembered { stop_at: 0, plan: Vec::new() }.keep(&folder.path().join(number.to_string()));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), KEPT_MAX);
        let last = folder.path().join((KEPT_MAX + 4).to_string());
        assert!(Remembered::read(&last).is_some(), "the newest is there");
    }
}
