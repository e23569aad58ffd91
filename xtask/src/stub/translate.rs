//! `engine.wasm` → C by wasm2c, changed where it can know more than wasm2c does: memory lies at a constant address,
//! there is one instance, one table that never changes, and no data to initialise.
//!
//! Every change expects a text of wasm2c 1.0.32 and fails when it is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use edgepack_format::code::COLD_CODE_SECTION;

use crate::project::Project;
use crate::run::{command, output, run};

/// Translation units: as many as the cores of a small machine, as each repeats the prelude.
const UNITS: usize = 4;

const VERSION: &str = "1.0.32";

/// Where functions go that are a part of every boot.
const HOT_CODE_SECTION: &str = ".text.edge_hot";

/// So many programs have to enter a function for it to be one of them, or one program if the function is small: as C, of
/// which 10 bytes come to one of code. Express's boot enters 5 % of those that one program enters, most of them small.
const HOT_PROGRAMS_MIN: u64 = 2;
const SMALL_FUNCTION_BYTES: usize = 5_000;

/// Where functions go that fewer enter: before those that none does, which are compressed as they are.
const WARM_CODE_SECTION: &str = "edge_warm_code";

/// Translates; the paths of the C files. Functions that boots enter, by number, come to lie together, and so do the
/// others.
pub(super) fn engine(
    project: &Project,
    wasm: &Path,
    entered: &BTreeMap<u32, u64>,
    folder: &Path,
) -> Result<Vec<PathBuf>> {
    let version = output(&mut command("wasm2c", ["--version"], &project.root))?;
    ensure!(version.trim().starts_with(VERSION), "wasm2c {VERSION} is needed, this is {version}");
    let source = folder.join("engine.c");
    let mut translate = command("wasm2c", ["--module-name", "engine"], &project.root);
    run(translate.arg("-o").arg(&source).arg(wasm))?;
    let text = fs::read_to_string(&source).context("wasm2c wrote something else than text")?;
    let units = Translation::parse(&text)?.units(entered)?;
    fs::remove_file(&source)?;
    let glue = project.root.join("stub-runtime/c/engine.c");
    let mut paths = vec![folder.join("engine.h")];
    for (number, mut unit) in units.into_iter().enumerate() {
        if number == 0 {
            unit.push_str(&fs::read_to_string(&glue)?);
        }
        let path = folder.join(format!("engine-{number}.c"));
        fs::write(&path, unit)?;
        paths.push(path);
    }
    Ok(paths)
}

/// wasm2c's output, taken apart.
struct Translation<'a> {
    /// Up to the module's own parts: macros and inline functions.
    prelude: String,
    /// The canonical number of each function type.
    types: Vec<u32>,
    /// Prototypes of the module's functions, without `static`.
    prototypes: String,
    /// The table, as C, and its size.
    table: String,
    table_size: usize,
    /// `init_*` is not taken over; exports are.
    exports: String,
    /// The module's functions.
    functions: Vec<&'a str>,
}

