//! Assembles the resumable script: runtime, CommonJS modules, ES modules, and the call that starts the entry.

use swc_core::common::DUMMY_SP;
use swc_core::ecma::ast::*;

use crate::ModuleInfo;
use crate::ast::{
    FunctionKind, array, call, directive, expr_stmt, function, function_expr, ident_expr, number, string,
    yield_delegate,
};
use crate::diagnostics::Diagnostic;
use crate::emit_commonjs::emit_definition;
use crate::emit_esm::{emit_definitions, emit_program_body};
use crate::graph::{Body, ModuleId};
use crate::keep_names::SETTER;
use crate::link::{Evaluation, Linked};
use crate::names::{Names, choose_names};
use crate::parse::Sources;
use crate::runtime::Runtime;
use crate::shake::Live;
use crate::steps::StepNames;

/// The script in pieces, and what is known about it.
pub(crate) struct Emitted {
    pub(crate) pieces: Pieces,
    pub(crate) sources: Sources,
    pub(crate) modules: Vec<ModuleInfo>,
    pub(crate) builtins: Vec<String>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) entry: String,
}

/// The script before it is put together. Pieces share nothing but the runtime's names and the globals.
pub(crate) struct Pieces {
    /// The parameter of the bundle's function.
    pub(crate) env: Ident,
    /// The runtime's statements; `setter` is among them, but may turn out not to be needed.
    pub(crate) runtime: Vec<Stmt>,
    pub(crate) setter: Id,
    /// The runtime's table of CommonJS modules, and what is in it.
    pub(crate) table: Option<(Id, Vec<Definition>)>,
    /// The program's ES modules.
    pub(crate) strict: Option<Function>,
    /// What starts a program that is not among them.
    pub(crate) start: Vec<Stmt>,
}

/// A CommonJS module: `[path, function* (exports, require, module) { … }, $makeRequire]`.
pub(crate) struct Definition {
    pub(crate) path: String,
    pub(crate) body: Function,
    /// The runtime's function that makes a `require` that is more than called.
    pub(crate) make_require: Option<Id>,
}

/// What the emitting functions share.
pub(crate) struct Emitter<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) live: &'a Live,
    pub(crate) names: &'a Names,
    pub(crate) runtime: Runtime,
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
    let runtime = Runtime::parse(&linked.graph.sources);
    let steps = StepNames { unresolved: linked.graph.sources.unresolved_ctxt(), runtime: runtime.ctxt() };
    let mut emitter = Emitter { linked: &linked, live, names: &names, runtime, steps, code };
    let definitions = emit_commonjs_table(&mut emitter);
    let table = (!definitions.is_empty()).then(|| (emitter.runtime.need("$commonjs"), definitions));
    let (strict, start) = emit_program(&mut emitter);
    // Whether it is used is only known once names have been changed.
    let setter = emitter.runtime.need(SETTER);
    let mut builtins = live.builtins.clone();
    builtins.extend(emitter.runtime.builtins().into_iter().map(str::to_owned));
    let (env, runtime) = emitter.runtime.into_statements();
    Emitted {
        pieces: Pieces { env, runtime, setter, table, strict, start },
        modules,
        builtins: builtins.into_iter().collect(),
        entry: linked.graph.modules[0].path.clone(),
        sources: linked.graph.sources,
        warnings: linked.graph.warnings,
    }
}

/// Puts the script together: one expression statement, whose value is the generator function that runs the app.
pub(crate) fn assemble(pieces: Pieces) -> Program {
    let mut stmts = pieces.runtime;
    if let Some((table, definitions)) = pieces.table {
        let target = SimpleAssignTarget::Ident(crate::ast::ident_of(&table, DUMMY_SP).into());
        let right = array(definitions.into_iter().map(define_commonjs).collect());
        let assign = AssignExpr { span: DUMMY_SP, op: op!("="), left: target.into(), right };
        stmts.push(expr_stmt(Box::new(Expr::Assign(assign))));
    }
    if let Some(function) = pieces.strict {
        let is_generator = function.is_generator;
        let run = call(parenthesized(function_expr(function)), Vec::new(), DUMMY_SP);
        stmts.push(expr_stmt(if is_generator { yield_delegate(run) } else { run }));
    }
    stmts.extend(pieces.start);
    let main = function_expr(function(FunctionKind::Generator, vec![pieces.env], stmts));
    Program::Script(Script { span: DUMMY_SP, body: vec![expr_stmt(parenthesized(main))], shebang: None })
}

/// A function at the beginning of a statement would be a declaration.
fn parenthesized(expr: Box<Expr>) -> Box<Expr> {
    Box::new(Expr::Paren(ParenExpr { span: DUMMY_SP, expr }))
}

fn define_commonjs(definition: Definition) -> Box<Expr> {
    let mut elements = vec![string(&definition.path), function_expr(definition.body)];
    elements.extend(definition.make_require.as_ref().map(ident_expr));
    array(elements)
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

/// The function around the ES modules, and the statement that starts a program that is not one of them.
fn emit_program(emitter: &mut Emitter<'_>) -> (Option<Function>, Vec<Stmt>) {
    let mut strict = emit_definitions(emitter);
    let (start, numbers) = match emitter.linked.evaluation[0] {
        Evaluation::Eager => {
            strict.extend(emit_program_body(emitter));
            return (Some(strict_function(FunctionKind::Generator, strict)), Vec::new());
        }
        Evaluation::CommonJs => ("$startCommonJs", &emitter.names.commonjs_numbers),
        Evaluation::Wrapped => ("$evaluate", &emitter.names.esm_numbers),
    };
    let id = number(numbers.get(&0).copied().unwrap_or_default());
    let start = yield_delegate(call(ident_expr(&emitter.runtime.need(start)), vec![id], DUMMY_SP));
    let strict = (!strict.is_empty()).then(|| strict_function(FunctionKind::Plain, strict));
    (strict, vec![expr_stmt(start)])
}

/// By the modules' numbers.
fn emit_commonjs_table(emitter: &mut Emitter<'_>) -> Vec<Definition> {
    let mut modules: Vec<(usize, ModuleId)> =
        emitter.names.commonjs_numbers.iter().map(|(module, number)| (*number, *module)).collect();
    modules.sort_unstable();
    modules.into_iter().map(|(_, module)| emit_definition(emitter, module)).collect()
}

/// ES modules are strict code, and their `this` is undefined.
fn strict_function(kind: FunctionKind, body: Vec<Stmt>) -> Function {
    let mut stmts = vec![directive("use strict")];
    stmts.extend(body);
    function(kind, Vec::new(), stmts)
}
