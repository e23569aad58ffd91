//! Where the container is: in this executable, or in the file that the first argument names.

use std::fs::File;
use std::os::fd::OwnedFd;

use edgepack_format::code::CODE_SECTION;
use edgepack_format::container::{ELF_SECTION, FRAMES_SECTION};
use edgepack_format::elf::Elf;
use edgepack_format::shebang::without_shebang;
use rustix::io::Errno;

use crate::host::Launch;

use super::memory;
use super::stop::BootError;

/// This executable, as the kernel shows it to itself.
const SELF: &str = "/proc/self/exe";

/// The files that memory is mapped from. They stay open as long as the process.
#[derive(Debug)]
pub(crate) struct Source {
    /// This executable, with the base image.
    pub(crate) executable: MappedFile,
    /// The compressed part of the base image.
    pub(crate) frames: &'static [u8],
    /// The compressed part of the engine's code.
    pub(crate) code: &'static [u8],
    pub(crate) container: &'static [u8],
    pub(crate) launch: Launch,
}

/// An open file and its bytes.
#[derive(Debug)]
pub(crate) struct MappedFile {
    pub(crate) fd: OwnedFd,
    pub(crate) bytes: &'static [u8],
}

/// Of a container so many bytes are asked for before any of it is read: its index, and all of a small one.
const CONTAINER_FIRST_BYTES: usize = 64 * 1024;

impl MappedFile {
    fn open(path: &str) -> Result<MappedFile, BootError> {
        let failed = |errno| BootError::Open(path.to_owned(), errno);
        let file = File::open(path).map_err(|error| failed(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        let fd = OwnedFd::from(file);
        let bytes = memory::map_file(&fd).map_err(failed)?;
        Ok(MappedFile { fd, bytes })
    }
}

impl Source {
    /// Takes the first argument if there is no container inside.
    pub(crate) fn find(args: Vec<Vec<u8>>) -> Result<Source, BootError> {
        let mut args = args.into_iter();
        let own_name = args.next().unwrap_or_default();
        let executable = MappedFile::open(SELF).or_else(|error| {
            // Without /proc the name we were started by has to do.
            MappedFile::open(&String::from_utf8_lossy(&own_name)).map_err(|_| error)
        })?;
        let section = |name| {
            let range = Elf::parse(executable.bytes)?.section(name)?;
            executable.bytes.get(range)
        };
        let frames = section(FRAMES_SECTION).ok_or(BootError::NoSection(FRAMES_SECTION))?;
        let code = section(CODE_SECTION).ok_or(BootError::NoSection(CODE_SECTION))?;
        if let Some(container) = section(ELF_SECTION) {
            memory::will_need(container.get(..CONTAINER_FIRST_BYTES).unwrap_or(container));
            let launch = Launch { name: own_name, args: args.collect() };
            return Ok(Source { executable, frames, code, container, launch });
        }
        let path = args.next().ok_or(BootError::NothingToRun)?;
        let file = MappedFile::open(&String::from_utf8_lossy(&path))?;
        let container = match Elf::parse(file.bytes) {
            Some(elf) => {
                let range = elf.section(ELF_SECTION).ok_or(BootError::NothingToRun)?;
                file.bytes.get(range).unwrap_or_default()
            }
            None => without_shebang(file.bytes),
        };
        let launch = Launch { name: own_name, args: args.collect() };
        Ok(Source { executable, frames, code, container, launch })
    }
}
