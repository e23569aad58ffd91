//! Emits a CommonJS module as an entry of the runtime's table: its path, and its body as a function.

use swc_core::common::DUMMY_SP;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMutWith;

use crate::ast::{
    FunctionKind, call, declare, fresh_ident, function, function_expr, ident_expr, ident_of, member, meta_property,
    yield_delegate,
};
use crate::emit::{Code, Definition, Emitter};
use crate::graph::{CommonJs, ModuleId};
use crate::parse::WRAPPER_PARAMS;
use crate::rewrite::Rewriter;
use crate::steps::add_steps;
use crate::virtual_paths::APP;
use crate::{Form, Format};

pub(crate) fn emit_definition(emitter: &mut Emitter<'_>, id: ModuleId) -> Definition {
    let module = &emitter.linked.graph.modules[id];
    let path = module.path.strip_prefix(APP).unwrap_or(&module.path).trim_start_matches('/').to_owned();
    let (Code::CommonJs(mut function), Some(body)) = (std::mem::take(&mut emitter.code[id]), module.commonjs()) else {
        return Definition { path, body: Function::default(), is_value: false, make_require: None };
    };
    let mut stmts = function.body.as_mut().map(|body| std::mem::take(&mut body.stmts)).unwrap_or_default();
    let mut rewriter = Rewriter::new(emitter, id);
    stmts.visit_mut_with(&mut rewriter);
    let directives = stmts.iter().take_while(|stmt| is_directive(stmt)).count();
    let rest = stmts.split_off(directives);
    match emitter.form {
        Form::Resumable => {
            if !sees_everything(body) {
                order_params(&mut function.params, body);
            }
            stmts.extend(add_steps(rest, emitter.steps));
        }
        Form::Plain(format) => {
            function.is_generator = false;
            stmts.extend(take_params(emitter, &mut function, &rest, body, format));
            stmts.extend(rest);
        }
    }
    if let Some(body) = &mut function.body {
        body.stmts = stmts;
    }
    if emitter.form != Form::Resumable {
        return Definition { path, body: function, is_value: body.is_json, make_require: None };
    }
    if sees_everything(body) {
        function = in_nodes_order(function);
    }
    let make_require = wants_require(body).then(|| emitter.runtime.need("$makeRequire"));
    Definition { path, body: function, is_value: body.is_json, make_require }
}

/// Plain modules are only given `exports` and `module`; the others are the script's own.
fn take_params(
    emitter: &mut Emitter<'_>,
    function: &mut Function,
    stmts: &[Stmt],
    body: &CommonJs,
    format: Format,
) -> Option<Stmt> {
    let ids: Vec<Id> =
        std::mem::take(&mut function.params).iter().filter_map(|param| Some(param.pat.as_ident()?.to_id())).collect();
    let declared: Vec<Id> = stmts.iter().filter_map(declared_function).collect();
    let needs = |name: &str| sees_everything(body) || body.requests.params.contains(name);
    let unresolved = emitter.linked.graph.sources.unresolved_ctxt();
    let mut found = Vec::new();
    for id in ids.into_iter().filter(|id| !declared.contains(id)) {
        let is_needed = needs(&id.0);
        let value = match &*id.0 {
            "exports" if is_needed || needs("module") || body.is_json => None,
            "module" if is_needed || body.is_json => None,
            "require" if is_needed => Some(emitter.host_require()),
            name if is_needed && format == Format::Esm && name.starts_with("__") => Some(meta_property(&name[2..])),
            _ if is_needed => Some(ident_expr(&(id.0.clone(), unresolved))),
            _ => continue,
        };
        match value {
            None => function.params.push(Param::from(Pat::Ident(ident_of(&id, DUMMY_SP).into()))),
            Some(value) => found.push((id, Some(value))),
        }
    }
    (!found.is_empty()).then(|| declare(VarDeclKind::Var, found))
}

fn declared_function(stmt: &Stmt) -> Option<Id> {
    Some(stmt.as_decl()?.as_fn_decl()?.ident.to_id())
}

fn sees_everything(body: &CommonJs) -> bool {
    body.requests.calls_eval || body.requests.mentions_arguments
}

fn wants_require(body: &CommonJs) -> bool {
    sees_everything(body) || body.requests.params.contains("require")
}

/// `$require` gives `module` before `require`, which few modules need as a value. Parameters behind the last one that is
/// mentioned are left out.
fn order_params(params: &mut Vec<Param>, body: &CommonJs) {
    if let [_, require, module, ..] = &mut params[..] {
        std::mem::swap(require, module);
    }
    let is_needed = |param: &Param| {
        let name = param.pat.as_ident().map(|name| &*name.sym);
        name.is_some_and(|name| body.requests.params.contains(name) || (body.is_json && name == "module"))
    };
    let last = params.iter().rposition(is_needed);
    params.truncate(last.map_or(0, |index| index + 1));
}

/// Code that sees its `arguments`, or everything by `eval`, has them in Node's order:
/// `function* (exports, module, require, …) { return yield* function* (exports, require, module, …) { … }.call(this, …) }`
fn in_nodes_order(inner: Function) -> Function {
    let mut params: Vec<Ident> = WRAPPER_PARAMS.iter().map(|name| fresh_ident(name)).collect();
    let this = Box::new(Expr::This(ThisExpr { span: DUMMY_SP }));
    let args = std::iter::once(this).chain(params.iter().map(|param| ident_expr(&param.to_id()))).collect();
    let run = call(member(function_expr(inner), "call", DUMMY_SP), args, DUMMY_SP);
    let result = ReturnStmt { span: DUMMY_SP, arg: Some(yield_delegate(run)) };
    if let [_, require, module, ..] = &mut params[..] {
        std::mem::swap(require, module);
    }
    function(FunctionKind::Generator, params, vec![Stmt::Return(result)])
}

pub(crate) fn is_directive(stmt: &Stmt) -> bool {
    stmt.as_expr().is_some_and(|stmt| matches!(&*stmt.expr, Expr::Lit(Lit::Str(_))))
}
