//! Gives functions and classes that had to be renamed back the `name` that the program can see.

use std::collections::HashMap;

use swc_core::atoms::Atom;
use swc_core::common::{BytePos, DUMMY_SP};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::ast::{call, declare, expr_stmt, string};

/// The runtime's function that sets a name.
pub(crate) const SETTER: &str = "$named";

/// The names of all functions and classes before anything is renamed, by where they are written.
pub(crate) fn collect_names(program: &Program) -> HashMap<BytePos, Atom> {
    let mut collector = Collector(HashMap::new());
    program.visit_with(&mut collector);
    collector.0
}

/// Compares with the names after renaming, and mends what differs.
pub(crate) fn restore_names(program: &mut Program, names: &HashMap<BytePos, Atom>) {
    let mut finder = SetterFinder { names, found: None };
    program.visit_with(&mut finder);
    let Some(setter) = finder.found else { return };
    let mut restorer = Restorer { names, setter: setter.clone(), used: false };
    program.visit_mut_with(&mut restorer);
    if !restorer.used {
        program.visit_mut_with(&mut Remover(setter));
    }
}

struct Collector(HashMap<BytePos, Atom>);

impl Collector {
    fn add(&mut self, ident: &Ident) {
        if !ident.span.is_dummy() {
            self.0.insert(ident.span.lo, ident.sym.clone());
        }
    }
}

impl Visit for Collector {
    fn visit_fn_decl(&mut self, decl: &FnDecl) {
        self.add(&decl.ident);
        decl.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, decl: &ClassDecl) {
        self.add(&decl.ident);
        decl.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, expr: &FnExpr) {
        expr.ident.iter().for_each(|ident| self.add(ident));
        expr.visit_children_with(self);
    }

    fn visit_class_expr(&mut self, expr: &ClassExpr) {
        expr.ident.iter().for_each(|ident| self.add(ident));
        expr.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, decl: &VarDeclarator) {
        if let (Some(name), Some(init)) = (decl.name.as_ident(), &decl.init)
            && is_anonymous(init)
        {
            self.add(name);
        }
        decl.visit_children_with(self);
    }
}

/// A function or class that takes the name of the variable it is assigned to.
fn is_anonymous(expr: &Expr) -> bool {
    match expr {
        Expr::Arrow(_) => true,
        Expr::Fn(function) => function.ident.is_none(),
        Expr::Class(class) => class.ident.is_none() && !has_static_name(&class.class),
        _ => false,
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

struct SetterFinder<'a> {
    names: &'a HashMap<BytePos, Atom>,
    found: Option<Atom>,
}

impl Visit for SetterFinder<'_> {
    fn visit_fn_decl(&mut self, decl: &FnDecl) {
        if self.names.get(&decl.ident.span.lo).is_some_and(|name| name == SETTER) && self.found.is_none() {
            self.found = Some(decl.ident.sym.clone());
        }
    }
}

struct Restorer<'a> {
    names: &'a HashMap<BytePos, Atom>,
    setter: Atom,
    used: bool,
}

impl Restorer<'_> {
    /// The name that `ident` must be seen under, if it is another one now.
    fn lost_name(&self, ident: &Ident) -> Option<Atom> {
        if ident.span.is_dummy() {
            // What `export default` left unnamed.
            return ident.sym.contains("_default").then(|| "default".into());
        }
        self.names.get(&ident.span.lo).filter(|name| **name != ident.sym).cloned()
    }

    fn named(&mut self, value: Box<Expr>, name: &str) -> Box<Expr> {
        self.used = true;
        let setter = Box::new(Expr::Ident(Ident::new_no_ctxt(self.setter.clone(), DUMMY_SP)));
        call(setter, vec![value, string(name)], DUMMY_SP)
    }

    /// Functions are named before anything else in their block runs; classes where they are declared.
    fn restore_in(&mut self, stmts: &mut Vec<Stmt>) {
        let mut names = Vec::new();
        for stmt in stmts.iter_mut() {
            match stmt {
                Stmt::Decl(Decl::Fn(decl)) => {
                    if let Some(name) = self.lost_name(&decl.ident) {
                        let function = Box::new(Expr::Ident(decl.ident.clone()));
                        names.push(expr_stmt(self.named(function, &name)));
                    }
                }
                Stmt::Decl(Decl::Class(decl)) if !has_static_name(&decl.class) => {
                    if let Some(name) = self.lost_name(&decl.ident) {
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

    fn visit_mut_var_declarator(&mut self, decl: &mut VarDeclarator) {
        decl.visit_mut_children_with(self);
        let Some(name) = decl.name.as_ident().and_then(|name| self.lost_name(name)) else { return };
        if let Some(init) = decl.init.take_if(|init| is_anonymous(init)) {
            decl.init = Some(self.named(init, &name));
        }
    }

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        expr.visit_mut_children_with(self);
        let lost = match expr {
            Expr::Fn(function) => function.ident.as_ref().and_then(|ident| self.lost_name(ident)),
            Expr::Class(class) if !has_static_name(&class.class) => {
                class.ident.as_ref().and_then(|ident| self.lost_name(ident))
            }
            _ => None,
        };
        if let Some(name) = lost {
            let value = std::mem::replace(expr, Expr::Invalid(Invalid { span: DUMMY_SP }));
            *expr = *self.named(Box::new(value), &name);
        }
    }
}

/// Removes the setter, a statement of the outermost function, where nothing was renamed.
struct Remover(Atom);

impl VisitMut for Remover {
    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        let before = stmts.len();
        stmts.retain(|stmt| !matches!(stmt, Stmt::Decl(Decl::Fn(decl)) if decl.ident.sym == self.0));
        if stmts.len() == before && before == 1 {
            stmts.visit_mut_children_with(self);
        }
    }
}