impl<'a> Translation<'a> {
    fn parse(text: &'a str) -> Result<Translation<'a>> {
        let (prelude, rest) = split(text, "static bool s_module_initialized = false;")?;
        let (types, rest) = split(rest, "\n}\n")?;
        let types = types_of(types)?;
        let (prototypes, rest) = split(rest, "static void init_globals(")?;
        let (globals, rest) = split(rest, "\n}\n")?;
        ensure!(
            globals.matches("instance->").count() == 1 && globals.contains("instance->w2c___stack_pointer = "),
            "the engine has other mutable globals than __stack_pointer: {globals}"
        );
        let (tables, rest) = split(rest, "static void init_elem_instances(")?;
        let (_, rest) = split(rest, "\n}\n")?;
        let (functions, exports) = split(rest, "/* export: ")?;
        let (exports, _) = split(exports, "static void init_instance_import(")?;
        let (table, table_size) = table_of(tables, &types)?;
        Ok(Translation {
            prelude: with_constant_base(prelude)?,
            table,
            table_size,
            prototypes: unstatic_all(prototypes),
            exports: format!("/* export: {exports}"),
            functions: functions_of(functions)?,
            types,
        })
    }

    /// Units that compile on their own and are about equally long; the first has table, exports and instance.
    fn units(&self, entered: &BTreeMap<u32, u64>) -> Result<Vec<String>> {
        let numbers: Vec<String> = self.types.iter().map(u32::to_string).collect();
        let start = format!(
            "{}static const u32 func_types[] = {{{}}};\nextern Z_engine_instance_t edge_instance;\n\
             extern const wasm_rt_funcref_t edge_table[];\n\
             static const wasm_rt_funcref_table_t edge_t0 = {{(wasm_rt_funcref_t*)edge_table, {}, {}}};\n{}\n",
            self.prelude,
            numbers.join(","),
            self.table_size,
            self.table_size,
            self.prototypes,
        );
        let total: usize = self.functions.iter().map(|function| function.len()).sum();
        let mut units = vec![format!("{start}{}{}", self.table, self.exports)];
        let mut unit = start.clone();
        let mut length = 0;
        for (number, function) in (0_u32..).zip(&self.functions) {
            let section = match entered.get(&number) {
                Some(HOT_PROGRAMS_MIN..) => HOT_CODE_SECTION,
                Some(_) if function.len() <= SMALL_FUNCTION_BYTES => HOT_CODE_SECTION,
                Some(_) => WARM_CODE_SECTION,
                None => COLD_CODE_SECTION,
            };
            unit.push_str(&format!("__attribute__((section(\"{section}\"))) "));
            unit.push_str(&threaded(&plain_addresses(&direct_calls(unstatic(function)?)?)?));
            length += function.len();
            if length > total / UNITS {
                units.push(std::mem::replace(&mut unit, start.clone()));
                length = 0;
            }
        }
        if length > 0 {
            units.push(unit);
        }
        Ok(units)
    }
}

fn split<'a>(text: &'a str, at: &str) -> Result<(&'a str, &'a str)> {
    text.split_once(at).with_context(|| format!("wasm2c's output has changed: no `{at}`"))
}

fn replace(text: &str, from: &str, to: &str, count: usize) -> Result<String> {
    let found = text.matches(from).count();
    ensure!(found == count, "wasm2c's output has changed: `{from}` is there {found} times, not {count}");
    Ok(text.replace(from, to))
}

/// `mem->data` is a load before every access, and after every store again; the constant is none.
fn with_constant_base(prelude: &str) -> Result<String> {
    let text = replace(prelude, "(wasm_rt_memory_t* mem, u64 addr", "(wasm_rt_memory_t* mem, edge_address_t addr", 4)?;
    let text = replace(
        &text,
        "wasm_rt_memcpy(&result, &mem->data[addr], sizeof(t1));",
        "wasm_rt_memcpy(&result, EDGE_AT(addr), sizeof(t1));",
        1,
    )?;
    let text = replace(
        &text,
        "wasm_rt_memcpy(&mem->data[addr], &wrapped, sizeof(t1));",
        "wasm_rt_memcpy(EDGE_AT(addr), &wrapped, sizeof(t1));",
        1,
    )?;
    // It forces every loaded value into a register of its own, so that an unused load still traps: no one relies on it.
    let text = replace(&text, "wasm_asm(\"\" ::\"r\"(result));", "", 2)?;
    let text = replace(&text, "memset(mem->data + d, val, n);", "memset(EDGE_AT(d), val, n);", 1)?;
    let copy = "memmove(dest->data + dest_addr, src->data + src_addr, n);";
    replace(&text, copy, "memmove(EDGE_AT(dest_addr), EDGE_AT(src_addr), n);", 1)
}

/// Types with the same text are the same type: what `wasm_rt_register_func_type` would find out at start.
fn types_of(text: &str) -> Result<Vec<u32>> {
    let mut known = BTreeMap::new();
    let mut types = Vec::new();
    for line in text.lines().filter(|line| line.contains("wasm_rt_register_func_type")) {
        let (number, signature) = line
            .trim()
            .strip_prefix("func_types[")
            .and_then(|line| line.split_once("] = "))
            .with_context(|| format!("wasm2c's output has changed: {line}"))?;
        ensure!(number.parse() == Ok(types.len()), "wasm2c's function types are out of order");
        let next = u32::try_from(known.len() + 1)?;
        types.push(*known.entry(signature).or_insert(next));
    }
    Ok(types)
}

