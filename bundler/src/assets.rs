//! Collects the files that the app reads from its own folder at run time.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::disk::Disk;
use crate::entry::App;
use crate::graph::{Body, Graph, Target};
use crate::package::{Packages, glob_matches};
use crate::shake::Live;
use crate::virtual_paths::VirtualPaths;
use crate::{Asset, BundleOptions};

/// Files named in live code by their constant paths, and those that package.json names by globs.
pub(crate) fn collect_assets(
    app: &App,
    graph: &Graph,
    live: &Live,
    options: &BundleOptions,
) -> Result<Vec<Asset>, Diagnostics> {
    let mut files = Vec::new();
    let mut packages = Packages::new(&app.disk);
    for (id, module) in graph.modules.iter().enumerate().filter(|(id, _)| live.modules[*id]) {
        let references: Vec<&String> = match &module.body {
            Body::CommonJs(body) => {
                let parts = body.parts.parts.iter().zip(&live.parts[id]).filter(|(_, live)| **live);
                parts.flat_map(|(part, _)| &part.requests.files).collect()
            }
            Body::Esm(body) => {
                let parts = body.parts.iter().zip(&live.parts[id]).filter(|(_, live)| **live);
                parts.flat_map(|(part, _)| &part.requests.files).collect()
            }
        };
        files.extend(module.targets.values().filter_map(|target| match target {
            Target::File(file, _) if file.starts_with(&app.root) && !is_loaded(graph, file) => Some(file.clone()),
            _ => None,
        }));
        let folder = module.file.parent().unwrap_or(&app.root);
        // Packages of a workspace lie beside the app, and have files of their own.
        let package = packages.nearest_named(folder).map_or_else(|| app.root.clone(), |package| package.folder.clone());
        for reference in references {
            let path = join(folder, reference);
            // A folder around the code itself is a way to some other file, not a folder to read from.
            let surrounds_code = module.file.starts_with(&path) || app.entry.starts_with(&path);
            if (path.starts_with(&app.root) || path.starts_with(&package)) && !surrounds_code {
                list_files(&app.disk, &path, &mut files);
            }
        }
    }
    let globs = globs_of(&app.manifest.edgepack).into_iter().chain(options.assets.iter().cloned());
    let globs: Vec<String> = globs.map(|glob| glob.trim_start_matches("./").to_owned()).collect();
    if !globs.is_empty() {
        files.extend(matching_files(app, &globs));
    }
    read_files(app, files)
}

fn is_loaded(graph: &Graph, file: &Path) -> bool {
    graph.modules.iter().any(|module| module.file == file)
}

fn globs_of(edgepack: &Value) -> Vec<String> {
    let globs = edgepack.get("assets").and_then(Value::as_array);
    globs.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// As `path.join`.
fn join(folder: &Path, relative: &str) -> PathBuf {
    let mut path = folder.to_owned();
    for component in Path::new(relative).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// Folders with all that is in them, but never installed packages or hidden files.
fn list_files(disk: &Disk, path: &Path, files: &mut Vec<PathBuf>) {
    if disk.is_file(path) {
        files.push(path.to_owned());
        return;
    }
    for entry in disk.entries(path).unwrap_or_default() {
        let inner = path.join(&entry.name);
        let is_link_to_folder = entry.is_link && disk.is_folder(&inner);
        if entry.name != "node_modules" && !entry.name.to_string_lossy().starts_with('.') && !is_link_to_folder {
            list_files(disk, &inner, files);
        }
    }
}

fn matching_files(app: &App, globs: &[String]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    list_files(&app.disk, &app.root, &mut files);
    files.retain(|file| {
        let relative = file.strip_prefix(&app.root).unwrap_or(file).to_string_lossy();
        globs.iter().any(|glob| glob_matches(glob, &relative))
    });
    files
}

fn read_files(app: &App, mut files: Vec<PathBuf>) -> Result<Vec<Asset>, Diagnostics> {
    files.sort();
    files.dedup();
    let mut virtual_paths = VirtualPaths::new(&app.root);
    let mut packages = Packages::new(&app.disk);
    let mut found = BTreeMap::new();
    let mut errors = Vec::new();
    for file in files {
        let path = virtual_paths.assign(&file, &mut packages);
        match app.disk.read(&file) {
            Ok(bytes) => drop(found.insert(path, bytes)),
            Err(error) => {
                errors.push(Diagnostic::of_file(
                    Severity::Error,
                    &path,
                    format!("The asset `{path}` cannot be read: {error}."),
                ));
            }
        }
    }
    if errors.is_empty() {
        Ok(found.into_iter().map(|(path, bytes)| Asset { path, bytes }).collect())
    } else {
        Err(Diagnostics(errors))
    }
}
