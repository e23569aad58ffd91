//! Engine → the same engine, which notes what of its memory it touches.
//!
//! The notes are a byte per granule of memory, in two planes of the same memory beyond what the guest may have, one for
//! reads and one for writes: each load and store is preceded by a store of a one. So a run of it tells not only which
//! pages a program needs, as the kernel could, but which blocks of the heap.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    ImportSection, Instruction, MemArg, MemArgTarget, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wasmparser::{
    CodeSectionReader, CompositeInnerType, ExportSectionReader, FunctionBody, FunctionSectionReader,
    GlobalSectionReader, ImportSectionReader, MemorySectionReader, Operator, Parser, TypeSectionReader,
};

use crate::{Error, Result};

/// Bytes of memory that share a note: no block of the heap is smaller.
pub(crate) const GRANULE_BYTES: usize = 1 << GRANULE_SHIFT;
const GRANULE_SHIFT: u8 = 3;

/// The most memory an instrumented guest may have: beyond, its memory cannot grow.
pub(crate) const GUEST_BYTES_MAX: u32 = 768 << 20;

/// Where the notes lie.
pub(crate) const READS: u32 = GUEST_BYTES_MAX;
/// See `READS`.
pub(crate) const WRITES: u32 = READS + (GUEST_BYTES_MAX >> GRANULE_SHIFT);
/// Behind them a byte per function of the engine that is not imported: not 0 if it was entered.
pub(crate) const ENTERED: u32 = WRITES + (GUEST_BYTES_MAX >> GRANULE_SHIFT);
/// So many functions an engine may have.
pub(crate) const FUNCTIONS_MAX: u32 = 1 << 16;
const END: u32 = ENTERED + FUNCTIONS_MAX;

const CHUNK_SHIFT: u8 = 16;

/// `edge_watched_pages(pages: i32)`: how many wasm pages of memory the guest has from now on.
pub(crate) const EXPORT_PAGES: &str = "edge_watched_pages";

/// Part of an artifact's name: another version of this file notes something else.
pub(crate) const VERSION: &str = "watched-2";

/// Instruments an engine.
///
/// # Errors
/// If it uses instructions that no engine of ours has.
pub(crate) fn instrument(engine_wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut instrument = Instrument::default();
    let done = instrument.parse_core_module(&mut module, Parser::new(0), engine_wasm);
    done.map_err(|error| Error::Compile(error.to_string()))?;
    match instrument.unknown {
        Some(name) => Err(Error::Compile(format!("an engine has no instruction {name}"))),
        None => Ok(module.finish()),
    }
}

#[derive(Default)]
struct Instrument {
    /// Parameters of each type.
    params: Vec<u32>,
    /// The type of each function that is not imported.
    types: Vec<u32>,
    imports: u32,
    /// Function bodies seen.
    bodies: usize,
    /// The first of the types that are added.
    added_types: u32,
    added_functions: u32,
    pages: u32,
    pages_global: u32,
    unknown: Option<String>,
}

/// Functions that are added, in this order, with types of their own.
const NOTE: u32 = 0;
const GROW: u32 = 1;
const SET_PAGES: u32 = 2;

type Done = std::result::Result<(), ReencodeError<Infallible>>;

impl Reencode for Instrument {
    type Error = Infallible;

    fn parse_type_section(&mut self, types: &mut TypeSection, section: TypeSectionReader<'_>) -> Done {
        for group in section.clone() {
            for ty in group?.into_types() {
                let params = match &ty.composite_type.inner {
                    CompositeInnerType::Func(function) => function.params().len(),
                    _ => 0,
                };
                self.params.push(u32::try_from(params).unwrap_or(u32::MAX));
            }
        }
        utils::parse_type_section(self, types, section)?;
        self.added_types = types.len();
        types.ty().function([ValType::I32, ValType::I32, ValType::I32], []);
        types.ty().function([ValType::I32], [ValType::I32]);
        types.ty().function([ValType::I32], []);
        Ok(())
    }

    fn parse_import_section(&mut self, imports: &mut ImportSection, section: ImportSectionReader<'_>) -> Done {
        utils::parse_import_section(self, imports, section)?;
        // An engine imports nothing but host calls.
        self.imports = imports.len();
        Ok(())
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: FunctionSectionReader<'_>) -> Done {
        for ty in section.clone() {
            self.types.push(ty?);
        }
        utils::parse_function_section(self, functions, section)?;
        self.added_functions = self.imports + functions.len();
        for added in [NOTE, GROW, SET_PAGES] {
            functions.function(self.added_types + added);
        }
        Ok(())
    }

