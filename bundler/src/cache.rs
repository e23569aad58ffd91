//! Keeps bundles by what they were made from: options, and everything that was asked of the disk.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::{Disk, Seen};
use crate::kept::Kept;
use crate::{Bundle, BundleOptions, Diagnostics, bundle_from};

/// All that is kept: some hundred apps, as Express with its source map takes 2 MiB.
const BYTES_MAX: u64 = 256 << 20;

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
struct Made {
    seen: Seen,
    bundle: Bundle,
}

/// Bundles an app, or takes from `folder` what was made of it before, if everything that was read for it, and
/// everything that was looked for in vain, is as it was. What is in `folder` and cannot be read counts as absent.
///
/// # Errors
/// Those of [`bundle`](crate::bundle); they are not kept.
pub fn bundle_cached(options: &BundleOptions, folder: &Path) -> Result<(Bundle, Origin), Diagnostics> {
    let (kept, key) = (Kept { folder: folder.to_owned(), bytes_max: BYTES_MAX }, key(options));
    // It is used if it would be the same today.
    if let Some(made) = kept.read::<Made>(&key).filter(|made| made.seen.is_true()) {
        return Ok((made.bundle, Origin::Cache));
    }
    let disk = Disk::remembering();
    let bundle = bundle_from(options, &disk)?;
    if let Some(seen) = disk.seen() {
        let made = Made { seen, bundle };
        // Without a folder that can be written to the next build is as slow as this one.
        let _ = kept.write(&key, &made);
        return Ok((made.bundle, Origin::Sources));
    }
    Ok((bundle, Origin::Sources))
}

/// The sources of the bundler, the options, and the folder from which paths are meant.
fn key(options: &BundleOptions) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let text = format!("{} {} {options:?}", env!("EDGEPACK_BUNDLER_HASH"), here.display());
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}
