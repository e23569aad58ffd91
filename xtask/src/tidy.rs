//! The rules of the house that a compiler does not know, each with what to do instead.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::{command, output};

/// Longer files are split by what they do; tables may be as long as they are.
const FILE_LINES_MAX: usize = 600;
const TABLES: &[&str] = &["format/src/host_calls.rs", "format/src/container.rs"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "types"];
/// Bindings are named by Node, whatever we think of its names.
const NODES_NAMES: &str = "engine/src/bindings/";

/// Crates of the command, which also runs elsewhere than on Linux.
const PORTABLE: &[&str] = &["bundler/src/", "cli/src/", "format/src/", "packer/src/", "snapshots/src/"];
/// What only Linux has.
const LINUX: &[&str] = &["libc::", "rustix::", "os::linux", "\"/proc/", "\"/sys/"];

/// Reports every broken rule at once.
pub(crate) fn tidy(project: &Project) -> Result<()> {
    let files = tracked(project)?;
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        rust_file(project, file, &mut broken)?;
    }
    for file in &files {
        names(file, &mut broken);
    }
    architecture(project, &files, &mut broken)?;
    if !broken.is_empty() {
        bail!("{} rules are broken:\n{}", broken.len(), broken.join("\n"));
    }
    Ok(())
}

fn tracked(project: &Project) -> Result<Vec<PathBuf>> {
    let list = output(&mut command("git", ["ls-files"], &project.root))?;
    Ok(list.lines().map(PathBuf::from).filter(|path| project.root.join(path).is_file()).collect())
}

fn rust_file(project: &Project, file: &Path, broken: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(project.root.join(file))?;
    let shown = file.display().to_string();
    if !text.starts_with("//!") {
        broken.push(format!("{shown}: open the file with `//!` and one sentence: what it turns into what"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX && !TABLES.contains(&shown.as_str()) {
        broken.push(format!("{shown}: {lines} lines; split it by what it does ({FILE_LINES_MAX} at most)"));
    }
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("pub use ") && code.ends_with("::*;") {
            broken.push(format!("{shown}:{}: name what is exported instead of `*`", number + 1));
        }
        let is_portable = PORTABLE.iter().any(|folder| shown.starts_with(folder)) && !shown.ends_with("_linux.rs");
        if is_portable && LINUX.iter().any(|name| code.contains(name)) {
            broken.push(format!(
                "{shown}:{}: what only Linux has belongs into a file `…_linux.rs` with a sibling for other systems",
                number + 1
            ));
        }
        if code.starts_with("static mut ") || code.starts_with("pub static mut ") {
            broken.push(format!("{shown}:{}: put the state into a cell with its SAFETY argument", number + 1));
        }
    }
    Ok(())
}

fn names(file: &Path, broken: &mut Vec<String>) {
    let shown = file.display().to_string();
    if shown.starts_with(NODES_NAMES) || file.iter().any(|part| part == "fixtures") {
        return;
    }
    for part in file.iter().filter_map(|part| Path::new(part).file_stem()).map(|stem| stem.to_string_lossy()) {
        if EMPTY_NAMES.contains(&part.as_ref()) {
            broken.push(format!("{shown}: `{part}` says nothing; name it by what is inside"));
        }
    }
}

/// Every path that ARCHITECTURE.md names exists, and every source folder at the top is named there.
fn architecture(project: &Project, files: &[PathBuf], broken: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(project.root.join("ARCHITECTURE.md"))?;
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    for path in quoted.iter().filter(|quoted| is_path(quoted)) {
        if !project.root.join(path).exists() {
            broken.push(format!("ARCHITECTURE.md names `{path}`, which is not there"));
        }
    }
    let mut folders: Vec<String> = files
        .iter()
        .filter(|file| file.components().count() > 1)
        .filter_map(|file| Some(file.iter().next()?.to_string_lossy().into_owned()))
        .filter(|folder| !folder.starts_with('.'))
        .collect();
    folders.dedup();
    for folder in folders {
        if !quoted.iter().any(|quoted| quoted.trim_end_matches('/') == folder) {
            broken.push(format!("ARCHITECTURE.md does not say what `{folder}/` is for"));
        }
    }
    Ok(())
}

fn is_path(quoted: &str) -> bool {
    let plain = quoted.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    plain && quoted.contains('/') && !quoted.starts_with(['/', '.', '-'])
}
