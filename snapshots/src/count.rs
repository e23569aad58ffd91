//! Engine → the same engine, which counts the instructions it executes: how much of a start-up is done at build time is
//! told in them, as they are the same at every run.
//!
//! At the end of each stretch of instructions without a jump their number is added to a global.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection, GlobalType, Instruction, Module,
    ValType,
};
use wasmparser::{CodeSectionReader, ExportSectionReader, FunctionBody, GlobalSectionReader, Operator, Parser};

use crate::{Error, Result};

/// The global that counts.
pub(crate) const EXPORT_COUNT: &str = "edge_counted";

/// Makes an engine count. One without globals of its own is left as it is.
///
/// # Errors
/// If it is no module.
pub(crate) fn count(engine_wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let done = Counting::default().parse_core_module(&mut module, Parser::new(0), engine_wasm);
    done.map_err(|error| Error::Compile(error.to_string()))?;
    Ok(module.finish())
}

#[derive(Default)]
struct Counting {
    global: Option<u32>,
}

type Done = std::result::Result<(), ReencodeError<Infallible>>;

impl Reencode for Counting {
    type Error = Infallible;

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: GlobalSectionReader<'_>) -> Done {
        utils::parse_global_section(self, globals, section)?;
        self.global = Some(globals.len());
        globals.global(GlobalType { val_type: ValType::I64, mutable: true, shared: false }, &ConstExpr::i64_const(0));
        Ok(())
    }

    fn parse_export_section(&mut self, exports: &mut ExportSection, section: ExportSectionReader<'_>) -> Done {
        utils::parse_export_section(self, exports, section)?;
        if let Some(global) = self.global {
            exports.export(EXPORT_COUNT, ExportKind::Global, global);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Done {
        utils::parse_code_section(self, code, section)
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Done {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut reader = body.get_operators_reader()?;
        let mut stretch = 0;
        while !reader.eof() {
            let operator = reader.read()?;
            stretch += 1;
            if ends_stretch(&operator) {
                self.add(&mut function, stretch);
                stretch = 0;
            }
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        Ok(())
    }
}

impl Counting {
    fn add(&self, function: &mut Function, stretch: i64) {
        let Some(global) = self.global else { return };
        for instruction in [
            Instruction::GlobalGet(global),
            Instruction::I64Const(stretch),
            Instruction::I64Add,
            Instruction::GlobalSet(global),
        ] {
            function.instruction(&instruction);
        }
    }
}

/// Whether something else than the next instruction may follow, or whether it may be reached from elsewhere.
fn ends_stretch(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Loop { .. }
            | O::If { .. }
            | O::Else
            | O::End
            | O::Br { .. }
            | O::BrIf { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Unreachable
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Guest, Nobody};
    use crate::wasmer::Compiled;

    fn counted(body: &str, args: &[i64]) -> (i64, u64) {
        // An engine has a stack pointer: without any global there would be no section to add one to.
        let text = format!(
            r#"(module (memory (export "memory") 1) (global (mut i32) (i32.const 0))
              (func (export "f") (param $n i32) (result i32) (local $sum i32) {body}))"#
        );
        let wasm = count(&wat::parse_str(text).unwrap()).unwrap();
        let mut guest = Compiled::compile(&wasm).unwrap().start(Nobody).unwrap();
        let result = guest.call("f", args).unwrap();
        (result, guest.counted())
    }

    #[test]
    fn every_instruction_counts_once() {
        // Two constants, the sum and the end.
        assert_eq!(counted("(i32.add (i32.const 1) (i32.const 2))", &[0]), (3, 4));
    }

    #[test]
    fn a_loop_counts_every_turn_and_a_branch_what_it_takes() {
        let body = "(loop $again
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
          (local.get $sum)";
        let (sum_of_1, one) = counted(body, &[1]);
        let (sum_of_11, eleven) = counted(body, &[11]);
        assert_eq!((sum_of_1, sum_of_11), (1, 66));
        assert_eq!(eleven - one, 10 * 10);
        let body = "(if (result i32) (local.get $n) (then (i32.const 1)) (else (i32.add (i32.const 1) (i32.const 1))))";
        assert_eq!((counted(body, &[1]).1, counted(body, &[0]).1), (5, 7));
    }
}
