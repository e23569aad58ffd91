//! Finds and reads the package.json that governs a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Severity};
use crate::disk::Disk;

/// What is needed of one package.json.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) folder: PathBuf,
    pub(crate) json: Value,
}

/// The module system that `type` of package.json chooses for `.js` and `.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageType {
    Module,
    CommonJs,
    Unstated,
}

/// Remembers the package.json of every folder asked for.
#[derive(Debug)]
pub(crate) struct Packages {
    disk: Disk,
    by_folder: HashMap<PathBuf, Option<Rc<Package>>>,
    /// Those met that are no JSON: Node refuses to go on.
    pub(crate) broken: Vec<BrokenPackage>,
}

impl Packages {
    pub(crate) fn new(disk: &Disk) -> Self {
        Self { disk: disk.clone(), by_folder: HashMap::new(), broken: Vec::new() }
    }

    /// The nearest package.json at or above `folder`; Node does not look past a `node_modules` folder.
    pub(crate) fn nearest(&mut self, folder: &Path) -> Option<Rc<Package>> {
        if let Some(known) = self.by_folder.get(folder) {
            return known.clone();
        }
        let found = if folder.file_name().is_some_and(|name| name == "node_modules") {
            None
        } else {
            let own = Package::read(folder, &self.disk).unwrap_or_else(|broken| {
                self.broken.push(broken);
                None
            });
            own.map(Rc::new).or_else(|| self.nearest(folder.parent()?))
        };
        self.by_folder.insert(folder.to_owned(), found.clone());
        found
    }

    /// The nearest package.json that has a name: a nested one may only state a `type`.
    pub(crate) fn nearest_named(&mut self, folder: &Path) -> Option<Rc<Package>> {
        let found = self.nearest(folder)?;
        if found.name().is_some() { Some(found) } else { self.nearest_named(found.folder.parent()?) }
    }
}

/// A package.json that is no JSON.
#[derive(Debug)]
pub(crate) struct BrokenPackage {
    pub(crate) file: PathBuf,
    text: String,
    error: serde_json::Error,
}

impl BrokenPackage {
    /// The finding, for the file as it is to be shown.
    pub(crate) fn diagnostic(&self, shown: &str) -> Diagnostic {
        broken_json(shown, &self.text, &self.error)
    }
}

/// What is wrong with a JSON file, and where.
pub(crate) fn broken_json(shown: &str, text: &str, error: &serde_json::Error) -> Diagnostic {
    let sentence = error.to_string();
    let reason = sentence.rsplit_once(" at line ").map_or(&*sentence, |(reason, _)| reason);
    Diagnostic::of_file(Severity::Error, shown, format!("This is not valid JSON: {reason}.")).at_line(
        text,
        error.line(),
        error.column(),
    )
}

impl Package {
    /// The package.json of exactly this folder.
    pub(crate) fn read(folder: &Path, disk: &Disk) -> Result<Option<Self>, BrokenPackage> {
        let file = folder.join("package.json");
        let Ok(bytes) = disk.read(&file) else { return Ok(None) };
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).into_owned();
        match serde_json::from_str(&text) {
            Ok(json) => Ok(Some(Self { folder: folder.to_owned(), json })),
            Err(error) => Err(BrokenPackage { file, text, error }),
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.json.get("name")?.as_str()
    }

    pub(crate) fn version(&self) -> Option<&str> {
        self.json.get("version")?.as_str()
    }

    pub(crate) fn package_type(&self) -> PackageType {
        match self.json.get("type").and_then(Value::as_str) {
            Some("module") => PackageType::Module,
            Some("commonjs") => PackageType::CommonJs,
            _ => PackageType::Unstated,
        }
    }

    /// Whether `sideEffects` lets an unused module of this package be dropped.
    pub(crate) fn may_drop_unused(&self, file: &Path) -> bool {
        let Ok(relative) = file.strip_prefix(&self.folder) else { return false };
        let relative = relative.to_string_lossy();
        match self.json.get("sideEffects") {
            Some(Value::Bool(effects)) => !effects,
            Some(Value::String(glob)) => !side_effects_glob_matches(glob, &relative),
            Some(Value::Array(globs)) => {
                !globs.iter().filter_map(Value::as_str).any(|glob| side_effects_glob_matches(glob, &relative))
            }
            _ => false,
        }
    }
}

/// A pattern without a slash matches in any folder, as webpack, which invented `sideEffects`, does it.
fn side_effects_glob_matches(glob: &str, relative: &str) -> bool {
    let glob = glob.trim_start_matches("./");
    if glob.contains('/') { glob_matches(glob, relative) } else { glob_matches(&format!("**/{glob}"), relative) }
}

/// Matches `*` within a path segment, `**` across segments and `?` for one character.
pub(crate) fn glob_matches(glob: &str, path: &str) -> bool {
    fn matches(glob: &[u8], path: &[u8]) -> bool {
        match glob {
            [] => path.is_empty(),
            [b'*', b'*', b'/', rest @ ..] => {
                matches(rest, path)
                    || (0..path.len()).any(|index| path[index] == b'/' && matches(rest, &path[index + 1..]))
            }
            [b'*', b'*', rest @ ..] => (0..=path.len()).any(|index| matches(rest, &path[index..])),
            [b'*', rest @ ..] => {
                let segment = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
                (0..=segment).any(|index| matches(rest, &path[index..]))
            }
            [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && matches(rest, &path[1..]),
            [literal, rest @ ..] => path.first() == Some(literal) && matches(rest, &path[1..]),
        }
    }
    matches(glob.as_bytes(), path.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_within_and_across_segments() {
        assert!(glob_matches("public/**", "public/css/site.css"));
        assert!(glob_matches("**/*.css", "site.css"));
        assert!(glob_matches("*.css", "site.css"));
        assert!(!glob_matches("*.css", "css/site.css"));
        assert!(side_effects_glob_matches("*.css", "css/site.css"));
        assert!(!side_effects_glob_matches("./src/*.js", "src/deep/a.js"));
    }
}
