//! Decides before which top-level statements the program may be suspended: those that could notice the world.

use std::cell::RefCell;
use std::collections::HashMap;

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
    let own = OwnFunctions { functions: find_functions(&stmts), harmless: RefCell::default() };
    let needed: Vec<bool> = stmts.iter().map(|stmt| needs_step(stmt, names, &own)).collect();
    drop(own);
    let mut stepped = Vec::with_capacity(stmts.len() * 2);
    for (stmt, needs_step) in stmts.into_iter().zip(needed) {
        if needs_step {
            stepped.push(step());
        }
        stepped.push(stmt);
    }
    stepped
}

/// The functions that a module declares, and those among them whose calls are known to meet nothing unknown.
struct OwnFunctions<'a> {
    functions: HashMap<Id, Code<'a>>,
    harmless: RefCell<HashMap<Id, bool>>,
}

/// Methods of the language's own objects. Another object's method may be called so; it rarely asks the world.
const HARMLESS_METHODS: [&str; 10] =
    ["bind", "concat", "entries", "fill", "join", "keys", "push", "slice", "split", "values"];

const HARMLESS_CONSTRUCTORS: [&str; 13] = [
    "Array",
    "Error",
    "Int32Array",
    "Int8Array",
    "Map",
    "Object",
    "Proxy",
    "RegExp",
    "Set",
    "TypeError",
    "Uint8Array",
    "WeakMap",
    "WeakSet",
];

/// What runs when a function is called.
#[derive(Clone, Copy)]
enum Code<'a> {
    Class(&'a Class),
    Function(&'a Function),
    Arrow(&'a ArrowExpr),
}

fn code_of(expr: &Expr) -> Option<Code<'_>> {
    match expr {
        Expr::Fn(function) => Some(Code::Function(&function.function)),
        Expr::Arrow(arrow) => Some(Code::Arrow(arrow)),
        Expr::Class(class) => Some(Code::Class(&class.class)),
        // TypeScript's helpers: `this && this.__importDefault || function …`
        Expr::Bin(BinExpr { op: op!("||"), right, .. }) => code_of(right),
        _ => None,
    }
}

fn find_functions(stmts: &[Stmt]) -> HashMap<Id, Code<'_>> {
    let mut found = HashMap::new();
    for stmt in stmts {
        match stmt {
            Stmt::Decl(Decl::Fn(decl)) => drop(found.insert(decl.ident.to_id(), Code::Function(&decl.function))),
            Stmt::Decl(Decl::Class(decl)) => drop(found.insert(decl.ident.to_id(), Code::Class(&decl.class))),
            Stmt::Decl(Decl::Var(var)) => {
                let functions = var
                    .decls
                    .iter()
                    .filter_map(|decl| Some((decl.name.as_ident()?.to_id(), code_of(decl.init.as_ref()?)?)));
                found.extend(functions);
            }
            _ => {}
        }
    }
    found
}

fn needs_step(stmt: &Stmt, names: StepNames, own: &OwnFunctions<'_>) -> bool {
    let mut finder = Finder { names, own, found: false };
    stmt.visit_with(&mut finder);
    finder.found
}

struct Finder<'a> {
    names: StepNames,
    own: &'a OwnFunctions<'a>,
    found: bool,
}

impl Finder<'_> {
    fn is_global(&self, expr: &Expr, wanted: &[&str]) -> bool {
        expr.as_ident().is_some_and(|ident| ident.ctxt == self.names.unresolved && wanted.contains(&&*ident.sym))
    }

    /// Functions of the language that only touch what they are given, the runtime's own, and the module's own that call
    /// no others.
    fn is_harmless(&self, callee: &Expr) -> bool {
        match callee {
            Expr::Ident(ident) if ident.ctxt == self.names.runtime => true,
            Expr::Ident(ident) => {
                self.is_own_harmless(&ident.to_id())
                    || self.is_global(callee, &["Symbol", "String", "Number", "Boolean", "parseInt", "BigInt"])
            }
            Expr::Member(member) => {
                self.is_global(&member.obj, &["Object", "Symbol", "Array", "Number", "String"])
                    || (self.is_global(&member.obj, &["Math"]) && !member.prop.is_ident_with("random"))
                    || member.prop.as_ident().is_some_and(|name| HARMLESS_METHODS.contains(&&*name.sym))
            }
            _ => code_of(callee).is_some_and(|code| self.runs_harmlessly(code)),
        }
    }

    /// One that calls itself is harmless if the rest of it is.
    fn is_own_harmless(&self, id: &Id) -> bool {
        let Some(code) = self.own.functions.get(id) else { return false };
        if let Some(known) = self.own.harmless.borrow().get(id) {
            return *known;
        }
        self.own.harmless.borrow_mut().insert(id.clone(), true);
        let is_harmless = self.runs_harmlessly(*code);
        self.own.harmless.borrow_mut().insert(id.clone(), is_harmless);
        is_harmless
    }

    /// What runs when an instance is made.
    fn instance(&mut self, class: &Class) {
        self.found |= match class.super_class.as_deref() {
            None => false,
            Some(Expr::Ident(parent)) => {
                !self.is_own_harmless(&parent.to_id()) && !self.is_global(&Expr::Ident(parent.clone()), &["Error"])
            }
            Some(_) => true,
        };
        for member in &class.body {
            match member {
                ClassMember::Constructor(constructor) => {
                    constructor.params.visit_with(self);
                    constructor.body.visit_with(self);
                }
                ClassMember::ClassProp(prop) if !prop.is_static => prop.value.visit_with(self),
                ClassMember::PrivateProp(prop) if !prop.is_static => prop.value.visit_with(self),
                _ => {}
            }
        }
    }

    fn runs_harmlessly(&self, code: Code<'_>) -> bool {
        let mut finder = Finder { names: self.names, own: self.own, found: false };
        match code {
            Code::Class(class) => finder.instance(class),
            Code::Function(function) => {
                function.params.visit_with(&mut finder);
                function.body.visit_with(&mut finder);
            }
            Code::Arrow(arrow) => {
                arrow.params.visit_with(&mut finder);
                arrow.body.visit_with(&mut finder);
            }
        }
        !finder.found
    }
}

impl Visit for Finder<'_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        self.found |= !call.callee.is_super_() && !call.callee.as_expr().is_some_and(|callee| self.is_harmless(callee));
        call.args.visit_with(self);
    }

    fn visit_new_expr(&mut self, new: &NewExpr) {
        let is_harmless = match &*new.callee {
            Expr::Ident(ident) => {
                self.is_own_harmless(&ident.to_id()) || self.is_global(&new.callee, &HARMLESS_CONSTRUCTORS)
            }
            callee => code_of(callee).is_some_and(|code| self.runs_harmlessly(code)),
        };
        self.found |= !is_harmless;
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