    fn parse_memory_section(&mut self, memories: &mut MemorySection, section: MemorySectionReader<'_>) -> Done {
        for memory in section {
            self.pages = u32::try_from(memory?.initial).unwrap_or(u32::MAX);
        }
        let pages = u64::from(END >> CHUNK_SHIFT);
        memories.memory(MemoryType {
            minimum: pages,
            maximum: Some(pages),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        Ok(())
    }

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: GlobalSectionReader<'_>) -> Done {
        utils::parse_global_section(self, globals, section)?;
        self.pages_global = globals.len();
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(self.pages.cast_signed()));
        Ok(())
    }

    fn parse_export_section(&mut self, exports: &mut ExportSection, section: ExportSectionReader<'_>) -> Done {
        utils::parse_export_section(self, exports, section)?;
        exports.export(EXPORT_PAGES, ExportKind::Func, self.added_functions + SET_PAGES);
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Done {
        utils::parse_code_section(self, code, section)?;
        code.function(&note());
        code.function(&grow(self.pages_global));
        code.function(&set_pages(self.pages_global));
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Done {
        let ty = self.types.get(self.bodies).and_then(|ty| usize::try_from(*ty).ok());
        let mut count = ty.and_then(|ty| self.params.get(ty)).copied().unwrap_or(0);
        self.bodies += 1;
        let mut locals = Vec::new();
        for group in body.get_locals_reader()? {
            let (more, ty) = group?;
            locals.push((more, self.val_type(ty)?));
            count += more;
        }
        locals.extend([(3, ValType::I32), (1, ValType::I64), (1, ValType::F32), (1, ValType::F64)]);
        let mut body_out = Body { function: Function::new(locals), locals: Locals { first: count } };
        body_out.note_entry(u32::try_from(self.bodies - 1).unwrap_or(u32::MAX).min(FUNCTIONS_MAX - 1));
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let operator = reader.read()?;
            self.operator(&mut body_out, operator)?;
        }
        code.function(&body_out.function);
        Ok(())
    }
}

impl Instrument {
    fn operator(&mut self, body: &mut Body, operator: Operator<'_>) -> Done {
        match access(&operator) {
            Access::None => {}
            Access::Load(offset) => body.note_load(offset),
            Access::Store(offset, ty) => body.note_store(offset, ty),
            Access::Copy => body.note_copy(self.added_functions + NOTE),
            Access::Fill => body.note_fill(self.added_functions + NOTE),
            Access::Size => {
                body.emit(&[Instruction::GlobalGet(self.pages_global)]);
                return Ok(());
            }
            Access::Grow => {
                body.emit(&[Instruction::Call(self.added_functions + GROW)]);
                return Ok(());
            }
            Access::Unknown => self.unknown = Some(format!("{operator:?}")),
        }
        let same = self.instruction(operator)?;
        body.emit(&[same]);
        Ok(())
    }
}

/// What an instruction does to memory.
enum Access {
    None,
    /// At this offset.
    Load(u64),
    Store(u64, ValType),
    Copy,
    Fill,
    Size,
    Grow,
    /// Something that is not handled here.
    Unknown,
}

fn access(operator: &Operator<'_>) -> Access {
    use Operator as O;
    match operator {
        O::I32Load { memarg }
        | O::I64Load { memarg }
        | O::F32Load { memarg }
        | O::F64Load { memarg }
        | O::I32Load8S { memarg }
        | O::I32Load8U { memarg }
        | O::I32Load16S { memarg }
        | O::I32Load16U { memarg }
        | O::I64Load8S { memarg }
        | O::I64Load8U { memarg }
        | O::I64Load16S { memarg }
        | O::I64Load16U { memarg }
        | O::I64Load32S { memarg }
        | O::I64Load32U { memarg } => Access::Load(memarg.offset),
        O::I32Store { memarg } | O::I32Store8 { memarg } | O::I32Store16 { memarg } => {
            Access::Store(memarg.offset, ValType::I32)
        }
        O::I64Store { memarg } | O::I64Store8 { memarg } | O::I64Store16 { memarg } | O::I64Store32 { memarg } => {
            Access::Store(memarg.offset, ValType::I64)
        }
        O::F32Store { memarg } => Access::Store(memarg.offset, ValType::F32),
        O::F64Store { memarg } => Access::Store(memarg.offset, ValType::F64),
        O::MemoryCopy { .. } => Access::Copy,
        O::MemoryFill { .. } => Access::Fill,
        O::MemorySize { .. } => Access::Size,
        O::MemoryGrow { .. } => Access::Grow,
        // Vectors and atomics: an engine is built without them.
        O::MemoryInit { .. } | O::V128Load { .. } | O::V128Store { .. } | O::MemoryAtomicNotify { .. } => {
            Access::Unknown
        }
        _ => Access::None,
    }
}

/// Locals that are added to a function, from this one on.
#[derive(Clone, Copy)]
struct Locals {
    first: u32,
}

impl Locals {
    fn address(self) -> u32 {
        self.first
    }

