//! Where things are: the source tree, the cache of what was built, the target folder; and how built things are named.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The folders a task works with.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The source tree.
    pub(crate) root: PathBuf,
    /// `~/.cache/edgepack`: tools, and everything built, by the hash of what it was built from.
    pub(crate) cache: PathBuf,
}

impl Project {
    pub(crate) fn open() -> Result<Project> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the project")?.to_owned();
        let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).context("HOME is not set")?;
        Ok(Project { root, cache: cache.join("edgepack") })
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    /// `cache/current`: the newest of everything the command embeds.
    pub(crate) fn current(&self) -> PathBuf {
        self.cache.join("current")
    }

    /// Builds a folder once per content of its inputs: `cache/NAME-HASH`, with what `make` writes into the folder it
    /// is given. Inputs are files and folders of the source tree; `extra` is whatever else decides (tool versions).
    pub(crate) fn cached(
        &self,
        name: &str,
        inputs: &[&str],
        extra: &str,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(extra.as_bytes());
        for input in inputs {
            hash_tree(&mut hasher, &self.root, &self.root.join(input))?;
        }
        let hash = hasher.finalize().to_hex();
        let folder = self.cache.join(format!("{name}-{}", &hash.as_str()[..16]));
        if folder.is_dir() {
            return Ok(folder);
        }
        let part = self.cache.join(format!("{name}-part-{}", std::process::id()));
        let _ = fs::remove_dir_all(&part);
        fs::create_dir_all(&part).with_context(|| format!("{} cannot be created", part.display()))?;
        let made = make(&part);
        if made.is_err() {
            let _ = fs::remove_dir_all(&part);
        }
        made?;
        fs::rename(&part, &folder).with_context(|| format!("{} cannot be kept", folder.display()))?;
        Ok(folder)
    }

    /// Makes a built file what the command embeds under that name.
    pub(crate) fn publish(&self, name: &str, file: &Path) -> Result<()> {
        ensure!(file.is_file(), "{} was not built", file.display());
        let link = self.current().join(name);
        if fs::canonicalize(&link).ok() == fs::canonicalize(file).ok() {
            return Ok(());
        }
        fs::create_dir_all(self.current())?;
        let part = self.current().join(format!(".{name}-{}", std::process::id()));
        std::os::unix::fs::symlink(file, &part)?;
        fs::rename(&part, &link)?;
        Ok(())
    }
}

/// Paths and contents, sorted; build products are not inputs.
fn hash_tree(hasher: &mut blake3::Hasher, root: &Path, path: &Path) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        for entry in entries {
            let skipped = entry.file_name().is_some_and(|name| name == "target" || name == "node_modules");
            if !skipped {
                hash_tree(hasher, root, &entry)?;
            }
        }
        return Ok(());
    }
    let content = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    hasher.update(path.strip_prefix(root).unwrap_or(path).to_string_lossy().as_bytes());
    hasher.update(&u64::try_from(content.len())?.to_le_bytes());
    hasher.update(&content);
    Ok(())
}
