//! Assembles the resumable script: runtime, CommonJS modules, ES modules, and the call that starts the entry.

use swc_core::common::sync::Lrc;
use swc_core::common::{DUMMY_SP, SourceMap};
use swc_core::ecma::ast::*;

use crate::ModuleInfo;
use crate::ast::{
    FunctionKind, array, call, directive, expr_stmt, function, function_expr, ident_expr, number, yield_delegate,
};
use crate::diagnostics::Diagnostic;
use crate::emit_commonjs::emit_definition;
use crate::emit_esm::{emit_definitions, emit_program_body};
use crate::graph::{Body, ModuleId};
use crate::keep_names::SETTER;
use crate::link::{Evaluation, Linked};
use crate::names::{Names, choose_names};
use crate::runtime::{Awaiting, Runtime};
use crate::shake::Live;
use crate::steps::StepNames;

/// The script as syntax, and what is known about it.
pub(crate) struct Emitted {
    pub(crate) program: Program,
    pub(crate) source_map: Lrc<SourceMap>,
    pub(crate) modules: Vec<ModuleInfo>,
    pub(crate) builtins: Vec<String>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) entry: String,
}

/// What the emitting functions share.
pub(crate) struct Emitter<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) live: &'a Live,
    pub(crate) names: &'a Names,
    pub(crate) runtime: Runtime,
    pub(crate) awaiting: Awaiting,
    pub(crate) steps: StepNames,
    /// By module: its code, taken from where it is emitted.
    pub(crate) code: Vec<Code>,
}

/// A module's code, owned.
#[derive(Default)]
pub(crate) enum Code {
    #[default]
    Gone,
    CommonJs(Function),
    /// The live parts, in order.
    Esm(Vec<Stmt>),
}

/// Emits a linked graph.
pub(crate) fn emit_script(mut linked: Linked, live: &Live) -> Emitted {
    let modules = describe_modules(&linked, live);
    let code = take_code(&mut linked, live);
    let names = choose_names(&linked, live);
    let awaiting = awaiting(&linked, live);
    let runtime = Runtime::parse(&linked.graph.sources, awaiting);
    let steps = StepNames { unresolved: linked.graph.sources.unresolved_ctxt(), runtime: runtime.ctxt() };
    let mut emitter = Emitter { linked: &linked, live, names: &names, runtime, awaiting, steps, code };
    let body = emit_body(&mut emitter);
    // Whether it is used is only known once clashing names have been changed.
    emitter.runtime.need(SETTER);
    let mut builtins = live.builtins.clone();
    builtins.extend(emitter.runtime.builtins().into_iter().map(str::to_owned));
    let (env, mut stmts) = emitter.runtime.into_statements();
    stmts.extend(body);
    let main = function_expr(function(FunctionKind::Generator, vec![env], stmts));
    Emitted {
        program: Program::Script(Script { span: DUMMY_SP, body: vec![expr_stmt(main)], shebang: None }),
        source_map: linked.graph.sources.map.clone(),
        modules,
        builtins: builtins.into_iter().collect(),
        entry: linked.graph.modules[0].path.clone(),
        warnings: linked.graph.warnings,
    }
}

fn awaiting(linked: &Linked, live: &Live) -> Awaiting {
    let mut ids = 0..linked.graph.modules.len();
    let awaits = |id| live.modules[id] && linked.awaits[id] && linked.evaluation[id] == Evaluation::Wrapped;
    if ids.any(awaits) { Awaiting::SideBySide } else { Awaiting::Never }
}

fn describe_modules(linked: &Linked, live: &Live) -> Vec<ModuleInfo> {
    let live_modules = linked.graph.modules.iter().enumerate().filter(|(id, _)| live.modules[*id]);
    let describe = |(id, module): (ModuleId, &crate::graph::Module)| {
        let kept = match &module.body {
            Body::CommonJs(_) => module.source_bytes,
            Body::Esm(body) => {
                let spans =
                    body.parts.iter().zip(&live.parts[id]).filter(|(_, live)| **live).map(|(part, _)| part.span);
                spans.filter(|span| !span.is_dummy()).map(|span| (span.hi - span.lo).0 as usize).sum()
            }
        };
        ModuleInfo {
            path: module.path.clone(),
            original_bytes: module.source_bytes,
            kept_bytes: kept,
            package: module.package.clone(),
        }
    };
    live_modules.map(describe).collect()
}

fn take_code(linked: &mut Linked, live: &Live) -> Vec<Code> {
    let take = |(id, module): (ModuleId, &mut crate::graph::Module)| match &mut module.body {
        _ if !live.modules[id] => Code::Gone,
        Body::CommonJs(body) => Code::CommonJs(std::mem::take(&mut body.function)),
        Body::Esm(body) => {
            let parts = body.parts.iter_mut().zip(&live.parts[id]).filter(|(_, live)| **live);
            let empty = || Stmt::Empty(EmptyStmt { span: DUMMY_SP });
            Code::Esm(parts.map(|(part, _)| std::mem::replace(&mut part.stmt, empty())).collect())
        }
    };
    linked.graph.modules.iter_mut().enumerate().map(take).collect()
}

fn emit_body(emitter: &mut Emitter<'_>) -> Vec<Stmt> {
    let mut stmts = Vec::new();
    let definitions = emit_commonjs_table(emitter);
    stmts.extend(definitions);
    let mut strict = emit_definitions(emitter);
    match emitter.linked.evaluation[0] {
        Evaluation::Eager => {
            strict.extend(emit_program_body(emitter));
            stmts.push(expr_stmt(yield_delegate(strict_call(FunctionKind::Generator, strict))));
        }
        evaluation => {
            if !strict.is_empty() {
                stmts.push(expr_stmt(strict_call(FunctionKind::Plain, strict)));
            }
            let (start, numbers) = match evaluation {
                Evaluation::CommonJs => ("$startCommonJs", &emitter.names.commonjs_numbers),
                _ => ("$evaluate", &emitter.names.esm_numbers),
            };
            let id = number(numbers.get(&0).copied().unwrap_or_default());
            let start = ident_expr(&emitter.runtime.need(start));
            stmts.push(expr_stmt(yield_delegate(call(start, vec![id], DUMMY_SP))));
        }
    }
    stmts
}

/// `$commonjs = [[path, body], …]`
fn emit_commonjs_table(emitter: &mut Emitter<'_>) -> Option<Stmt> {
    let mut modules: Vec<(usize, ModuleId)> =
        emitter.names.commonjs_numbers.iter().map(|(module, number)| (*number, *module)).collect();
    modules.sort_unstable();
    let definitions: Vec<Box<Expr>> = modules.into_iter().map(|(_, module)| emit_definition(emitter, module)).collect();
    if definitions.is_empty() {
        return None;
    }
    let table = emitter.runtime.need("$commonjs");
    let target = SimpleAssignTarget::Ident(crate::ast::ident_of(&table, DUMMY_SP).into());
    let assign = AssignExpr { span: DUMMY_SP, op: op!("="), left: target.into(), right: array(definitions) };
    Some(expr_stmt(Box::new(Expr::Assign(assign))))
}

/// ES modules are strict code, and their `this` is undefined.
fn strict_call(kind: FunctionKind, body: Vec<Stmt>) -> Box<Expr> {
    let mut stmts = vec![directive("use strict")];
    stmts.extend(body);
    call(function_expr(function(kind, Vec::new(), stmts)), Vec::new(), DUMMY_SP)
}