/// The one table as a constant. Its segments lie at constant places and nothing writes it later.
fn table_of(text: &str, types: &[u32]) -> Result<(String, usize)> {
    let mut segments: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    let mut open = None;
    let mut size = None;
    let mut rows: Vec<Option<(u32, &str)>> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("static const wasm_elem_segment_expr_t ") {
            open = Some(rest.split_once('[').context("a segment without a name")?.0);
        } else if let (Some(name), Some(rest)) = (open, line.strip_prefix('{')) {
            let fields: Vec<&str> = rest.trim_end_matches("},").split(", ").collect();
            let [ty, function, "0"] = fields.as_slice() else { bail!("an unexpected table entry: {line}") };
            segments.entry(name).or_default().push((ty.parse()?, function));
        } else if line.starts_with("};") {
            open = None;
        } else if let Some(rest) = line.strip_prefix("wasm_rt_allocate_funcref_table(&instance->w2c_T0, ") {
            let (min, max) = rest.trim_end_matches(");").split_once(", ").context("a table without a size")?;
            ensure!(min == max, "the engine's table can grow");
            size = Some(min.parse::<usize>()?);
            rows.resize(min.parse()?, None);
        } else if let Some(rest) = line.strip_prefix("funcref_table_init(&instance->w2c_T0, ") {
            let fields: Vec<&str> = rest.split(", ").collect();
            let [name, _, at, "0", count, "instance", "func_types);"] = fields.as_slice() else {
                bail!("an unexpected segment: {line}")
            };
            let at: usize = at.trim_end_matches('u').parse()?;
            let entries = segments.get(name).context("a segment that is not there")?;
            ensure!(entries.len() == count.parse::<usize>()?, "a part of a segment");
            for (place, (ty, function)) in (at..).zip(entries) {
                *rows.get_mut(place).context("a segment outside of the table")? =
                    Some((*types.get(*ty).context("an unknown type")?, function));
            }
        } else {
            ensure!(!line.contains("w2c_T1") && !line.contains("externref_table"), "the engine has several tables");
        }
    }
    let size = size.context("the engine has no table")?;
    let rows = rows.iter().map(|row| match row {
        Some((ty, function)) => format!("{{{ty}, {function}, &edge_instance}},\n"),
        None => "{0, 0, 0},\n".to_owned(),
    });
    let rows: String = rows.collect();
    Ok((format!("const wasm_rt_funcref_t edge_table[] = {{\n{rows}}};\n"), size))
}

fn unstatic_all(prototypes: &str) -> String {
    let lines = prototypes.lines().map(|line| format!("{}\n", line.strip_prefix("static ").unwrap_or(line)));
    lines.collect()
}

fn functions_of(text: &str) -> Result<Vec<&str>> {
    let functions: Vec<&str> = text.split("\n}\n").map(str::trim).filter(|function| !function.is_empty()).collect();
    ensure!(
        functions.iter().all(|function| function.starts_with("static ")),
        "wasm2c's output has changed: not a function"
    );
    Ok(functions)
}

fn unstatic(function: &str) -> Result<String> {
    let function = function.strip_prefix("static ").context("wasm2c's output has changed: not a function")?;
    Ok(format!("{function}\n}}\n\n"))
}

/// Indirect calls look the table and the instance up; both are always the same.
fn direct_calls(function: String) -> Result<String> {
    const LOOKUP: &str = "instance->w2c_T0.data[";
    const FIELD: &str = "].module_instance";
    let mut text = String::with_capacity(function.len());
    let mut rest = function.as_str();
    while let Some((before, after)) = rest.split_once(LOOKUP) {
        let (_, after) = after.split_once(FIELD).context("wasm2c's output has changed: the table is used otherwise")?;
        text.push_str(before);
        text.push_str("instance");
        rest = after;
    }
    text.push_str(rest);
    let text = text.replace("CALL_INDIRECT(instance->w2c_T0,", "CALL_INDIRECT(edge_t0,");
    ensure!(!text.contains("instance->w2c_T0"), "the engine uses its table otherwise than for calls");
    Ok(text)
}

/// `(u64)(address) + offset` → a macro with the two of them, which 32-bit targets need apart.
fn plain_addresses(function: &str) -> Result<String> {
    const ACCESS: &str = "(&instance->w2c_memory, (u64)(";
    let mut text = String::with_capacity(function.len());
    let mut rest = function;
    while let Some((before, after)) = rest.split_once(ACCESS) {
        let (address, after) = after.split_once(')').context("wasm2c's output has changed: an address without end")?;
        let (offset, after) = match after.strip_prefix(" + ") {
            Some(more) => more.split_at(more.find([',', ')']).context("an access without end")?),
            None => ("0", after),
        };
        ensure!(
            !address.contains('(') && offset.trim_end_matches('u').parse::<u32>().is_ok(),
            "wasm2c's output has changed: an access to {address} + {offset}"
        );
        text.push_str(&format!("{before}(&instance->w2c_memory, EDGE_ADDRESS({address}, {offset})"));
        rest = after;
    }
    text.push_str(rest);
    ensure!(!text.contains("w2c_memory, (u64)"), "wasm2c's output has changed: an address of another form");
    Ok(text)
}

