//! Asks the disk, and remembers what it answered, so that it can be told whether it would answer the same again.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oxc_resolver::{FileMetadata, FileSystem, FileSystemOs, ResolveError};
use serde::{Deserialize, Serialize};

/// The disk; all clones remember together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    seen: Option<Arc<Mutex<Seen>>>,
}

/// What was asked of the disk, and the hashes of its answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    answers: HashMap<(Question, PathBuf), Answer>,
    /// It answered differently at different times.
    #[serde(skip)]
    is_torn: bool,
}

type Answer = [u8; 16];

/// What is asked of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Question {
    Content,
    /// What it is, behind links.
    Kind,
    /// What it is, be it a link.
    OwnKind,
    LinkTarget,
    RealPath,
    /// What is in a folder.
    Entries,
}

/// One thing in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) is_folder: bool,
    pub(crate) is_file: bool,
    pub(crate) is_link: bool,
}

impl Disk {
    /// One that remembers.
    pub(crate) fn remembering() -> Self {
        Self { seen: Some(Arc::default()) }
    }

    /// What was asked so far; `None` if the disk has changed meanwhile.
    pub(crate) fn seen(&self) -> Option<Seen> {
        let seen = self.seen.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        (!seen.is_torn).then(|| seen.clone())
    }

    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let answer = fs::read(path);
        self.remember(Question::Content, path, || hash_of(&answer, |bytes| bytes.clone()));
        answer
    }

    pub(crate) fn metadata(&self, path: &Path) -> io::Result<fs::Metadata> {
        let answer = fs::metadata(path);
        self.remember(Question::Kind, path, || hash_of(&answer, |it| kind_bytes(FileMetadata::from(it.clone()))));
        answer
    }

    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.metadata(path).is_ok_and(|metadata| metadata.is_file())
    }

    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        self.metadata(path).is_ok_and(|metadata| metadata.is_dir())
    }

    pub(crate) fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        let answer = path.canonicalize();
        self.remember(Question::RealPath, path, || hash_of(&answer, |path| path_bytes(path)));
        answer
    }

    /// What is in a folder, sorted by name.
    pub(crate) fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let answer = read_entries(folder);
        self.remember(Question::Entries, folder, || hash_of(&answer, |entries| entries_bytes(entries)));
        answer
    }

    fn remember(&self, question: Question, path: &Path, answer: impl FnOnce() -> Answer) {
        let Some(seen) = &self.seen else { return };
        let answer = answer();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.answers.insert((question, path.to_owned()), answer);
        seen.is_torn |= before.is_some_and(|before| before != answer);
    }
}

impl Seen {
    /// Whether the disk answers everything as it did.
    pub(crate) fn is_true(&self) -> bool {
        let again = Disk::remembering();
        self.answers.keys().for_each(|(question, path)| again.ask(*question, path));
        again.seen().is_some_and(|now| now.answers == self.answers)
    }
}

impl Disk {
    fn ask(&self, question: Question, path: &Path) {
        match question {
            Question::Content => drop(self.read(path)),
            Question::Kind => drop(FileSystem::metadata(self, path)),
            Question::OwnKind => drop(self.symlink_metadata(path)),
            Question::LinkTarget => drop(self.read_link(path)),
            Question::RealPath => drop(self.real_path(path)),
            Question::Entries => drop(self.entries(path)),
        }
    }
}

/// For the resolver.
impl FileSystem for Disk {
    fn new() -> Self {
        Self::default()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Disk::read(self, path)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        FileSystemOs::validate_string(Disk::read(self, path)?)
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let answer = FileSystemOs::metadata(path);
        self.remember(Question::Kind, path, || hash_of(&answer, |it| kind_bytes(*it)));
        answer
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let answer = FileSystemOs::symlink_metadata(path);
        self.remember(Question::OwnKind, path, || hash_of(&answer, |it| kind_bytes(*it)));
        answer
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        let answer = fs::read_link(path);
        self.remember(Question::LinkTarget, path, || hash_of(&answer, |path| path_bytes(path)));
        Ok(answer?)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.real_path(path)
    }
}

fn read_entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let entry = |entry: fs::DirEntry| {
        let kind = entry.file_type()?;
        let (is_folder, is_file, is_link) = (kind.is_dir(), kind.is_file(), kind.is_symlink());
        Ok(Entry { name: entry.file_name(), is_folder, is_file, is_link })
    };
    let mut entries = fs::read_dir(folder)?.map(|it| entry(it?)).collect::<io::Result<Vec<Entry>>>()?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Errors are told apart by what they are, so that a file that becomes unreadable is not one that is absent.
fn hash_of<T>(answer: &io::Result<T>, bytes: impl FnOnce(&T) -> Vec<u8>) -> Answer {
    let mut hasher = blake3::Hasher::new();
    match answer {
        Ok(answer) => hasher.update(b"+").update(&bytes(answer)),
        Err(error) => hasher.update(b"-").update(format!("{:?}", error.kind()).as_bytes()),
    };
    let mut found = Answer::default();
    hasher.finalize_xof().fill(&mut found);
    found
}

fn path_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

fn kind_bytes(metadata: FileMetadata) -> Vec<u8> {
    vec![u8::from(metadata.is_file()), u8::from(metadata.is_dir()), u8::from(metadata.is_symlink())]
}

fn entries_bytes(entries: &[Entry]) -> Vec<u8> {
    let bytes = |entry: &Entry| {
        let mut bytes = entry.name.as_encoded_bytes().to_vec();
        // No name has a slash or a zero in it.
        bytes.extend([b'/', u8::from(entry.is_folder), u8::from(entry.is_file), u8::from(entry.is_link), 0]);
        bytes
    };
    entries.iter().flat_map(bytes).collect()
}
