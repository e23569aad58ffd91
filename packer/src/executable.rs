//! Puts a container into a stub as one more ELF section, and finds it again; takes a segment out of one.
//!
//! A section rather than bytes behind the end: `strip` and `objcopy` keep it. What the kernel loads of the stub stays
//! where it is. Storage is read ahead from the beginning of a file, so what every boot needs comes first: section
//! headers in the free part of the first page, then what is loaded, the container, and everything else last.

use std::ops::Range;

use edgepack_format::container::{ALIGN_BYTES, ELF_SECTION, WASM_HEADER};
use edgepack_format::limits::PAGE_BYTES;
use edgepack_format::shebang::without_shebang;
use object::elf::{FileHeader32, FileHeader64, SHF_ALLOC, SHT_NOBITS, SHT_PROGBITS, SectionHeader32, SectionHeader64};
use object::endian::{U16, U32, U64};
use object::read::elf::{ProgramHeader as _, SectionHeader as _};
use object::{LittleEndian, Pod, pod};

use crate::error::{Error, Result};

const ENDIAN: LittleEndian = LittleEndian;

/// Where ELF says whether its addresses have 32 or 64 bits, and that they have 32.
const CLASS_OFFSET: usize = 4;
const CLASS_32: u8 = 1;

/// The executable for the stub's triple.
pub fn executable(stub: &[u8], container: &[u8]) -> Result<Vec<u8>> {
    let out = with_section(stub, ELF_SECTION, container)?;
    debug_assert_eq!(open(&out).ok(), Some(container), "what was written is found");
    Ok(out)
}

/// The container in an `.epk` or in an executable.
pub fn open(bytes: &[u8]) -> Result<&[u8]> {
    let plain = without_shebang(bytes);
    if plain.starts_with(&WASM_HEADER) {
        return Ok(plain);
    }
    section_named(bytes, ELF_SECTION)
}

/// The content of a section.
pub(crate) fn section_named<'a>(file: &'a [u8], name: &str) -> Result<&'a [u8]> {
    match file.get(CLASS_OFFSET) {
        Some(&CLASS_32) => section::<FileHeader32<LittleEndian>>(file, name),
        _ => section::<FileHeader64<LittleEndian>>(file, name),
    }
}

/// The file with a section less, of whose segment it is all: what is left of both is rows that say nothing.
pub(crate) fn without_segment(file: &[u8], name: &str) -> Result<Vec<u8>> {
    match file.get(CLASS_OFFSET) {
        Some(&CLASS_32) => taken_out::<FileHeader32<LittleEndian>>(file, name),
        _ => taken_out::<FileHeader64<LittleEndian>>(file, name),
    }
}

pub(crate) fn with_section(stub: &[u8], name: &str, content: &[u8]) -> Result<Vec<u8>> {
    match stub.get(CLASS_OFFSET) {
        Some(&CLASS_32) => laid_out::<FileHeader32<LittleEndian>>(stub, name, content),
        _ => laid_out::<FileHeader64<LittleEndian>>(stub, name, content),
    }
}