/// A switch over the byte that was just loaded is an interpreter's: wasm has one jump for all of its opcodes, checked
/// against the number of cases. A table with a place for every byte needs no check, and compilers repeat the jump at the
/// end of every opcode.
fn threaded(function: &str) -> String {
    let mut text = String::with_capacity(function.len());
    let mut rest = function;
    while let Some((before, after)) = rest.split_once("switch (w2c_i0) {\n") {
        let whole = Switch::parse(before, after);
        text.push_str(before);
        match whole {
            Some(switch) => {
                text.push_str(&switch.jump());
                rest = switch.after;
            }
            None => {
                text.push_str("switch (w2c_i0) {\n");
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// Fewer cases are no interpreter's.
const OPCODES_MIN: usize = 128;

/// A switch over a byte less one.
struct Switch<'a> {
    /// The variable with the byte.
    byte: &'a str,
    /// Where each byte leads.
    labels: Vec<&'a str>,
    after: &'a str,
}

impl<'a> Switch<'a> {
    fn parse(before: &'a str, after: &'a str) -> Option<Switch<'a>> {
        let mut lines = before.lines().rev().map(str::trim).filter(|line| !line.is_empty());
        let subtraction = (lines.next()?, lines.next()?);
        let byte = lines.next()?.strip_suffix(" = w2c_i0;")?;
        let loads_byte = lines.next()?.starts_with("w2c_i0 = i32_load8_u(");
        if subtraction != ("w2c_i0 += w2c_i1;", "w2c_i1 = 4294967295u;") || !loads_byte {
            return None;
        }
        let (cases, rest) = after.split_once("default: goto ")?;
        let (default, after) = rest.split_once(";\n")?;
        let mut labels = vec![default; 256];
        for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (number, label) = case.strip_prefix("case ")?.strip_suffix(';')?.split_once(": goto ")?;
            *labels.get_mut(number.parse::<usize>().ok()?.checked_add(1)?)? = label;
        }
        let (_, after) = after.split_once("}\n")?;
        let opcodes = labels.iter().filter(|label| **label != default).count();
        (opcodes >= OPCODES_MIN).then_some(Switch { byte, labels, after })
    }

    fn jump(&self) -> String {
        let labels: Vec<String> = self.labels.iter().map(|label| format!("&&{label}")).collect();
        let table = labels.join(",");
        format!("{{ static const void* const edge_labels[256] = {{{table}}}; goto *edge_labels[{}]; }}\n", self.byte)
    }
}

#[cfg(test)]
mod tests {
    use super::threaded;

    fn interpreter(load: &str, cases: usize) -> String {
        let cases: String = (0..cases).map(|n| format!("        case {n}: goto w2c_B{n};\n")).collect();
        format!(
            "      w2c_i0 = {load};\n      w2c_l25 = w2c_i0;\n      w2c_i1 = 4294967295u;\n      w2c_i0 += w2c_i1;\n      \
             switch (w2c_i0) {{\n{cases}        default: goto w2c_B999;\n      }}\n      w2c_B0:;\n"
        )
    }

    #[test]
    fn a_switch_over_a_byte_is_a_table_of_all_bytes() {
        let text = threaded(&interpreter("i32_load8_u(&instance->w2c_memory, EDGE_ADDRESS(w2c_i0, 0))", 251));
        assert!(!text.contains("switch"), "{text}");
        let (_, table) = text.split_once("edge_labels[256] = {").unwrap();
        let (table, rest) = table.split_once("}; goto *edge_labels[w2c_l25]; }\n").unwrap();
        let labels: Vec<&str> = table.split(',').collect();
        assert_eq!((labels.len(), labels[0], labels[1]), (256, "&&w2c_B999", "&&w2c_B0"));
        assert_eq!((labels[251], labels[252], labels[255]), ("&&w2c_B250", "&&w2c_B999", "&&w2c_B999"));
        assert_eq!(rest, "      w2c_B0:;\n");
    }

    #[test]
    fn any_other_switch_stays() {
        for text in [
            interpreter("i32_load(&instance->w2c_memory, EDGE_ADDRESS(w2c_i0, 0))", 251),
            interpreter("i32_load8_u(&instance->w2c_memory, EDGE_ADDRESS(w2c_i0, 0))", 20),
            interpreter("i32_load8_u(&instance->w2c_memory, EDGE_ADDRESS(w2c_i0, 0))", 300),
        ] {
            assert_eq!(threaded(&text), text);
        }
    }
}