    /// A value while its address is looked at.
    fn value(self, ty: ValType) -> u32 {
        self.first
            + match ty {
                ValType::I64 => 3,
                ValType::F32 => 4,
                ValType::F64 => 5,
                _ => 1,
            }
    }

    fn bytes(self) -> u32 {
        self.first + 2
    }
}

struct Body {
    function: Function,
    locals: Locals,
}

impl Body {
    fn emit(&mut self, instructions: &[Instruction<'_>]) {
        for instruction in instructions {
            self.function.instruction(instruction);
        }
    }

    fn note_entry(&mut self, function: u32) {
        self.emit(&[
            Instruction::I32Const(function.cast_signed()),
            Instruction::I32Const(1),
            Instruction::I32Store8(MemArg {
                offset: ENTERED.into(),
                align: 0,
                target: MemArgTarget::Memory(0),
                ordering: None,
            }),
        ]);
    }

    /// On the stack and in its local is an address: the granule at an offset from it is noted. Most accesses that are
    /// not aligned stay inside of one.
    fn note(&mut self, plane: u32, offset: u64) {
        let offset = i32::try_from(offset).unwrap_or(0);
        self.emit(&[
            Instruction::LocalGet(self.locals.address()),
            Instruction::I32Const(offset),
            Instruction::I32Add,
            Instruction::I32Const(GRANULE_SHIFT.into()),
            Instruction::I32ShrU,
            Instruction::I32Const(1),
            Instruction::I32Store8(MemArg {
                offset: plane.into(),
                align: 0,
                target: MemArgTarget::Memory(0),
                ordering: None,
            }),
        ]);
    }

    fn note_load(&mut self, offset: u64) {
        self.emit(&[Instruction::LocalTee(self.locals.address())]);
        self.note(READS, offset);
    }

    fn note_store(&mut self, offset: u64, ty: ValType) {
        let value = self.locals.value(ty);
        self.emit(&[Instruction::LocalSet(value), Instruction::LocalTee(self.locals.address())]);
        self.note(WRITES, offset);
        self.emit(&[Instruction::LocalGet(value)]);
    }

    fn note_copy(&mut self, note: u32) {
        let (to, from, bytes) = (self.locals.address(), self.locals.value(ValType::I32), self.locals.bytes());
        self.emit(&[Instruction::LocalSet(bytes), Instruction::LocalSet(from), Instruction::LocalTee(to)]);
        for (plane, at) in [(WRITES, to), (READS, from)] {
            self.note_range(note, plane, at);
        }
        self.emit(&[Instruction::LocalGet(from), Instruction::LocalGet(bytes)]);
    }

    fn note_fill(&mut self, note: u32) {
        let (to, value, bytes) = (self.locals.address(), self.locals.value(ValType::I32), self.locals.bytes());
        self.emit(&[Instruction::LocalSet(bytes), Instruction::LocalSet(value), Instruction::LocalTee(to)]);
        self.note_range(note, WRITES, to);
        self.emit(&[Instruction::LocalGet(value), Instruction::LocalGet(bytes)]);
    }

    fn note_range(&mut self, note: u32, plane: u32, at: u32) {
        self.emit(&[
            Instruction::I32Const(plane.cast_signed()),
            Instruction::LocalGet(at),
            Instruction::LocalGet(self.locals.bytes()),
            Instruction::Call(note),
        ]);
    }
}

/// `(plane, at, bytes)`: notes the granules of a range.
fn note() -> Function {
    let (plane, at, bytes) = (0, 1, 2);
    let mut function = Function::new([]);
    let shift = Instruction::I32Const(GRANULE_SHIFT.into());
    for instruction in [
        Instruction::LocalGet(bytes),
        Instruction::I32Eqz,
        Instruction::BrIf(0),
        // From the first granule …
        Instruction::LocalGet(plane),
        Instruction::LocalGet(at),
        shift.clone(),
        Instruction::I32ShrU,
        Instruction::I32Add,
        Instruction::I32Const(1),
        // … to the one of the last byte.
        Instruction::LocalGet(at),
        Instruction::LocalGet(bytes),
        Instruction::I32Add,
        Instruction::I32Const(1),
        Instruction::I32Sub,
        shift.clone(),
        Instruction::I32ShrU,
        Instruction::LocalGet(at),
        shift,
        Instruction::I32ShrU,
        Instruction::I32Sub,
        Instruction::I32Const(1),
        Instruction::I32Add,
        Instruction::MemoryFill(0),
        Instruction::End,
    ] {
        function.instruction(&instruction);
    }
    function
}

/// `(pages) -> pages before, or -1`: what `memory.grow` does.
fn grow(pages_global: u32) -> Function {
    let (more, before) = (0, 1);
    let mut function = Function::new([(1, ValType::I32)]);
    for instruction in [
        Instruction::GlobalGet(pages_global),
        Instruction::LocalSet(before),
        Instruction::LocalGet(more),
        Instruction::I32Const((GUEST_BYTES_MAX >> CHUNK_SHIFT).cast_signed()),
        Instruction::LocalGet(before),
        Instruction::I32Sub,
        Instruction::I32GtU,
        Instruction::If(wasm_encoder::BlockType::Empty),
        Instruction::I32Const(-1),
        Instruction::Return,
        Instruction::End,
        Instruction::LocalGet(before),
        Instruction::LocalGet(more),
        Instruction::I32Add,
        Instruction::GlobalSet(pages_global),
        Instruction::LocalGet(before),
        Instruction::End,
    ] {
        function.instruction(&instruction);
    }
    function
}

fn set_pages(pages_global: u32) -> Function {
    let mut function = Function::new([]);
    for instruction in [Instruction::LocalGet(0), Instruction::GlobalSet(pages_global), Instruction::End] {
        function.instruction(&instruction);
    }
    function
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Guest, Nobody};
    use crate::touches::Touches;
    use crate::wasmer::{Compiled, Running};

