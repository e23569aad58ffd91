//! Gives functions and classes that lost it on the way back the `name` that the program can see.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::{BytePos, DUMMY_SP, Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::ast::{call, declare, expr_stmt, ident_expr, string};

/// The runtime's function that sets a name.
pub(crate) const SETTER: &str = "$named";

/// What functions and classes are called before anything is renamed or moved, by where they begin.
#[derive(Debug, Default)]
pub(crate) struct SeenNames(HashMap<BytePos, Atom>);

impl SeenNames {
    fn of(&self, span: Span) -> Option<&Atom> {
        self.0.get(&span.lo).filter(|_| !span.is_dummy())
    }
}

/// Collects the names of all functions and classes in `program`, but not of those whose names are in `unseen`.
pub(crate) fn collect_names(program: &Program, unseen: SyntaxContext) -> SeenNames {
    let mut collector = Collector { unseen, names: SeenNames::default() };
    program.visit_with(&mut collector);
    collector.names
}

/// The bindings that name a function or class as it was called from the beginning.
pub(crate) fn find_naming_bindings(program: &Program, names: &SeenNames) -> HashSet<Id> {
    let mut finder = NamingFinder { names, found: HashSet::new() };
    program.visit_with(&mut finder);
    finder.found
}

/// Compares with the names that functions and classes have now, and mends what differs by calling `setter`.
/// Returns whether anything had to be.
pub(crate) fn restore_names(program: &mut Program, names: &SeenNames, setter: &Id) -> bool {
    let mut restorer = Restorer { names, setter, inferred: None, used: false };
    program.visit_mut_with(&mut restorer);
    restorer.used
}

/// A function or class that takes its name from where it stands.
fn anonymous(expr: &Expr) -> Option<Span> {
    match expr {
        Expr::Arrow(arrow) => Some(arrow.span),
        Expr::Fn(function) if function.ident.is_none() => Some(function.function.span),
        Expr::Class(class) if class.ident.is_none() && !has_static_name(&class.class) => Some(class.class.span),
        _ => None,
    }
}

fn has_static_name(class: &Class) -> bool {
    let is_name = |key: &PropName| key.as_ident().is_some_and(|key| key.sym == "name");
    class.body.iter().any(|member| match member {
        ClassMember::Method(method) => method.is_static && is_name(&method.key),
        ClassMember::ClassProp(prop) => prop.is_static && is_name(&prop.key),
        _ => false,
    })
}

/// What `export default` left unnamed has a made-up name.
fn seen_name(ident: &Ident) -> Atom {
    if ident.span.is_dummy() && ident.sym.ends_with("_default") { "default".into() } else { ident.sym.clone() }
}

/// The operators by which a variable names the function that is assigned to it.
fn names_its_value(op: AssignOp) -> bool {
    matches!(op, op!("=") | op!("&&=") | op!("||=") | op!("??="))
}

/// Names by property are not changed by renaming, but code may be moved out of an object.
fn static_key(key: &PropName) -> Option<Atom> {
    match key {
        PropName::Ident(name) if name.sym != "__proto__" => Some(name.sym.clone()),
        PropName::Str(text) if text.value != "__proto__" => Some(crate::ast::text_of(text)),
        _ => None,
    }
}

struct Collector {
    unseen: SyntaxContext,
    names: SeenNames,
}

impl Collector {
    fn add(&mut self, span: Span, name: Atom) {
        if !span.is_dummy() {
            self.names.0.insert(span.lo, name);
        }
    }

    fn declaration(&mut self, span: Span, ident: &Ident) {
        if ident.ctxt != self.unseen {
            self.add(span, seen_name(ident));
        }
    }

    fn value(&mut self, ident: &Ident, value: &Expr) {
        if let Some(span) = anonymous(value) {
            self.declaration(span, ident);
        }
    }
}

impl Visit for Collector {
    fn visit_fn_decl(&mut self, decl: &FnDecl) {
        self.declaration(decl.function.span, &decl.ident);
        decl.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, decl: &ClassDecl) {
        if !has_static_name(&decl.class) {
            self.declaration(decl.class.span, &decl.ident);
        }
        decl.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, expr: &FnExpr) {
        expr.ident.iter().for_each(|ident| self.declaration(expr.function.span, ident));
        expr.visit_children_with(self);
    }

    fn visit_class_expr(&mut self, expr: &ClassExpr) {
        if !has_static_name(&expr.class) {
            expr.ident.iter().for_each(|ident| self.declaration(expr.class.span, ident));
        }
        expr.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, decl: &VarDeclarator) {
        if let (Some(name), Some(value)) = (decl.name.as_ident(), &decl.init) {
            self.value(name, value);
        }
        decl.visit_children_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        if let Some(name) = assign.left.as_ident().filter(|_| names_its_value(assign.op)) {
            self.value(name, &assign.right);
        }
        assign.visit_children_with(self);
    }

    fn visit_assign_pat(&mut self, pat: &AssignPat) {
        if let Some(name) = pat.left.as_ident() {
            self.value(name, &pat.right);
        }
        pat.visit_children_with(self);
    }

    fn visit_assign_pat_prop(&mut self, prop: &AssignPatProp) {
        if let Some(value) = &prop.value {
            self.value(&prop.key, value);
        }
        prop.visit_children_with(self);
    }

    fn visit_key_value_prop(&mut self, prop: &KeyValueProp) {
        if let (Some(span), Some(name)) = (anonymous(&prop.value), static_key(&prop.key)) {
            self.add(span, name);
        }
        prop.visit_children_with(self);
    }
}

