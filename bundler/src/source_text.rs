//! Reads a source file as text.

use std::path::Path;

use edgepack_format::limits::SOURCE_BYTES_MAX;

use crate::diagnostics::{Diagnostic, Severity};
use crate::disk::Disk;

/// `shown` is the file's path in what is said of it.
pub(crate) fn read_text(disk: &Disk, file: &Path, shown: &str) -> Result<String, Box<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        Box::new(Diagnostic::of_file(Severity::Error, shown, format!("`{shown}` cannot be read: {error}.")))
    };
    let bytes_max = SOURCE_BYTES_MAX;
    if disk.metadata(file).map_err(unreadable)?.len() > bytes_max {
        let sentence = format!("`{shown}` is larger than {} MiB, which is too large for a module.", bytes_max >> 20);
        let found = Diagnostic::of_file(Severity::Error, shown, sentence);
        return Err(found.with_hint("Read it as a file: `readFileSync(new URL('./file', import.meta.url))`.").into());
    }
    String::from_utf8(disk.read(file).map_err(unreadable)?).map_err(|error| {
        let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let line = valid.matches('\n').count() + 1;
        let column = valid.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        let sentence = format!("`{shown}` is not valid UTF-8.");
        Diagnostic::of_file(Severity::Error, shown, sentence)
            .at_line(&String::from_utf8_lossy(error.as_bytes()), line, column)
            .with_hint("Save it as UTF-8.")
            .into()
    })
}
