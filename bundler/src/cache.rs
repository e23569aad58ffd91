//! Keeps bundles by what they were made from: options, and everything that was asked of the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::disk::{Disk, Seen};
use crate::{Bundle, BundleOptions, Diagnostics, bundle_from};

/// All that is kept: some hundred apps, as Express with its source map takes 2 MiB.
const KEPT_BYTES_MAX: u64 = 256 << 20;

/// Where a bundle is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was made.
    Sources,
    /// It was made before, from the same.
    Cache,
}

/// A bundle and what it rests on.
#[derive(Serialize, Deserialize)]
struct Kept {
    seen: Seen,
    bundle: Bundle,
}

/// Bundles an app, or takes from `folder` what was made of it before, if everything that was read for it, and
/// everything that was looked for in vain, is as it was. What is in `folder` and cannot be read counts as absent.
///
/// # Errors
/// Those of [`bundle`](crate::bundle); they are not kept.
pub fn bundle_cached(options: &BundleOptions, folder: &Path) -> Result<(Bundle, Origin), Diagnostics> {
    let file = folder.join(key(options));
    if let Some(bundle) = fresh(&file) {
        return Ok((bundle, Origin::Cache));
    }
    let disk = Disk::remembering();
    let bundle = bundle_from(options, &disk)?;
    if let Some(seen) = disk.seen() {
        let kept = Kept { seen, bundle };
        // Without a folder that can be written to the next build is as slow as this one.
        let _ = keep(folder, &file, &kept);
        return Ok((kept.bundle, Origin::Sources));
    }
    Ok((bundle, Origin::Sources))
}

/// The sources of the bundler, the options, and the folder from which paths are meant.
fn key(options: &BundleOptions) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let text = format!("{} {} {options:?}", env!("EDGEPACK_BUNDLER_HASH"), here.display());
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

/// The bundle in `file`, if it would be the same today.
fn fresh(file: &Path) -> Option<Bundle> {
    let bytes = fs::read(file).ok()?;
    let (hash, content) = bytes.split_at_checked(blake3::OUT_LEN)?;
    if blake3::hash(content).as_bytes() != hash {
        return None;
    }
    let kept: Kept = postcard::from_bytes(content).ok()?;
    if !kept.seen.is_true() {
        return None;
    }
    // What was used last is thrown away last.
    let _ = fs::File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
    Some(kept.bundle)
}

fn keep(folder: &Path, file: &Path, kept: &Kept) -> std::io::Result<()> {
    let content = postcard::to_allocvec(kept).map_err(std::io::Error::other)?;
    let bytes = [blake3::hash(&content).as_bytes(), &*content].concat();
    if bytes.len() as u64 > KEPT_BYTES_MAX {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let part = folder.join(format!(".part-{}-{:?}", std::process::id(), std::thread::current().id()));
    fs::write(&part, bytes)?;
    fs::rename(&part, file)?;
    trim(folder)
}

/// Removes what was not used for longest, until the rest is small enough.
fn trim(folder: &Path) -> std::io::Result<()> {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let metadata = entry.metadata()?;
        files.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, size, file) in files {
        if bytes <= KEPT_BYTES_MAX {
            break;
        }
        fs::remove_file(file)?;
        bytes -= size;
    }
    Ok(())
}