/// The file with one more section, right behind what is loaded.
fn laid_out<H: Header>(file: &[u8], name: &str, content: &[u8]) -> Result<Vec<u8>> {
    let header = H::parse(file).map_err(not_elf)?;
    let endian = header.endian().map_err(not_elf)?;
    let sections = header.sections(endian, file).map_err(not_elf)?;
    if sections.section_by_name(endian, name.as_bytes()).is_some() {
        let what = if name == ELF_SECTION { "an app inside" } else { name };
        return Err(Error::Stub(format!("it already has {what}")));
    }
    let mut rows: Vec<H::SectionHeader> = sections.iter().copied().collect();
    let names_index = header.shstrndx(endian, file).map_err(not_elf)? as usize;
    let names_row = rows.get(names_index).ok_or_else(|| not_elf("it has no section names"))?;
    let mut names = names_row.data(endian, file).map_err(not_elf)?.to_vec();
    let name_offset = size(names.len())?;
    names.extend_from_slice(name.as_bytes());
    names.push(0);

    let taken = taken(header, file, &rows)?;
    let loaded_bytes = taken.iter().map(|range| range.end).max().unwrap_or(0);
    let mut out = file.get(..loaded_bytes).ok_or_else(|| not_elf("it is cut short"))?.to_vec();
    let offset = append(&mut out, content, ALIGN_BYTES);
    for (number, row) in rows.iter_mut().enumerate().filter(|(_, row)| is_extra(*row)) {
        if number != names_index {
            let data = row.data(endian, file).map_err(not_elf)?;
            let align = usize::try_from(row.sh_addralign(endian).into()).map_err(not_elf)?.clamp(1, PAGE_BYTES);
            let offset = append(&mut out, data, align);
            H::place(row, offset, data.len())?;
        }
    }
    rows.push(H::content_row(name_offset, offset, content.len())?);
    let rows_bytes = rows.len() * size_of::<H::SectionHeader>();
    let gap = gap(&taken, rows_bytes + names.len());
    let rows_offset = gap.unwrap_or_else(|| out.len().next_multiple_of(8));
    if let Some(row) = rows.get_mut(names_index) {
        H::place(row, rows_offset + rows_bytes, names.len())?;
    }
    put(&mut out, rows_offset, &[pod::bytes_of_slice(&rows), &names].concat());
    let (header, _) = pod::from_bytes_mut::<H>(&mut out).map_err(|()| not_elf("it is cut short"))?;
    header.point_at(rows_offset, rows.len())?;
    Ok(out)
}

/// The parts of a file that are loaded, or say what is, and stay where they are.
fn taken<H: Header>(header: &H, file: &[u8], rows: &[H::SectionHeader]) -> Result<Vec<Range<usize>>> {
    let segments = header.program_headers(ENDIAN, file).map_err(not_elf)?;
    let segments_offset = usize::try_from(header.e_phoff(ENDIAN).into()).map_err(not_elf)?;
    let mut taken = vec![0..size_of::<H>(), segments_offset..segments_offset + size_of_val(segments)];
    let is_loaded = |row: &&H::SectionHeader| !is_extra(*row) && row.sh_type(ENDIAN) != SHT_NOBITS;
    for (offset, bytes) in rows.iter().filter(is_loaded).filter_map(|row| row.file_range(ENDIAN)) {
        let start = usize::try_from(offset).map_err(not_elf)?;
        taken.push(start..start + usize::try_from(bytes).map_err(not_elf)?);
    }
    // Also what is loaded and in no section: but the gaps of the first page are in a segment, too.
    for segment in segments {
        let (offset, bytes) = segment.file_range(ENDIAN);
        let end = usize::try_from(offset + bytes).map_err(not_elf)?;
        taken.push(end..end);
    }
    Ok(taken)
}

/// Whether a section is not loaded, and so may lie anywhere.
fn is_extra(row: &impl object::read::elf::SectionHeader<Endian = LittleEndian>) -> bool {
    let is_loaded = row.sh_flags(ENDIAN).into() & u64::from(SHF_ALLOC) != 0;
    !is_loaded && row.sh_type(ENDIAN) != SHT_NOBITS && row.sh_size(ENDIAN).into() != 0
}

/// Where in the first page there is room for so many bytes.
fn gap(taken: &[Range<usize>], bytes: usize) -> Option<usize> {
    let starts = taken.iter().map(|range| range.end.next_multiple_of(8));
    let is_free = |start: &usize| {
        let end = start + bytes;
        end <= PAGE_BYTES && taken.iter().all(|range| range.is_empty() || range.end <= *start || end <= range.start)
    };
    starts.filter(is_free).min()
}

fn section<'a, H: Header>(bytes: &'a [u8], name: &str) -> Result<&'a [u8]> {
    let header = H::parse(bytes).map_err(|_| Error::NothingInside)?;
    let endian = header.endian().map_err(|_| Error::NothingInside)?;
    let sections = header.sections(endian, bytes).map_err(not_elf)?;
    let (_, section) = sections.section_by_name(endian, name.as_bytes()).ok_or(Error::NothingInside)?;
    section.data(endian, bytes).map_err(not_elf)
}

