//! A guest path becomes a place in the kernel's file tree that cannot be left through `..` or symbolic links.
//!
//! Where one entry of the grants covers a path, everything below the entry's directory is opened relative to a
//! handle of it, and the kernel (openat2) or a walk component by component refuses to leave it. The guest is the
//! only one who could race with this, and it waits for the answer.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use edgepack_format::guest::APP_ROOT;
use edgepack_format::policy::{Capability, Scope};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::host::{Host, Refusal, View};

/// How many symbolic links the fallback walk follows: the kernel's own limit.
const LINKS_MAX: usize = 40;

/// A checked path.
#[derive(Debug)]
pub(crate) struct Place {
    /// The absolute path in the guest's terms, normalised.
    guest_path: String,
    reach: Reach,
}

#[derive(Debug)]
enum Reach {
    /// No restriction: the kernel's path.
    Anywhere(PathBuf),
    /// Only beneath a root.
    Beneath(Confined),
}

#[derive(Debug)]
struct Confined {
    /// The granting entry, in the guest's terms.
    root_guest_path: String,
    /// The same in the kernel's terms; relative to the launch directory where the entry is.
    root: PathBuf,
    /// Where another entry of the grants lies above the root: the outermost one, in the kernel's terms, and the way
    /// from there to the root.
    outermost: Option<(PathBuf, PathBuf)>,
    /// The path below the root; `.` for the root itself.
    below: PathBuf,
    capability: Capability,
}

/// Arguments for a `…at` call: a directory and a path that does not need to be checked any more.
#[derive(Debug)]
pub(crate) struct At {
    directory: Option<OwnedFd>,
    /// Relative to the directory, or to nothing.
    pub(crate) path: PathBuf,
}

impl At {
    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_ref().map_or(CWD, AsFd::as_fd)
    }
}

impl Place {
    /// Only for `capability.rs`, which has checked that `entry` (none: everything) grants the path.
    pub(crate) fn new(host: &Host, guest_path: String, entry: Option<String>, capability: Capability) -> Place {
        let reach = match entry {
            None => Reach::Anywhere(host.kernel_path(&guest_path)),
            Some(entry) => {
                let root_guest_path = guest_path_of_entry(&entry);
                let below = guest_path.strip_prefix(&root_guest_path).unwrap_or_default().trim_start_matches('/');
                Reach::Beneath(Confined {
                    root: host.kernel_path(&root_guest_path),
                    outermost: host.outermost_above(&root_guest_path),
                    below: PathBuf::from(if below.is_empty() { "." } else { below }),
                    root_guest_path,
                    capability,
                })
            }
        };
        Place { guest_path, reach }
    }

    /// The directory entry itself: a symbolic link at the end is not followed.
    pub(crate) fn entry(&self) -> Result<At, Refusal> {
        match &self.reach {
            Reach::Anywhere(path) => Ok(At { directory: None, path: path.clone() }),
            Reach::Beneath(confined) => confined.entry(),
        }
    }

    /// What the path leads to: symbolic links are followed, within the root.
    pub(crate) fn target(&self) -> Result<At, Refusal> {
        match &self.reach {
            Reach::Anywhere(path) => Ok(At { directory: None, path: path.clone() }),
            Reach::Beneath(confined) => {
                let handle = confined.open(OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
                // Through /proc, because an O_PATH handle takes no chmod, utimes or access.
                let path = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
                Ok(At { directory: Some(handle), path })
            }
        }
    }

    /// Opens what the path leads to.
    pub(crate) fn open(&self, flags: OFlags, mode: Mode) -> Result<OwnedFd, Refusal> {
        match &self.reach {
            Reach::Anywhere(path) => Ok(rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, mode)?),
            Reach::Beneath(confined) => confined.open(flags | OFlags::CLOEXEC, mode),
        }
    }

    /// The entry, for a call that makes one. A symbolic link must not become the root of a grant: the next call
    /// would follow it wherever it leads.
    pub(crate) fn entry_for_link(&self) -> Result<At, Refusal> {
        match &self.reach {
            Reach::Beneath(confined) if confined.is_root() => Err(confined.left()),
            _ => self.entry(),
        }
    }

    /// The entry, for a call that puts what is at `source` there.
    pub(crate) fn entry_for(&self, source: &At) -> Result<At, Refusal> {
        if let Reach::Beneath(confined) = &self.reach
            && confined.is_root()
        {
            let stat = rustix::fs::statat(source.directory(), &source.path, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
                return Err(confined.left());
            }
        }
        self.entry()
    }

    /// The path without symbolic links, in the guest's terms.
    pub(crate) fn resolved(&self) -> Result<Vec<u8>, Refusal> {
        let handle = self.open(OFlags::PATH, Mode::empty())?;
        let real = real_path(handle.as_fd())?;
        let Reach::Beneath(confined) = &self.reach else { return Ok(real) };
        if confined.is_root() {
            return Ok(confined.root_guest_path.clone().into_bytes());
        }
        let root_real = real_path(confined.open_root()?.as_fd())?;
        let below = Path::new(OsStr::from_bytes(&real)).strip_prefix(OsStr::from_bytes(&root_real));
        let below = below.map_err(|_| confined.left())?.as_os_str().as_bytes();
        let mut path = confined.root_guest_path.trim_end_matches('/').as_bytes().to_vec();
        if !below.is_empty() {
            path.push(b'/');
            path.extend_from_slice(below);
        }
        Ok(path)
    }

