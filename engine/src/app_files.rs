//! The app's bundled files: a read-only tree in guest memory, given at load time.

use core::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::host::files::{Entry, Stat};
use crate::host::{Answer, Failure};

/// Descriptors of bundled files start here, far above the host's.
const DESCRIPTOR_FIRST: i32 = 0x4000_0000;

const DIRECTORY_MODE: i64 = 0o040_555;
const FILE_MODE: i64 = 0o100_444;
const BLOCK_BYTES: usize = 512;

const TYPE_DIRECTORY: u8 = 4;
const TYPE_FILE: u8 = 8;

const O_ACCMODE: i32 = 0o3;
const O_CREAT: i32 = 0o100;
const O_EXCL: i32 = 0o200;
const O_TRUNC: i32 = 0o1000;
const O_DIRECTORY: i32 = 0o200_000;

/// What a path is in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bundled file.
    File,
    /// A directory that some bundled file lies beneath.
    Directory,
}

#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<String, Box<[u8]>>,
    opened: Vec<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    path: String,
    position: usize,
}

thread_local! {
    static TREE: RefCell<Tree> = RefCell::default();
}

/// Replaces the tree.
pub(crate) fn install<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
    let files = files.into_iter().map(|(path, content)| (path.to_owned(), Box::from(content))).collect();
    TREE.with_borrow_mut(|tree| tree.files = files);
}

/// What is at the absolute, normalised path, if the tree has it.
pub(crate) fn kind(path: &str) -> Option<Kind> {
    TREE.with_borrow(|tree| tree.kind(path))
}

/// Whether the descriptor is one of a bundled file.
pub(crate) fn owns(descriptor: i32) -> bool {
    descriptor >= DESCRIPTOR_FIRST
}

/// The whole content of a file.
pub(crate) fn content(path: &str) -> Answer<Vec<u8>> {
    TREE.with_borrow(|tree| match (tree.files.get(path), tree.kind(path)) {
        (Some(content), _) => Ok(content.to_vec()),
        (None, Some(Kind::Directory)) => Err(Failure::ISDIR),
        (None, _) => Err(Failure::NOENT),
    })
}

/// Opens for reading.
pub(crate) fn open(path: &str, flags: i32) -> Answer<i32> {
    TREE.with_borrow_mut(|tree| {
        let kind = tree.kind(path).ok_or(Failure::NOENT)?;
        if flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL {
            return Err(Failure::EXIST);
        }
        if flags & O_ACCMODE != 0 || flags & O_TRUNC != 0 {
            return Err(if kind == Kind::Directory { Failure::ISDIR } else { Failure::ROFS });
        }
        if flags & O_DIRECTORY != 0 && kind == Kind::File {
            return Err(Failure::NOTDIR);
        }
        let index = tree.opened.iter().position(Option::is_none).unwrap_or(tree.opened.len());
        let opened = Some(Opened { path: path.to_owned(), position: 0 });
        match tree.opened.get_mut(index) {
            Some(slot) => *slot = opened,
            None => tree.opened.push(opened),
        }
        i32::try_from(index).ok().and_then(|index| index.checked_add(DESCRIPTOR_FIRST)).ok_or(Failure::INVAL)
    })
}

/// Closes a descriptor.
pub(crate) fn close(descriptor: i32) -> Answer<()> {
    TREE.with_borrow_mut(|tree| match slot(descriptor).and_then(|index| tree.opened.get_mut(index)?.take()) {
        Some(_) => Ok(()),
        None => Err(Failure::BADF),
    })
}

/// Reads at `position`, or on from where the descriptor stands if that is negative.
pub(crate) fn read(descriptor: i32, buffer: &mut [u8], position: i64) -> Answer<usize> {
    TREE.with_borrow_mut(|Tree { files, opened }| {
        let opened = slot(descriptor).and_then(|index| opened.get_mut(index)?.as_mut()).ok_or(Failure::BADF)?;
        let content = files.get(&opened.path).ok_or(Failure::ISDIR)?;
        let start = usize::try_from(position).unwrap_or(opened.position);
        let rest = content.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (target, source) in buffer.iter_mut().zip(rest) {
            *target = *source;
        }
        if position < 0 {
            opened.position += count;
        }
        Ok(count)
    })
}

/// Fails as it must for a write through a descriptor that is open for reading.
pub(crate) fn refuse_write(descriptor: i32) -> Answer<()> {
    path_of(descriptor)?;
    Err(Failure::BADF)
}

/// The path a descriptor was opened with.
pub(crate) fn path_of(descriptor: i32) -> Answer<String> {
    TREE.with_borrow(|tree| {
        let opened = slot(descriptor).and_then(|index| tree.opened.get(index)?.as_ref());
        opened.map(|opened| opened.path.clone()).ok_or(Failure::BADF)
    })
}

