//! Finds the app that an entry path means: its root folder, its entry file and its package.json.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::AppManifest;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::disk::Disk;
use crate::package::{Package, Packages};
use crate::resolve::{NodeResolver, Request};

/// An app as found on disk.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) root: PathBuf,
    pub(crate) entry: PathBuf,
    pub(crate) manifest: AppManifest,
    pub(crate) disk: Disk,
}

/// Turns the path given by the user into an app.
pub(crate) fn find_app(path: &Path, disk: &Disk) -> Result<App, Diagnostics> {
    let shown = path.display().to_string();
    let real = disk.real_path(path).map_err(|error| {
        Diagnostic::of_file(Severity::Error, &shown, format!("The entry `{shown}` cannot be read: {error}."))
            .with_hint("Name a source file, or a folder with a package.json.")
    })?;
    let entry = if disk.is_folder(&real) { entry_of_folder(disk, &real, &shown)? } else { real };
    let folder = entry.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut packages = Packages::new(disk);
    let package = packages.nearest_named(&folder).or_else(|| packages.nearest(&folder));
    if !packages.broken.is_empty() {
        return Err(Diagnostics(packages.broken.iter().map(|broken| broken.diagnostic("package.json")).collect()));
    }
    let manifest = AppManifest {
        root: package.as_ref().map_or(folder, |package| package.folder.clone()),
        name: package.as_ref().and_then(|package| package.name()).map(str::to_owned),
        version: package.as_ref().and_then(|package| package.version()).map(str::to_owned),
        edgepack: package.and_then(|package| package.json.get("edgepack").cloned()).unwrap_or(Value::Null),
    };
    Ok(App { root: manifest.root.clone(), entry, manifest, disk: disk.clone() })
}

/// `exports` of the folder's own package.json first, then what `require` of the folder would load.
fn entry_of_folder(disk: &Disk, folder: &Path, shown: &str) -> Result<PathBuf, Diagnostics> {
    let resolver = NodeResolver::new(disk);
    let package = Package::read(folder, disk).map_err(|broken| broken.diagnostic("package.json"))?;
    let own = package.as_ref().filter(|package| package.json.get("exports").is_some()).and_then(|p| p.name());
    own.and_then(|name| resolver.resolve_file(folder, name, Request::Import))
        .or_else(|| resolver.resolve_file(folder, ".", Request::Require))
        .ok_or_else(|| {
            Diagnostic::of_file(Severity::Error, shown, format!("The folder `{shown}` has no entry module."))
                .with_hint("Set `main` in its package.json, or add an index.js.")
                .into()
        })
}
