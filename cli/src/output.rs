//! Bytes → a file that is there whole or not at all.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use edgepack_format::targets::Target;

use crate::failure::Failure;

/// Whether the file will be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Mode 755.
    Executable,
    /// Mode 755: a container that names its runtime.
    Script,
    /// Mode 644.
    Data,
}

/// The name itself for one target, the name and the target's for several.
pub(crate) fn paths(output: &Path, targets: &[&'static Target]) -> Vec<PathBuf> {
    let named = |target: &&'static Target| {
        let mut name = output.as_os_str().to_owned();
        if targets.len() > 1 {
            name.push(format!("-{}", target.short));
        }
        PathBuf::from(name)
    };
    targets.iter().map(named).collect()
}

/// Refuses an output path early, before minutes of work, that `write` would refuse at the end.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(cannot(path, "it is a folder").hint("name a file with -o"));
    }
    let folder = folder(path);
    if !folder.is_dir() {
        return Err(cannot(path, "its folder does not exist").hint(format!("create {}", folder.display())));
    }
    // The folder's mode says nothing on a read-only file system, or to root: try.
    tempfile::Builder::new()
        .prefix(".edgepack-")
        .tempfile_in(&folder)
        .map_err(|error| cannot(path, &error.to_string()))?;
    Ok(())
}

/// Writes beside the path, syncs, then renames over it.
pub(crate) fn write(path: &Path, bytes: &[u8], kind: Kind) -> Result<(), Failure> {
    let mode = match kind {
        Kind::Executable | Kind::Script => 0o755,
        Kind::Data => 0o644,
    };
    let failed = |error: std::io::Error| cannot(path, &error.to_string());
    let mut part = tempfile::Builder::new().prefix(".edgepack-").tempfile_in(folder(path)).map_err(failed)?;
    part.write_all(bytes).map_err(failed)?;
    part.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    part.as_file().sync_all().map_err(failed)?;
    part.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn cannot(path: &Path, why: &str) -> Failure {
    Failure::new(format!("{} cannot be written: {why}", path.display()))
}
