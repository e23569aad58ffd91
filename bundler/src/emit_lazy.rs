//! Emits an ES module of a plain program that runs when it is asked for: what it declares stands beside the program's
//! own declarations, what it does is in a function.

use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;

use crate::ast::{call, declare, expr_stmt, ident_expr, number};
use crate::emit::Emitter;
use crate::emit_esm::{emit_getters, emit_import_statements, emit_open_stars, emit_parts};
use crate::graph::ModuleId;
use crate::hoist::{Hoisted, hoist_declarations};
use crate::link::Evaluation;

/// `var x; function f() {} const ns = $namespace(getters), init = $lazy(() => { imports; body })`
pub(crate) fn emit_lazy(emitter: &mut Emitter<'_>, id: ModuleId) -> Vec<Stmt> {
    let mut stmts = emit_import_statements(emitter, id);
    if emitter.live.namespaces.contains(&id) {
        stmts.extend(emit_open_stars(emitter, id));
    }
    stmts.extend(emit_parts(emitter, id));
    let Hoisted { mut declarations, body } = hoist_declarations(stmts);
    declarations.extend(emit_namespace(emitter, id));
    if let Some(name) = emitter.names.inits.get(&id).cloned() {
        let run = arrow_block(body, emitter.linked.awaits[id]);
        let once = if emitter.linked.awaits[id] { "$once" } else { "$lazy" };
        let made = call(ident_expr(&emitter.runtime.need(once)), vec![run], DUMMY_SP);
        declarations.push(declare(VarDeclKind::Const, vec![(name, Some(made))]));
    }
    declarations.extend(emit_registration(emitter, id));
    declarations
}

/// The namespace object of a module of a plain program, where it is needed.
pub(crate) fn emit_namespace(emitter: &mut Emitter<'_>, id: ModuleId) -> Option<Stmt> {
    let namespace = emitter.names.namespaces.get(&id).cloned()?;
    let is_open = !emitter.linked.open_stars(id).is_empty();
    let make = emitter.runtime.need(if is_open { "$openNamespace" } else { "$namespace" });
    let made = call(ident_expr(&make), vec![emit_getters(emitter, id)], DUMMY_SP);
    Some(declare(VarDeclKind::Const, vec![(namespace, Some(made))]))
}

/// CommonJS modules are no part of the strict code, and find ES modules by number.
pub(crate) fn emit_registration(emitter: &mut Emitter<'_>, id: ModuleId) -> Option<Stmt> {
    let id_number = number(*emitter.names.esm_numbers.get(&id)?);
    let [init, namespace] = init_and_namespace(emitter, id);
    let register = ident_expr(&emitter.runtime.need("$register"));
    Some(expr_stmt(call(register, vec![id_number, init, namespace], DUMMY_SP)))
}

/// What runs a module, and its namespace; a module that runs with the program has been run.
fn init_and_namespace(emitter: &Emitter<'_>, id: ModuleId) -> [Box<Expr>; 2] {
    let nothing = || number(0);
    let init = emitter.names.inits.get(&id).map_or_else(nothing, ident_expr);
    [init, emitter.names.namespaces.get(&id).map_or_else(nothing, ident_expr)]
}

/// `init()`, waited for if the module waits.
pub(crate) fn emit_init(emitter: &Emitter<'_>, id: ModuleId) -> Option<Stmt> {
    debug_assert!(emitter.linked.evaluation[id] == Evaluation::Wrapped);
    let run = call(ident_expr(emitter.names.inits.get(&id)?), Vec::new(), DUMMY_SP);
    let awaits = emitter.linked.awaits[id];
    Some(expr_stmt(if awaits { Box::new(Expr::Await(AwaitExpr { span: DUMMY_SP, arg: run })) } else { run }))
}

/// `() => { … }`: a module's code has no `this`.
fn arrow_block(stmts: Vec<Stmt>, is_async: bool) -> Box<Expr> {
    Box::new(Expr::Arrow(ArrowExpr {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        params: Vec::new(),
        body: Box::new(ArrowFunctionBody::FunctionBody(FunctionBody { span: DUMMY_SP, stmts })),
        is_async,
        is_generator: false,
        type_params: None,
        return_type: None,
    }))
}