/// The stat array of a path in the tree. All times are the epoch, so that they are the same at build and at boot.
pub(crate) fn stat(path: &str) -> Answer<Stat> {
    TREE.with_borrow(|tree| {
        let kind = tree.kind(path).ok_or(Failure::NOENT)?;
        let bytes = tree.files.get(path).map_or(0, |content| content.len());
        let wide = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let inode = tree.files.range(..path.to_owned()).count() + if kind == Kind::File { 1 } else { 1 << 30 };
        let mut stat = [0; 18];
        let fields = [
            0,
            if kind == Kind::File { FILE_MODE } else { DIRECTORY_MODE },
            1,
            0,
            0,
            0,
            4096,
            wide(inode),
            wide(bytes),
            wide(bytes.div_ceil(BLOCK_BYTES)),
        ];
        for (slot, field) in stat.iter_mut().zip(fields) {
            *slot = field;
        }
        Ok(stat)
    })
}

/// The entries of a directory in the tree, sorted by name.
pub(crate) fn list(path: &str) -> Answer<Vec<Entry>> {
    TREE.with_borrow(|tree| match tree.kind(path) {
        None => Err(Failure::NOENT),
        Some(Kind::File) => Err(Failure::NOTDIR),
        Some(Kind::Directory) => Ok(tree.list(path)),
    })
}

fn slot(descriptor: i32) -> Option<usize> {
    usize::try_from(descriptor.checked_sub(DESCRIPTOR_FIRST)?).ok()
}

fn with_slash(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

impl Tree {
    fn kind(&self, path: &str) -> Option<Kind> {
        if self.files.is_empty() {
            return None;
        }
        if self.files.contains_key(path) {
            return Some(Kind::File);
        }
        if path == "/" {
            // The root belongs to the host: it holds more than the app.
            return None;
        }
        let beneath = with_slash(path);
        let next = self.files.range(beneath.clone()..).next();
        next.is_some_and(|(file, _)| file.starts_with(&beneath)).then_some(Kind::Directory)
    }

    fn list(&self, path: &str) -> Vec<Entry> {
        let beneath = with_slash(path);
        let files = self.files.range(beneath.clone()..).map_while(|(file, _)| file.strip_prefix(&beneath));
        let entries: BTreeSet<(&str, u8)> = files
            .map(|rest| match rest.split_once('/') {
                Some((directory, _)) => (directory, TYPE_DIRECTORY),
                None => (rest, TYPE_FILE),
            })
            .collect();
        entries.into_iter().map(|(name, kind)| (kind, name.as_bytes().to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small_tree() {
        install([("/app/a.txt", &b"alpha"[..]), ("/app/lib/b.js", b"beta"), ("/app/lib-x/c.js", b"")]);
    }

    #[test]
    fn directories_are_implied_by_the_files_beneath_them() {
        small_tree();
        assert_eq!(kind("/app"), Some(Kind::Directory));
        assert_eq!(kind("/app/lib"), Some(Kind::Directory));
        assert_eq!(kind("/app/li"), None);
        assert_eq!(kind("/"), None);
        let names: Vec<_> = list("/app")
            .expect("a directory")
            .into_iter()
            .map(|(kind, name)| (kind, String::from_utf8(name)))
            .collect();
        assert_eq!(names, [(8, Ok("a.txt".into())), (4, Ok("lib".into())), (4, Ok("lib-x".into()))]);
        assert_eq!(list("/app/a.txt"), Err(Failure::NOTDIR));
    }

    #[test]
    fn a_descriptor_reads_on_and_at_positions() {
        small_tree();
        let file = open("/app/a.txt", 0).expect("opens");
        assert!(owns(file));
        let mut buffer = [0; 3];
        assert_eq!(read(file, &mut buffer, -1), Ok(3));
        assert_eq!(&buffer, b"alp");
        assert_eq!(read(file, &mut buffer, -1), Ok(2));
        assert_eq!(read(file, &mut buffer, 1), Ok(3));
        assert_eq!(&buffer, b"lph");
        assert_eq!(read(file, &mut buffer, -1), Ok(0));
        assert_eq!(close(file), Ok(()));
        assert_eq!(close(file), Err(Failure::BADF));
    }

    #[test]
    fn writing_is_refused() {
        small_tree();
        assert_eq!(open("/app/a.txt", 0o1), Err(Failure::ROFS));
        assert_eq!(open("/app/lib", 0o2), Err(Failure::ISDIR));
        assert_eq!(open("/app/a.txt", O_CREAT | O_EXCL | 1), Err(Failure::EXIST));
    }
}