fn taken_out<H: Header>(file: &[u8], name: &str) -> Result<Vec<u8>> {
    let header = H::parse(file).map_err(not_elf)?;
    let sections = header.sections(ENDIAN, file).map_err(not_elf)?;
    let (index, section) =
        sections.section_by_name(ENDIAN, name.as_bytes()).ok_or_else(|| not_elf(format!("it has no {name}")))?;
    let (offset, bytes) = section.file_range(ENDIAN).ok_or_else(|| not_elf(format!("its {name} is empty")))?;
    let segments = header.program_headers(ENDIAN, file).map_err(not_elf)?;
    let segment = segments.iter().position(|segment| segment.file_range(ENDIAN) == (offset, bytes));
    let segment = segment.ok_or_else(|| not_elf(format!("its {name} shares a segment")))?;
    let (segments_offset, rows_offset) = (header.e_phoff(ENDIAN).into(), header.e_shoff(ENDIAN).into());
    let mut out = file.to_vec();
    // Zeros are the kinds that mean nothing is there.
    clear::<H::ProgramHeader>(&mut out, segments_offset, segment)?;
    clear::<H::SectionHeader>(&mut out, rows_offset, index.0)?;
    Ok(out)
}

/// Clears a row of a table.
fn clear<R>(file: &mut [u8], table_offset: u64, number: usize) -> Result<()> {
    let start = usize::try_from(table_offset).map_err(not_elf)? + number * size_of::<R>();
    let row = file.get_mut(start..start + size_of::<R>()).ok_or_else(|| not_elf("it is cut short"))?;
    row.fill(0);
    Ok(())
}

fn not_elf(reason: impl ToString) -> Error {
    Error::Stub(reason.to_string())
}

fn size(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(not_elf)
}

fn append(out: &mut Vec<u8>, bytes: &[u8], align: usize) -> usize {
    let offset = out.len().next_multiple_of(align);
    put(out, offset, bytes);
    offset
}

fn put(out: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    out.resize(out.len().max(end), 0);
    if let Some(place) = out.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// What is written of a header and its rows, whose fields have the width of an address.
trait Header: object::read::elf::FileHeader<Endian = LittleEndian, SectionHeader: Pod> + Pod {
    /// Says where a section's content is.
    fn place(row: &mut Self::SectionHeader, offset: usize, bytes: usize) -> Result<()>;

    /// Not allocated: the kernel does not load it, boot maps what it needs.
    fn content_row(name: u32, offset: usize, bytes: usize) -> Result<Self::SectionHeader>;

    /// Says where the rows are.
    fn point_at(&mut self, rows_offset: usize, rows: usize) -> Result<()>;
}

macro_rules! header {
    ($header:ident, $row:ident, $word:ident, $number:ty) => {
        impl Header for $header<LittleEndian> {
            fn place(row: &mut $row<LittleEndian>, offset: usize, bytes: usize) -> Result<()> {
                row.sh_offset = $word::new(ENDIAN, <$number>::try_from(offset).map_err(not_elf)?);
                row.sh_size = $word::new(ENDIAN, <$number>::try_from(bytes).map_err(not_elf)?);
                Ok(())
            }

            fn content_row(name: u32, offset: usize, bytes: usize) -> Result<$row<LittleEndian>> {
                let zero = $word::new(ENDIAN, 0);
                let mut row = $row {
                    sh_name: U32::new(ENDIAN, name),
                    sh_type: U32::new(ENDIAN, SHT_PROGBITS),
                    sh_flags: zero,
                    sh_addr: zero,
                    sh_offset: zero,
                    sh_size: zero,
                    sh_link: U32::new(ENDIAN, 0),
                    sh_info: U32::new(ENDIAN, 0),
                    sh_addralign: $word::new(ENDIAN, <$number>::try_from(ALIGN_BYTES).map_err(not_elf)?),
                    sh_entsize: zero,
                };
                Self::place(&mut row, offset, bytes)?;
                Ok(row)
            }

            fn point_at(&mut self, rows_offset: usize, rows: usize) -> Result<()> {
                self.e_shoff = $word::new(ENDIAN, <$number>::try_from(rows_offset).map_err(not_elf)?);
                self.e_shnum = U16::new(ENDIAN, u16::try_from(rows).map_err(not_elf)?);
                Ok(())
            }
        }
    };
}

header!(FileHeader32, SectionHeader32, U32, u32);
header!(FileHeader64, SectionHeader64, U64, u64);
