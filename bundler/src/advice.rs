//! Says why a specifier that leads nowhere does, and what was probably meant.

use std::path::Path;

use serde_json::Value;

use crate::disk::Disk;
use crate::package::{Package, Packages};
use crate::spelling::nearest;

/// A hint for `specifier`, which the file `importer` asks for in vain.
pub(crate) fn advise(disk: &Disk, importer: &Path, specifier: &str) -> Option<String> {
    let folder = importer.parent()?;
    if specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == ".." {
        return advise_path(disk, folder, specifier);
    }
    if specifier.starts_with('#') {
        let package = Packages::new(disk).nearest(folder)?;
        let names = keys(package.json.get("imports")?);
        return nearest(specifier, names).map(did_you_mean);
    }
    advise_package(disk, folder, specifier)
}

fn did_you_mean(name: &str) -> String {
    format!("Did you mean `{name}`?")
}

fn advise_path(disk: &Disk, folder: &Path, specifier: &str) -> Option<String> {
    let path = folder.join(specifier);
    // What ELOOP is called on every Unix.
    const TOO_MANY_LINKS: i32 = 40;
    if disk.metadata(&path).is_err_and(|error| error.raw_os_error() == Some(TOO_MANY_LINKS)) {
        return Some("It is a symbolic link that leads back to itself.".to_owned());
    }
    if disk.is_folder(&path) {
        return Some("It is a folder without an index file, and ES modules name a file in any case.".to_owned());
    }
    let (before, wanted) = specifier.rsplit_once('/').unwrap_or((".", specifier));
    let entries = disk.entries(&folder.join(before)).ok()?;
    let mut names: Vec<String> = entries.iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect();
    names.sort();
    let extended = names.iter().find(|name| name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.')));
    let name = extended.map(String::as_str).or_else(|| nearest(wanted, names.iter().map(String::as_str)))?;
    Some(did_you_mean(&format!("{before}/{name}")))
}

fn advise_package(disk: &Disk, folder: &Path, specifier: &str) -> Option<String> {
    let name = package_name(specifier);
    let own = Packages::new(disk).nearest_named(folder)?;
    if let Some(found) = installed(disk, folder, name) {
        let exported = keys(found.json.get("exports")?);
        let wanted = format!(".{}", &specifier[name.len()..]);
        return nearest(&wanted, exported).map(|path| did_you_mean(&format!("{name}{}", path.trim_start_matches('.'))));
    }
    for (list, hint) in [
        ("dependencies", "It is in package.json, but not installed: run `npm install`."),
        ("devDependencies", "It is in package.json, but not installed: run `npm install`."),
        ("optionalDependencies", "It is an optional dependency that is not installed here."),
        ("peerDependencies", "It is a peer dependency: the app has to install it."),
    ] {
        if own.json.get(list).and_then(|list| list.get(name)).is_some() {
            return Some(hint.to_owned());
        }
    }
    let names = ["dependencies", "devDependencies"].iter().filter_map(|list| own.json.get(list)).flat_map(keys);
    nearest(name, names).map(did_you_mean)
}

fn package_name(specifier: &str) -> &str {
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    specifier.match_indices('/').nth(slashes - 1).map_or(specifier, |(at, _)| &specifier[..at])
}

fn installed(disk: &Disk, folder: &Path, name: &str) -> Option<Package> {
    folder.ancestors().find_map(|above| Package::read(&above.join("node_modules").join(name), disk).ok().flatten())
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().into_iter().flat_map(|entries| entries.keys()).map(String::as_str).collect()
}
