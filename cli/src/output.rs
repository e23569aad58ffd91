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
    if is_special(path) {
        return Ok(());
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

/// Writes beside the path, then renames over it. What is no file, such as a pipe, is written into.
pub(crate) fn write(path: &Path, bytes: &[u8], kind: Kind) -> Result<(), Failure> {
    let mode = match kind {
        Kind::Executable | Kind::Script => 0o755,
        Kind::Data => 0o644,
    };
    let failed = |error: std::io::Error| cannot(path, &error.to_string());
    if is_special(path) {
        return std::fs::write(path, bytes).map_err(failed);
    }
    // A link stays one.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut part = tempfile::Builder::new().prefix(".edgepack-").tempfile_in(folder(path)).map_err(failed)?;
    part.write_all(bytes).map_err(failed)?;
    part.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    part.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Whether there is something that must not be replaced: a device or a pipe, or `/dev/stdout`, behind which may be a file.
fn is_special(path: &Path) -> bool {
    let is_open = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    std::fs::metadata(path).is_ok_and(|there| !there.is_dir() && (is_open || !there.is_file()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_written_into_and_stays_one() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo makes a pipe");
        check(&pipe).expect("it can be written to");
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).expect("it can be read")
        });
        write(&pipe, b"whole", Kind::Data).expect("written");
        assert_eq!(reader.join().expect("read"), b"whole");
        assert!(is_special(&pipe), "it is still a pipe");
    }

    #[test]
    fn a_link_stays_one_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        write(&file, b"before", Kind::Data).expect("written");
        std::os::unix::fs::symlink("file", &link).expect("a link");
        write(&link, b"after", Kind::Executable).expect("written");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&file).expect("it is there"), b"after");
    }
}