    fn running(body: &str) -> Running<Nobody> {
        // An engine has a stack pointer: without any global there would be no section to add one to.
        let text = format!(
            r#"(module (memory (export "memory") 2) (global (mut i32) (i32.const 0)) (func (export "f") (result i32) {body}))"#
        );
        let wasm = instrument(&wat::parse_str(text).unwrap()).unwrap();
        let mut guest = Compiled::compile(&wasm).unwrap().start(Nobody).unwrap();
        guest.restore(&[0; 2 << CHUNK_SHIFT], &[]).unwrap();
        guest
    }

    fn touched(body: &str) -> (i64, Vec<usize>, Vec<usize>) {
        let mut guest = running(body);
        let result = guest.call("f", &[]).unwrap();
        let Touches { reads, writes, entered } = guest.touches(2 << CHUNK_SHIFT).unwrap();
        assert_eq!(entered.iter().filter(|note| **note != 0).count(), 1, "one function was entered");
        let places = |notes: Vec<u8>| {
            (0..).step_by(GRANULE_BYTES).zip(notes).filter(|(_, note)| *note != 0).map(|(at, _)| at).collect()
        };
        (result, places(reads), places(writes))
    }

    #[test]
    fn loads_and_stores_are_noted_where_they_are() {
        let body = "(i64.store offset=8 (i32.const 100) (i64.const 7)) (f64.store (i32.const 800) (f64.const 1))
            (i32.add (i32.load (i32.const 108)) (i32.load8_u offset=1 (i32.const 4095)))";
        assert_eq!(touched(body), (7, vec![104, 4096], vec![104, 800]));
    }

    #[test]
    fn ranges_are_noted_whole() {
        let body = "(memory.fill (i32.const 15) (i32.const 9) (i32.const 2))
            (memory.copy (i32.const 64) (i32.const 16) (i32.const 9)) (memory.fill (i32.const 512) (i32.const 1) (i32.const 0))
            (i32.load8_u (i32.const 64))";
        assert_eq!(touched(body), (9, vec![16, 24, 64], vec![8, 16, 64, 72]));
    }

    #[test]
    fn memory_grows_up_to_where_the_notes_begin() {
        assert_eq!(touched("(memory.grow (i32.const 3)) (drop) (memory.size)").0, 5);
        assert_eq!(touched("(memory.grow (i32.const 3))").0, 2);
        assert_eq!(touched(&format!("(memory.grow (i32.const {}))", GUEST_BYTES_MAX >> CHUNK_SHIFT)).0, -1);
    }

    #[test]
    fn what_the_host_does_is_noted_too() {
        let mut guest = running("(i32.const 0)");
        guest.write(40, &[1; 9]).unwrap();
        guest.read(1024, 1).unwrap();
        let touches = guest.touches(2 << CHUNK_SHIFT).unwrap();
        assert_eq!(touches.of(40, 16), (16, true));
        assert_eq!(touches.of(1024, 8), (8, false));
        assert_eq!(touches.pages(), [0]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let text = r#"(module (memory (export "memory") 1) (func (drop (v128.load (i32.const 0)))))"#;
        let error = instrument(&wat::parse_str(text).unwrap()).unwrap_err();
        assert!(error.to_string().contains("V128Load"), "{error}");
    }
}
