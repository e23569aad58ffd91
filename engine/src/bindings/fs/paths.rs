//! Path arguments: as the app gave them, for messages, and as the file tree takes them.

use crate::bindings::uv::{Failed, settle};
use crate::file_tree;
use crate::host::{Answer, Failure};
use crate::js::{Bytes, Call, Result, Value, from_str};

/// A path argument.
#[derive(Debug)]
pub(super) struct GivenPath {
    /// As given.
    pub(super) text: String,
}

impl GivenPath {
    /// A string, or the bytes of a buffer.
    pub(super) fn of(call: &Call<'_, '_>, index: usize) -> Result<GivenPath> {
        let text = match Bytes::try_from_value(&call.arg(index)) {
            Some(bytes) => String::from_utf8_lossy(bytes.as_slice()).into_owned(),
            None => call.string(index)?,
        };
        Ok(GivenPath { text })
    }

    /// Absolute and normalised. A trailing slash asks for a directory.
    pub(super) fn located(&self) -> Answer<String> {
        let path = file_tree::absolute(&self.text)?;
        if file_tree::names_directory(&self.text) && file_tree::kind(&path) == Ok(0) {
            return Err(Failure::NOTDIR);
        }
        Ok(path)
    }

    /// What failed with this path.
    pub(super) fn failed<'a>(&'a self, syscall: &'a str) -> Failed<'a> {
        Failed { syscall, path: Some(&self.text), ..Failed::default() }
    }

    /// What failed with this path and a second one.
    pub(super) fn failed_with<'a>(&'a self, syscall: &'a str, dest: &'a GivenPath) -> Failed<'a> {
        Failed { syscall, path: Some(&self.text), dest: Some(&dest.text), ..Failed::default() }
    }
}

/// What failed on a descriptor.
pub(super) fn on_descriptor(syscall: &str) -> Failed<'_> {
    Failed { syscall, ..Failed::default() }
}

/// Does something with argument 0 as a path; throws what goes wrong.
pub(super) fn with_path<'js, T>(
    call: &Call<'_, 'js>,
    syscall: &str,
    work: impl FnOnce(&str) -> Answer<T>,
) -> Result<T> {
    let path = GivenPath::of(call, 0)?;
    settle(&call.ctx, path.located().and_then(|located| work(&located)), path.failed(syscall))
}

/// A name or path of the file system: a string, or its bytes as an `ArrayBuffer` for other encodings than UTF-8.
pub(super) fn name<'js>(call: &Call<'_, 'js>, bytes: &[u8], raw: bool) -> Result<Value<'js>> {
    if raw {
        return call.ret(crate::js::ArrayBuffer::new_copy(call.ctx.clone(), bytes)?);
    }
    from_str(&call.ctx, &String::from_utf8_lossy(bytes))
}
