//! Decides before which top-level statements the program may be suspended: those that could notice the world.

use swc_core::common::SyntaxContext;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::step;

/// The contexts by which names are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepNames {
    pub(crate) unresolved: SyntaxContext,
    pub(crate) runtime: SyntaxContext,
}

/// Puts a bare `yield` before each statement that may meet something unknown before the program runs.
///
/// Leaving one out is never wrong: the program is then suspended a little earlier.
pub(crate) fn add_steps(stmts: Vec<Stmt>, names: StepNames) -> Vec<Stmt> {
    let mut stepped = Vec::with_capacity(stmts.len() * 2);
    for stmt in stmts {
        if needs_step(&stmt, names) {
            stepped.push(step());
        }
        stepped.push(stmt);
    }
    stepped
}

fn needs_step(stmt: &Stmt, names: StepNames) -> bool {
    let mut finder = Finder { names, found: false };
    stmt.visit_with(&mut finder);
    finder.found
}

struct Finder {
    names: StepNames,
    found: bool,
}

impl Finder {
    fn is_global(&self, expr: &Expr, wanted: &[&str]) -> bool {
        expr.as_ident().is_some_and(|ident| ident.ctxt == self.names.unresolved && wanted.contains(&&*ident.sym))
    }

    /// Functions of the language that only touch what they are given, and the runtime's own.
    fn is_harmless(&self, callee: &Expr) -> bool {
        match callee {
            Expr::Ident(ident) if ident.ctxt == self.names.runtime => true,
            Expr::Ident(_) => self.is_global(callee, &["Symbol", "String", "Number", "Boolean", "parseInt", "BigInt"]),
            Expr::Member(member) => {
                self.is_global(&member.obj, &["Object", "Symbol", "Array", "Number", "String"])
                    || (self.is_global(&member.obj, &["Math"]) && !member.prop.is_ident_with("random"))
            }
            _ => false,
        }
    }
}

impl Visit for Finder {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        self.found |= !call.callee.as_expr().is_some_and(|callee| self.is_harmless(callee));
        call.args.visit_with(self);
    }

    fn visit_new_expr(&mut self, new: &NewExpr) {
        let harmless = [
            "Map",
            "Set",
            "WeakMap",
            "WeakSet",
            "Error",
            "TypeError",
            "RegExp",
            "Array",
            "Object",
            "Uint8Array",
            "Proxy",
        ];
        self.found |= !self.is_global(&new.callee, &harmless);
        new.args.visit_with(self);
    }

    fn visit_opt_call(&mut self, _: &OptCall) {
        self.found = true;
    }

    fn visit_tagged_tpl(&mut self, _: &TaggedTpl) {
        self.found = true;
    }

    fn visit_for_of_stmt(&mut self, _: &ForOfStmt) {
        self.found = true;
    }

    fn visit_yield_expr(&mut self, yielded: &YieldExpr) {
        // `yield* $require(…)` stops by itself; `yield {await: …}` is stopped before.
        self.found |= !yielded.delegate;
        yielded.visit_children_with(self);
    }

    /// Reads that may be answered from outside; others only run code if they are getters, and those rarely do more.
    fn visit_member_expr(&mut self, member: &MemberExpr) {
        let reads_world = self.is_global(&member.obj, &["process", "globalThis", "global", "performance", "navigator"]);
        let reads_env = |expr: &Expr| match expr {
            Expr::Ident(ident) => ident.sym == "env",
            Expr::Member(inner) => inner.prop.is_ident_with("env"),
            _ => false,
        };
        self.found |= reads_world || reads_env(&member.obj);
        member.visit_children_with(self);
    }

    /// Fields of instances are not evaluated with their class.
    fn visit_class_prop(&mut self, prop: &ClassProp) {
        prop.key.visit_with(self);
        if prop.is_static {
            prop.value.visit_with(self);
        }
    }

    fn visit_private_prop(&mut self, prop: &PrivateProp) {
        if prop.is_static {
            prop.value.visit_with(self);
        }
    }

    fn visit_function(&mut self, _: &Function) {}

    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}

    fn visit_constructor(&mut self, _: &Constructor) {}
}
