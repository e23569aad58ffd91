//! Emits a CommonJS module as an entry of the runtime's table: its path, and its body as a generator function.

use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMutWith;

use crate::emit::{Code, Definition, Emitter};
use crate::graph::{CommonJs, ModuleId};
use crate::parse::WRAPPER_PARAMS;
use crate::rewrite::Rewriter;
use crate::steps::add_steps;
use crate::virtual_paths::APP;

pub(crate) fn emit_definition(emitter: &mut Emitter<'_>, id: ModuleId) -> Definition {
    let module = &emitter.linked.graph.modules[id];
    let path = module.path.strip_prefix(APP).unwrap_or(&module.path).trim_start_matches('/').to_owned();
    let (Code::CommonJs(mut function), Some(body)) = (std::mem::take(&mut emitter.code[id]), module.commonjs()) else {
        return Definition { path, body: Function::default(), make_require: None };
    };
    let mut stmts = function.body.as_mut().map(|body| std::mem::take(&mut body.stmts)).unwrap_or_default();
    function.params.truncate(params_needed(body));
    let mut rewriter = Rewriter::new(emitter.linked, emitter.names, &mut emitter.runtime, id);
    stmts.visit_mut_with(&mut rewriter);
    let directives = stmts.iter().take_while(|stmt| is_directive(stmt)).count();
    let rest = stmts.split_off(directives);
    stmts.extend(add_steps(rest, emitter.steps));
    if let Some(body) = &mut function.body {
        body.stmts = stmts;
    }
    if body.requests.hands_on_module || sees_everything(body) {
        emitter.runtime.need("$moduleRequire");
    }
    let make_require = wants_require(body).then(|| emitter.runtime.need("$makeRequire"));
    Definition { path, body: function, make_require }
}

fn sees_everything(body: &CommonJs) -> bool {
    body.requests.calls_eval || body.requests.mentions_arguments
}

fn wants_require(body: &CommonJs) -> bool {
    sees_everything(body) || body.requests.params.contains("require")
}

/// Parameters behind the last one that is mentioned are left out.
fn params_needed(body: &CommonJs) -> usize {
    if sees_everything(body) || body.is_json {
        return WRAPPER_PARAMS.len();
    }
    let last = WRAPPER_PARAMS.iter().rposition(|param| body.requests.params.contains(param));
    last.map_or(0, |index| index + 1)
}

pub(crate) fn is_directive(stmt: &Stmt) -> bool {
    stmt.as_expr().is_some_and(|stmt| matches!(&*stmt.expr, Expr::Lit(Lit::Str(_))))
}
