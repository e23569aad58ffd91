//! Finds the files that a specifier may mean whose beginning only is known: `require('./locales/' + name)`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::requires::Pattern;

/// What can be loaded without its extension comes first.
const EXTENSIONS: [&str; 9] = ["js", "json", "cjs", "mjs", "ts", "cts", "mts", "jsx", "tsx"];

/// Files below the known folder that `pattern` can mean, sorted; installed packages and hidden files are never meant.
pub(crate) fn matching_files(importer: &Path, pattern: &Pattern) -> Vec<PathBuf> {
    let (folder, begun) = pattern.prefix.rsplit_once('/').unwrap_or((".", &pattern.prefix));
    let Ok(root) = importer.parent().unwrap_or(importer).join(folder).canonicalize() else { return Vec::new() };
    let mut files = Vec::new();
    list(&root, &mut files);
    files.retain(|file| file != importer && fits(&root, file, begun, &pattern.suffix));
    files.sort();
    files
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == "node_modules" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            // Links may lead anywhere, also back.
            _ => {}
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