    /// The guest's own name for it.
    pub(crate) fn guest_path(&self) -> &str {
        &self.guest_path
    }
}

impl Confined {
    fn is_root(&self) -> bool {
        self.below == Path::new(".")
    }

    fn left(&self) -> Refusal {
        Refusal::Denied(self.capability)
    }

    /// The entry of the root itself is looked up in its parent directory, which the operator named.
    fn entry(&self) -> Result<At, Refusal> {
        if self.is_root() {
            return self.root_entry();
        }
        let name = self.below.file_name().ok_or(Errno::INVAL)?;
        let parent = self.below.parent().filter(|parent| !parent.as_os_str().is_empty());
        let root = self.open_root()?;
        let directory = match parent {
            None => root,
            Some(parent) => self.open_beneath(root, parent, DIRECTORY_HANDLE, Mode::empty())?,
        };
        Ok(At { directory: Some(directory), path: PathBuf::from(name) })
    }

    fn root_entry(&self) -> Result<At, Refusal> {
        let Some((outermost, way)) = &self.outermost else {
            return Ok(At { directory: None, path: self.root.clone() });
        };
        let name = way.file_name().ok_or(Errno::INVAL)?;
        let directory = open_through(outermost, way.parent().unwrap_or(Path::new("")))?;
        Ok(At { directory: Some(directory), path: PathBuf::from(name) })
    }

    fn open(&self, flags: OFlags, mode: Mode) -> Result<OwnedFd, Refusal> {
        if self.is_root() {
            let at = self.root_entry()?;
            // Only what no other grant could have changed is followed.
            let flags = if self.outermost.is_none() { flags } else { flags | OFlags::NOFOLLOW };
            return rustix::fs::openat(at.directory(), &at.path, flags, mode).map_err(Refusal::from);
        }
        let root = self.open_root()?;
        self.open_beneath(root, &self.below, flags, mode)
    }

    /// The root, by way of the outermost entry above it: a guest that may write there could have put a link at the
    /// root's place.
    fn open_root(&self) -> Result<OwnedFd, Refusal> {
        match &self.outermost {
            None => Ok(rustix::fs::openat(CWD, &self.root, DIRECTORY_HANDLE, Mode::empty())?),
            Some((outermost, way)) => open_through(outermost, way),
        }
    }

    fn open_beneath(&self, root: OwnedFd, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Refusal> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&root, path, flags, mode, resolve) {
            // The kernel's words for: the path leaves the root.
            Err(Errno::XDEV) => Err(self.left()),
            // Before Linux 5.6, or filtered in a container.
            Err(Errno::NOSYS | Errno::PERM) => self.walk(root, path, flags, mode),
            result => Ok(result?),
        }
    }

    /// openat2 by hand: one component at a time, links read and followed within the root only.
    fn walk(&self, root: OwnedFd, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Refusal> {
        let mut above = vec![root];
        let mut left = components_reversed(path);
        let mut links = 0;
        while let Some(component) = left.pop() {
            let Some(directory) = above.last() else { return Err(self.left()) };
            if component == ".." {
                above.pop();
                if above.is_empty() {
                    return Err(self.left());
                }
                continue;
            }
            let last = left.is_empty();
            let link = rustix::fs::readlinkat(directory, component.as_os_str(), Vec::new());
            if let (Ok(target), false) = (&link, last && flags.contains(OFlags::NOFOLLOW)) {
                links += 1;
                if links > LINKS_MAX {
                    return Err(Refusal::Errno(Errno::LOOP));
                }
                let target = Path::new(OsStr::from_bytes(target.to_bytes()));
                if target.is_absolute() {
                    return Err(self.left());
                }
                left.extend(components_reversed(target));
                continue;
            }
            if last {
                return Ok(rustix::fs::openat(directory, component.as_os_str(), flags | OFlags::NOFOLLOW, mode)?);
            }
            let step = DIRECTORY_HANDLE | OFlags::NOFOLLOW;
            above.push(rustix::fs::openat(directory, component.as_os_str(), step, Mode::empty())?);
        }
        // The path ended in a link to `.` or with `..`: the directory reached is what was asked for.
        let directory = above.last().ok_or(Errno::INVAL)?;
        Ok(rustix::fs::openat(directory, ".", flags, mode)?)
    }
}

const DIRECTORY_HANDLE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// From the outermost root down, without following any link.
fn open_through(outermost: &Path, way: &Path) -> Result<OwnedFd, Refusal> {
    let mut directory = rustix::fs::openat(CWD, outermost, DIRECTORY_HANDLE, Mode::empty())?;
    for component in way.components() {
        let flags = DIRECTORY_HANDLE | OFlags::NOFOLLOW;
        directory = rustix::fs::openat(&directory, component.as_os_str(), flags, Mode::empty())?;
    }
    Ok(directory)
}

