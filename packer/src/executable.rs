//! Puts a container into a stub as one more ELF section, and finds it again.
//!
//! A section rather than bytes behind the end: `strip` and `objcopy` keep it. Nothing of the stub moves: container,
//! section names and section headers are appended and the ELF header is pointed at the new headers.

use edgepack_format::container::{ALIGN_BYTES, ELF_SECTION, WASM_HEADER};
use edgepack_format::shebang::without_shebang;
use object::elf::{FileHeader32, FileHeader64, SHT_PROGBITS, SectionHeader32, SectionHeader64};
use object::endian::{U16, U32, U64};
use object::read::elf::SectionHeader as _;
use object::{LittleEndian, Pod, pod};

use crate::error::{Error, Result};

const ENDIAN: LittleEndian = LittleEndian;

/// Where ELF says whether its addresses have 32 or 64 bits, and that they have 32.
const CLASS_OFFSET: usize = 4;
const CLASS_32: u8 = 1;

/// The executable for the stub's triple.
pub fn executable(stub: &[u8], container: &[u8]) -> Result<Vec<u8>> {
    let out = match stub.get(CLASS_OFFSET) {
        Some(&CLASS_32) => with_section::<FileHeader32<LittleEndian>>(stub, container),
        _ => with_section::<FileHeader64<LittleEndian>>(stub, container),
    }?;
    debug_assert_eq!(open(&out).ok(), Some(container), "what was written is found");
    Ok(out)
}

/// The container in an `.epk` or in an executable.
pub fn open(bytes: &[u8]) -> Result<&[u8]> {
    let plain = without_shebang(bytes);
    if plain.starts_with(&WASM_HEADER) {
        return Ok(plain);
    }
    match bytes.get(CLASS_OFFSET) {
        Some(&CLASS_32) => section::<FileHeader32<LittleEndian>>(bytes),
        _ => section::<FileHeader64<LittleEndian>>(bytes),
    }
}

fn with_section<H: Header>(stub: &[u8], container: &[u8]) -> Result<Vec<u8>> {
    let header = H::parse(stub).map_err(not_elf)?;
    let endian = header.endian().map_err(not_elf)?;
    let sections = header.sections(endian, stub).map_err(not_elf)?;
    if sections.section_by_name(endian, ELF_SECTION.as_bytes()).is_some() {
        return Err(Error::Stub("it already has an app inside".to_owned()));
    }
    let mut rows: Vec<H::SectionHeader> = sections.iter().copied().collect();
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
        H::place(row, names_offset, names.len())?;
    }
    rows.push(H::container_row(name_offset, container_offset, container.len())?);
    let rows_offset = append(&mut out, pod::bytes_of_slice(&rows), 8);
    let (header, _) = pod::from_bytes_mut::<H>(&mut out).map_err(|()| not_elf("it is cut short"))?;
    header.point_at(rows_offset, rows.len())?;
    Ok(out)
}

fn section<H: Header>(bytes: &[u8]) -> Result<&[u8]> {
    let header = H::parse(bytes).map_err(|_| Error::NothingInside)?;
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

/// What is written of a header and its rows, whose fields have the width of an address.
trait Header: object::read::elf::FileHeader<Endian = LittleEndian, SectionHeader: Pod> + Pod {
    /// Says where a section's content is.
    fn place(row: &mut Self::SectionHeader, offset: usize, bytes: usize) -> Result<()>;

    /// Not allocated: the kernel does not load it, boot maps what it needs.
    fn container_row(name: u32, offset: usize, bytes: usize) -> Result<Self::SectionHeader>;

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

            fn container_row(name: u32, offset: usize, bytes: usize) -> Result<$row<LittleEndian>> {
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
