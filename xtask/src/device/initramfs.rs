//! Files → the archive that a kernel unpacks into its first file system (cpio, "newc").

use anyhow::Result;

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;
/// Linux's numbers of `/dev/console`.
const CONSOLE: (u32, u32) = (5, 1);

/// A file of the archive.
pub(super) struct Entry {
    name: String,
    mode: u32,
    device: (u32, u32),
    bytes: Vec<u8>,
}

impl Entry {
    pub(super) fn folder(name: &str) -> Entry {
        Entry { name: name.to_owned(), mode: FOLDER, device: (0, 0), bytes: Vec::new() }
    }

    pub(super) fn console(name: &str) -> Entry {
        Entry { name: name.to_owned(), mode: CHARACTER_DEVICE, device: CONSOLE, bytes: Vec::new() }
    }

    pub(super) fn program(name: &str, bytes: Vec<u8>) -> Entry {
        Entry { name: name.to_owned(), mode: PROGRAM, device: (0, 0), bytes }
    }
}

/// The archive, not compressed: unpacking is the slowest part of a boot in emulation.
pub(super) fn archive(entries: &[Entry]) -> Result<Vec<u8>> {
    let end = Entry { name: "TRAILER!!!".to_owned(), mode: 0, device: (0, 0), bytes: Vec::new() };
    let mut archive = Vec::new();
    for (number, entry) in (1_u32..).zip(entries.iter().chain([&end])) {
        let length = u32::try_from(entry.bytes.len())?;
        let name_length = u32::try_from(entry.name.len() + 1)?;
        let (major, minor) = entry.device;
        // Number, mode, user, group, links, time, length, device, device meant, name's length, sum.
        let fields = [number, entry.mode, 0, 0, 1, 0, length, 0, 0, major, minor, name_length, 0];
        archive.extend_from_slice(b"070701");
        fields.iter().for_each(|field| archive.extend_from_slice(format!("{field:08X}").as_bytes()));
        archive.extend_from_slice(entry.name.as_bytes());
        archive.push(0);
        pad(&mut archive);
        archive.extend_from_slice(&entry.bytes);
        pad(&mut archive);
    }
    Ok(archive)
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::{Entry, archive};

    #[test]
    fn entries_begin_at_multiples_of_four_and_say_how_long_they_are() {
        let bytes = archive(&[Entry::folder("dev"), Entry::program("init", b"12345".to_vec())]).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let starts: Vec<usize> = text.match_indices("070701").map(|(at, _)| at).collect();
        assert_eq!((starts.len(), starts.iter().all(|at| at % 4 == 0)), (3, true));
        assert_eq!(&text[starts[1] + 6 + 6 * 8..][..8], "00000005");
        assert!(text[starts[1]..].contains("init\0"));
        assert!(text.contains("TRAILER!!!"));
    }
}