struct NamingFinder<'a> {
    names: &'a SeenNames,
    found: HashSet<Id>,
}

impl NamingFinder<'_> {
    fn check(&mut self, span: Span, ident: &Ident) {
        if self.names.of(span).is_some_and(|name| *name == ident.sym) {
            self.found.insert(ident.to_id());
        }
    }

    fn value(&mut self, ident: &Ident, value: &Expr) {
        if let Some(span) = anonymous(value) {
            self.check(span, ident);
        }
    }
}

impl Visit for NamingFinder<'_> {
    fn visit_fn_decl(&mut self, decl: &FnDecl) {
        self.check(decl.function.span, &decl.ident);
        decl.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, decl: &ClassDecl) {
        self.check(decl.class.span, &decl.ident);
        decl.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, expr: &FnExpr) {
        expr.ident.iter().for_each(|ident| self.check(expr.function.span, ident));
        expr.visit_children_with(self);
    }

    fn visit_class_expr(&mut self, expr: &ClassExpr) {
        expr.ident.iter().for_each(|ident| self.check(expr.class.span, ident));
        expr.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, decl: &VarDeclarator) {
        if let (Some(name), Some(value)) = (decl.name.as_ident(), &decl.init) {
            self.value(name, value);
        }
        decl.visit_children_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        if let Some(name) = assign.left.as_ident() {
            self.value(name, &assign.right);
        }
        assign.visit_children_with(self);
    }

    fn visit_assign_pat(&mut self, pat: &AssignPat) {
        if let Some(name) = pat.left.as_ident() {
            self.value(name, &pat.right);
        }
        pat.visit_children_with(self);
    }
}

struct Restorer<'a> {
    names: &'a SeenNames,
    setter: &'a Id,
    /// What the expression that is visited next is called if it is an anonymous function.
    inferred: Option<Atom>,
    used: bool,
}

impl Restorer<'_> {
    fn lost_name(&self, span: Span, now: Option<&Atom>) -> Option<Atom> {
        self.names.of(span).filter(|name| Some(*name) != now).cloned()
    }

    fn named(&mut self, value: Box<Expr>, name: &str) -> Box<Expr> {
        self.used = true;
        call(ident_expr(self.setter), vec![value, string(name)], DUMMY_SP)
    }

    /// Functions are named before anything else in their block runs; classes where they are declared.
    fn restore_in(&mut self, stmts: &mut Vec<Stmt>) {
        let mut names = Vec::new();
        for stmt in stmts.iter_mut() {
            match stmt {
                Stmt::Decl(Decl::Fn(decl)) => {
                    if let Some(name) = self.lost_name(decl.function.span, Some(&decl.ident.sym)) {
                        let function = Box::new(Expr::Ident(decl.ident.clone()));
                        names.push(expr_stmt(self.named(function, &name)));
                    }
                }
                Stmt::Decl(Decl::Class(decl)) => {
                    if let Some(name) = self.lost_name(decl.class.span, Some(&decl.ident.sym)) {
                        let class = ClassExpr { ident: None, class: decl.class.clone() };
                        let named = self.named(Box::new(Expr::Class(class)), &name);
                        *stmt = declare(VarDeclKind::Let, vec![(decl.ident.to_id(), Some(named))]);
                    }
                }
                _ => {}
            }
        }
        if !names.is_empty() {
            let directives = stmts.iter().take_while(|stmt| crate::emit_commonjs::is_directive(stmt)).count();
            stmts.splice(directives..directives, names);
        }
    }
}

impl VisitMut for Restorer<'_> {
    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        stmts.visit_mut_children_with(self);
        self.restore_in(stmts);
    }

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        let inferred = self.inferred.take();
        expr.visit_mut_children_with(self);
        let lost = match expr {
            Expr::Fn(FnExpr { ident: Some(ident), function }) => self.lost_name(function.span, Some(&ident.sym)),
            Expr::Class(ClassExpr { ident: Some(ident), class }) => self.lost_name(class.span, Some(&ident.sym)),
            _ => anonymous(expr).and_then(|span| self.lost_name(span, inferred.as_ref())),
        };
        if let Some(name) = lost {
            let value = std::mem::replace(expr, Expr::Invalid(Invalid { span: DUMMY_SP }));
            *expr = *self.named(Box::new(value), &name);
        }
    }

    fn visit_mut_var_declarator(&mut self, decl: &mut VarDeclarator) {
        decl.name.visit_mut_with(self);
        self.inferred = decl.name.as_ident().map(|name| name.sym.clone());
        decl.init.visit_mut_with(self);
        self.inferred = None;
    }

    fn visit_mut_assign_expr(&mut self, assign: &mut AssignExpr) {
        assign.left.visit_mut_with(self);
        self.inferred = assign.left.as_ident().filter(|_| names_its_value(assign.op)).map(|name| name.sym.clone());
        assign.right.visit_mut_with(self);
    }

    fn visit_mut_assign_pat(&mut self, pat: &mut AssignPat) {
        pat.left.visit_mut_with(self);
        self.inferred = pat.left.as_ident().map(|name| name.sym.clone());
        pat.right.visit_mut_with(self);
    }

    fn visit_mut_assign_pat_prop(&mut self, prop: &mut AssignPatProp) {
        self.inferred = Some(prop.key.sym.clone());
        prop.value.visit_mut_with(self);
        self.inferred = None;
    }

    fn visit_mut_key_value_prop(&mut self, prop: &mut KeyValueProp) {
        prop.key.visit_mut_with(self);
        self.inferred = static_key(&prop.key);
        prop.value.visit_mut_with(self);
    }
}
