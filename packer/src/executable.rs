//! Puts a container into a stub as one more ELF section, and finds it again.
//!
//! A section rather than bytes behind the end: `strip` and `objcopy` keep it. Nothing of the stub moves: container,
//! section names and section headers are appended and the ELF header is pointed at the new headers.

use edgepack_format::container::{ALIGN_BYTES, ELF_SECTION, WASM_HEADER};
use object::elf::{FileHeader64, SHT_PROGBITS, SectionHeader64};
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::{LittleEndian, pod};

use crate::error::{Error, Result};

type Header = FileHeader64<LittleEndian>;
type Row = SectionHeader64<LittleEndian>;

/// The executable for the stub's triple.
pub fn executable(stub: &[u8], container: &[u8]) -> Result<Vec<u8>> {
    let header = Header::parse(stub).map_err(not_elf)?;
    let endian = header.endian().map_err(not_elf)?;
    let sections = header.sections(endian, stub).map_err(not_elf)?;
    if sections.section_by_name(endian, ELF_SECTION.as_bytes()).is_some() {
        return Err(Error::Stub("it already has an app inside".to_owned()));
    }
    let mut rows: Vec<Row> = sections.iter().copied().collect();
    let names_index = header.shstrndx(endian, stub).map_err(not_elf)? as usize;
    let names_row = rows.get(names_index).ok_or_else(|| not_elf("it has no section names"))?;
    let mut names = names_row.data(endian, stub).map_err(not_elf)?.to_vec();
    let name_offset = size(names.len())?;
    names.extend_from_slice(ELF_SECTION.as_bytes());
    names.push(0);

    let mut out = stub.to_vec();
    let container_offset = append(&mut out, container, ALIGN_BYTES);
    let names_offset = append(&mut out, &names, 1);
    if let Some(row) = rows.get_mut(names_index) {
        row.sh_offset.set(endian, names_offset as u64);
        row.sh_size.set(endian, names.len() as u64);
    }
    rows.push(container_row(name_offset, container_offset, container.len()));
    let rows_offset = append(&mut out, pod::bytes_of_slice(&rows), 8);
    point_at(&mut out, rows_offset, rows.len())?;
    debug_assert_eq!(open(&out).ok(), Some(container), "what was written is found");
    Ok(out)
}

/// The container in an `.epk` or in an executable.
pub fn open(bytes: &[u8]) -> Result<&[u8]> {
    if bytes.starts_with(&WASM_HEADER) {
        return Ok(bytes);
    }
    let header = Header::parse(bytes).map_err(|_| Error::NothingInside)?;
    let endian = header.endian().map_err(|_| Error::NothingInside)?;
    let sections = header.sections(endian, bytes).map_err(not_elf)?;
    let (_, section) = sections.section_by_name(endian, ELF_SECTION.as_bytes()).ok_or(Error::NothingInside)?;
    section.data(endian, bytes).map_err(not_elf)
}

fn not_elf(reason: impl ToString) -> Error {
    Error::Stub(reason.to_string())
}

fn size(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(not_elf)
}

fn append(out: &mut Vec<u8>, bytes: &[u8], align: usize) -> usize {
    out.resize(out.len().next_multiple_of(align), 0);
    let offset = out.len();
    out.extend_from_slice(bytes);
    offset
}

/// Not allocated: the kernel does not load it, boot maps what it needs.
fn container_row(name: u32, offset: usize, bytes: usize) -> Row {
    use object::endian::{U32, U64};
    let endian = LittleEndian;
    Row {
        sh_name: U32::new(endian, name),
        sh_type: U32::new(endian, SHT_PROGBITS),
        sh_flags: U64::new(endian, 0),
        sh_addr: U64::new(endian, 0),
        sh_offset: U64::new(endian, offset as u64),
        sh_size: U64::new(endian, bytes as u64),
        sh_link: U32::new(endian, 0),
        sh_info: U32::new(endian, 0),
        sh_addralign: U64::new(endian, ALIGN_BYTES as u64),
        sh_entsize: U64::new(endian, 0),
    }
}

fn point_at(out: &mut [u8], rows_offset: usize, rows: usize) -> Result<()> {
    let (header, _) = pod::from_bytes_mut::<Header>(out).map_err(|()| not_elf("it is cut short"))?;
    header.e_shoff.set(LittleEndian, rows_offset as u64);
    header.e_shnum.set(LittleEndian, u16::try_from(rows).map_err(not_elf)?);
    Ok(())
}