impl Host {
    /// The kernel's path for a guest path. The process stays in its launch directory while that is `APP_ROOT`.
    pub(crate) fn kernel_path(&self, guest_path: &str) -> PathBuf {
        match (self.view, below_app_root(guest_path)) {
            (View::AppRoot, Some("")) => PathBuf::from("."),
            (View::AppRoot, Some(below)) => PathBuf::from(below),
            _ => PathBuf::from(guest_path),
        }
    }

    /// The outermost entry of the file grants strictly above a root, and the way from there to the root.
    fn outermost_above(&self, root_guest_path: &str) -> Option<(PathBuf, PathBuf)> {
        let entries = [&self.grants.read, &self.grants.write].into_iter().filter_map(|scope| match scope {
            Scope::Some(entries) => Some(entries),
            Scope::None | Scope::All => None,
        });
        let above = entries.flatten().map(|entry| guest_path_of_entry(entry));
        let outermost = above.filter(|entry| is_strictly_above(entry, root_guest_path)).min_by_key(String::len)?;
        let way = Path::new(root_guest_path).strip_prefix(&outermost).ok()?;
        Some((self.kernel_path(&outermost), way.to_owned()))
    }
}

fn is_strictly_above(entry: &str, path: &str) -> bool {
    let entry = entry.trim_end_matches('/');
    path.strip_prefix(entry).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

/// An entry of the grants as an absolute guest path.
fn guest_path_of_entry(entry: &str) -> String {
    if entry.starts_with('/') { normalise(entry) } else { normalise(&format!("{APP_ROOT}/{entry}")) }
}

fn below_app_root(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(APP_ROOT)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

fn components_reversed(path: &Path) -> Vec<std::ffi::OsString> {
    let components = path.components().filter(|component| !matches!(component, std::path::Component::CurDir));
    components.map(|component| component.as_os_str().to_owned()).rev().collect()
}

fn real_path(handle: BorrowedFd<'_>) -> Result<Vec<u8>, Refusal> {
    let link = rustix::fs::readlinkat(CWD, format!("/proc/self/fd/{}", handle.as_raw_fd()), Vec::new())?;
    Ok(link.into_bytes())
}

/// Removes `.`, `..` and doubled slashes from an absolute path, by its text alone.
pub(crate) fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{Confined, DIRECTORY_HANDLE, normalise};
    use crate::host::Refusal;
    use edgepack_format::policy::Capability;
    use rustix::fs::{CWD, Mode, OFlags};
    use rustix::io::Errno;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    #[test]
    fn paths_are_normalised_by_their_text() {
        assert_eq!(normalise("/a/./b//../c/"), "/a/c");
        assert_eq!(normalise("/../.."), "/");
    }

    /// What openat2 does is tested through the calls; this is for kernels without it.
    #[test]
    fn the_walk_by_hand_follows_links_inside_and_refuses_to_leave() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir_all(inside.join("a/b")).unwrap();
        std::fs::write(inside.join("own"), "own").unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        for (target, link) in [
            ("../../own", "a/b/up"),
            ("..", "a/parent"),
            ("../../../secret", "a/b/out"),
            ("../..", "a/out"),
            ("loop", "loop"),
        ] {
            symlink(target, inside.join(link)).unwrap();
        }
        symlink(folder.path().join("secret"), inside.join("absolute")).unwrap();
        let confined = Confined {
            root_guest_path: "/inside".to_owned(),
            root: inside.clone(),
            outermost: None,
            below: PathBuf::from("own"),
            capability: Capability::Read,
        };
        let walk = |path: &str, flags: OFlags| {
            let root = rustix::fs::openat(CWD, &inside, DIRECTORY_HANDLE, Mode::empty()).unwrap();
            let fd = confined.walk(root, Path::new(path), flags, Mode::empty())?;
            Ok::<u64, Refusal>(rustix::fs::fstat(fd).unwrap().st_ino)
        };
        let inode = |path: &str| rustix::fs::stat(inside.join(path)).unwrap().st_ino;
        for path in ["own", "a/b/up", "a/parent/own", "a/b/../../own"] {
            assert_eq!(walk(path, OFlags::RDONLY), Ok(inode("own")), "{path}");
        }
        assert_eq!(walk("a/parent", OFlags::PATH), Ok(inode(".")));
        for path in ["a/b/out", "a/out/secret", "absolute", "../secret", "a/../../secret"] {
            assert_eq!(walk(path, OFlags::RDONLY), Err(Refusal::Denied(Capability::Read)), "{path}");
        }
        assert_eq!(walk("loop", OFlags::RDONLY), Err(Refusal::Errno(Errno::LOOP)));
        assert!(walk("a/b/out", OFlags::PATH | OFlags::NOFOLLOW).is_ok(), "the link itself");
    }
}
