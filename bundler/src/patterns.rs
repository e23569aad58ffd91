//! Finds the files that a specifier may mean whose beginning only is known: `require('./locales/' + name)`.

use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::requires::Pattern;

/// What can be loaded without its extension comes first.
const EXTENSIONS: [&str; 9] = ["js", "json", "cjs", "mjs", "ts", "cts", "mts", "jsx", "tsx"];

/// Files below the known folder that `pattern` can mean, sorted; installed packages and hidden files are never meant.
pub(crate) fn matching_files(disk: &Disk, importer: &Path, pattern: &Pattern) -> Vec<PathBuf> {
    let (folder, begun) = pattern.prefix.rsplit_once('/').unwrap_or((".", &pattern.prefix));
    let folder = importer.parent().unwrap_or(importer).join(folder);
    let Ok(root) = disk.real_path(&folder) else { return Vec::new() };
    let mut files = Vec::new();
    list(disk, &root, &mut files);
    files.retain(|file| file != importer && fits(&root, file, begun, &pattern.suffix));
    files.sort();
    files
}

fn list(disk: &Disk, folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in disk.entries(folder).unwrap_or_default() {
        if entry.name == "node_modules" || entry.name.to_string_lossy().starts_with('.') {
            continue;
        }
        // Links may lead anywhere, also back.
        if entry.is_folder {
            list(disk, &folder.join(entry.name), files);
        } else if entry.is_file {
            files.push(folder.join(entry.name));
        }
    }
}

fn fits(root: &Path, file: &Path, begun: &str, suffix: &str) -> bool {
    let Some(extension) = file.extension().and_then(|extension| extension.to_str()) else { return false };
    let Ok(relative) = file.strip_prefix(root) else { return false };
    let relative = relative.to_string_lossy();
    // The suffix may leave out what resolution adds.
    let bare = relative.strip_suffix(&*format!(".{extension}")).unwrap_or(&relative);
    let ends = |text: &str| text.len() >= begun.len() + suffix.len() && text.ends_with(suffix);
    let is_index = bare.strip_suffix("/index").is_some_and(ends);
    EXTENSIONS.contains(&extension)
        && relative.starts_with(begun)
        && (ends(&relative) || (suffix_names_no_file(suffix) && (ends(bare) || is_index)))
}

fn suffix_names_no_file(suffix: &str) -> bool {
    !EXTENSIONS.iter().any(|extension| suffix.ends_with(&format!(".{extension}")))
}
