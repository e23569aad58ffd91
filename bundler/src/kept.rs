//! A folder of what was made before, under keys that name all it was made from.
//!
//! A file is the BLAKE3 of the rest, then the value. One that cannot be read, or is damaged, counts as absent; one is
//! there whole or not at all; what was not used for longest is removed first.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder, and how large it may grow.
#[derive(Debug, Clone)]
pub struct Kept {
    /// It is made when something is first kept.
    pub folder: PathBuf,
    /// The sum of the sizes of its files; what is larger by itself is not kept.
    pub bytes_max: u64,
}

impl Kept {
    /// What was kept under `key`.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let path = self.folder.join(key);
        let bytes = fs::read(&path).ok()?;
        let (hash, content) = bytes.split_at_checked(blake3::OUT_LEN)?;
        if blake3::hash(content).as_bytes() != hash {
            return None;
        }
        let value = postcard::from_bytes(content).ok()?;
        // What was used last is thrown away last.
        let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(value)
    }

    /// Keeps `value` under `key`, a file's name.
    ///
    /// # Errors
    /// If the folder cannot be written to: the next build is as slow as this one, no more.
    pub fn write(&self, key: &str, value: &impl Serialize) -> io::Result<()> {
        let content = postcard::to_allocvec(value).map_err(io::Error::other)?;
        let bytes = [blake3::hash(&content).as_bytes(), &*content].concat();
        if bytes.len() as u64 > self.bytes_max {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let part = self.folder.join(format!(".part-{}-{:?}", std::process::id(), std::thread::current().id()));
        fs::write(&part, bytes)?;
        fs::rename(&part, self.folder.join(key))?;
        self.trim()
    }

    /// Removes what was not used for longest, until the rest is small enough.
    fn trim(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let metadata = entry.metadata()?;
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, file) in files {
            if bytes <= self.bytes_max {
                break;
            }
            fs::remove_file(file)?;
            bytes -= size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept { folder: folder.path().join("below"), bytes_max: 1000 };
        assert_eq!(kept.read::<String>("one"), None);
        kept.write("one", &"value").unwrap();
        assert_eq!(kept.read("one"), Some("value".to_owned()));
        let path = kept.folder.join("one");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(kept.read::<String>("one"), None);
        fs::write(&path, b"short").unwrap();
        assert_eq!(kept.read::<String>("one"), None);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept { folder: folder.path().to_owned(), bytes_max: 1100 };
        let value = "x".repeat(300);
        for key in ["a", "b", "c"] {
            kept.write(key, &value).unwrap();
            let days_ago = SystemTime::now() - std::time::Duration::from_secs(86_400);
            fs::File::open(folder.path().join(key)).unwrap().set_modified(days_ago).unwrap();
        }
        assert!(kept.read::<String>("a").is_some(), "it is used now");
        kept.write("d", &value).unwrap();
        let there = ["a", "b", "c", "d"].map(|key| folder.path().join(key).exists());
        assert_eq!(there, [true, false, true, true]);
        kept.write("large", &"x".repeat(2000)).unwrap();
        assert!(!folder.path().join("large").exists() && folder.path().join("d").exists());
    }
}
