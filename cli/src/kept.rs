//! Containers of earlier builds, under the hash of everything that decides them: an app that is as it was is not started
//! again. Nothing of the building machine is in a container, so it is no input either.

use edgepack_bundler::Kept;
use edgepack_format::targets::Target;
use edgepack_snapshots::Ending;

use crate::build::{App, Variant, package};
use crate::embedded;

/// Some fifty apps of Express's size.
const BYTES_MAX: u64 = 256 << 20;

/// All of them.
pub(crate) fn containers() -> Kept {
    Kept { folder: embedded::cache_dir().join("containers"), bytes_max: BYTES_MAX }
}

/// The keys of what start-up of `app` gives: of a container for all targets, and of one for this target alone.
pub(crate) fn keys(app: &App, target: Option<&Target>) -> [String; 2] {
    let bundle = &app.bundle;
    let engine = (embedded::engine_hash(&app.base), embedded::mapped_pages());
    let settings = (env!("EDGEPACK_PACKING_HASH"), engine, &app.grants, &bundle.manifest);
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{settings:?}").as_bytes());
    for part in [&package(app).encode(), bundle.source_map.as_bytes()] {
        hasher.update(&part.len().to_le_bytes()).update(part);
    }
    ["", target.map_or("", |target| target.triple)].map(|of| {
        let mut hasher = hasher.clone();
        hasher.update(of.as_bytes()).finalize().to_hex()[..32].to_owned()
    })
}

/// Whether the next build would end as this one did.
pub(crate) fn is_final(variant: &Variant) -> bool {
    // A faster machine, or one with less to do, may get further.
    !matches!(variant.ending, Ending::OutOfTime(_)) && variant.hot_pages.is_some() == variant.has_image
}
