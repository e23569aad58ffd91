//! Makes plain functions of the CommonJS modules that never suspend the program, and plain calls of what loads them.

use std::collections::HashMap;

use swc_core::common::SyntaxContext;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::emit::Definition;
use crate::runtime::Runtime;

/// The runtime's functions that load a CommonJS module: stepwise, and at once.
const STEPWISE: &str = "$require";
const AT_ONCE: &str = "$requireNow";

/// `definitions` are by number; `others` is the program's other code.
pub(crate) fn settle_suspensions(definitions: &mut [Definition], others: Vec<&mut Vec<Stmt>>, runtime: &mut Runtime) {
    let suspends = find_suspending(definitions, runtime.ctxt());
    let mut settler = Settler { suspends, runtime: runtime.ctxt(), used: false };
    for (number, definition) in definitions.iter_mut().enumerate() {
        definition.body.is_generator = settler.suspends[number];
        definition.body.body.visit_mut_with(&mut settler);
    }
    others.into_iter().for_each(|stmts| stmts.visit_mut_with(&mut settler));
    if settler.used {
        runtime.need(AT_ONCE);
    }
}

/// By number: whether a module, or one that it loads at its top level, may be suspended.
fn find_suspending(definitions: &[Definition], runtime: SyntaxContext) -> Vec<bool> {
    let mut suspends = vec![false; definitions.len()];
    let mut loaded_by: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut open = Vec::new();
    for (number, definition) in definitions.iter().enumerate() {
        let mut finder = Finder { runtime, loads: Vec::new(), suspends: false };
        definition.body.body.visit_with(&mut finder);
        finder.loads.into_iter().for_each(|loaded| loaded_by.entry(loaded).or_default().push(number));
        if finder.suspends {
            open.push(number);
        }
    }
    while let Some(number) = open.pop() {
        if !std::mem::replace(&mut suspends[number], true) {
            open.extend(loaded_by.get(&number).into_iter().flatten());
        }
    }
    suspends
}

/// The number in `yield* $require(number)`.
fn loaded_number(yielded: &YieldExpr, runtime: SyntaxContext) -> Option<usize> {
    let call = yielded.arg.as_ref().filter(|_| yielded.delegate)?.as_call()?;
    call.callee.as_expr()?.as_ident().filter(|name| name.ctxt == runtime && name.sym == STEPWISE)?;
    match &*call.args.first()?.expr {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "we have written it")]
        Expr::Lit(Lit::Num(number)) => Some(number.value as usize),
        _ => None,
    }
}

/// Looks at what runs with a module itself.
struct Finder {
    runtime: SyntaxContext,
    loads: Vec<usize>,
    suspends: bool,
}

impl Visit for Finder {
    fn visit_yield_expr(&mut self, yielded: &YieldExpr) {
        match loaded_number(yielded, self.runtime) {
            Some(number) => self.loads.push(number),
            None => self.suspends = true,
        }
        yielded.visit_children_with(self);
    }

    fn visit_function(&mut self, _: &Function) {}

    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}

    fn visit_constructor(&mut self, _: &Constructor) {}
}

struct Settler {
    suspends: Vec<bool>,
    runtime: SyntaxContext,
    used: bool,
}

impl VisitMut for Settler {
    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        expr.visit_mut_children_with(self);
        let Expr::Yield(yielded) = expr else { return };
        let Some(number) = loaded_number(yielded, self.runtime) else { return };
        if self.suspends.get(number) == Some(&false)
            && let Some(Expr::Call(mut call)) = yielded.arg.take().map(|arg| *arg)
        {
            call.callee = Callee::Expr(Box::new(Expr::Ident(Ident::new(AT_ONCE.into(), call.span, self.runtime))));
            self.used = true;
            *expr = Expr::Call(call);
        }
    }

    /// ES modules that are asked for are generators of their own.
    fn visit_mut_function(&mut self, function: &mut Function) {
        if function.is_generator {
            function.visit_mut_children_with(self);
        }
    }

    fn visit_mut_arrow_expr(&mut self, _: &mut ArrowExpr) {}

    fn visit_mut_constructor(&mut self, _: &mut Constructor) {}
}
