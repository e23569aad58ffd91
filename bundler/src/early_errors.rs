//! Finds what makes Node refuse an ES module before it runs, and a parser does not see: names declared or exported twice.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::Span;
use swc_core::ecma::ast::*;
use swc_core::ecma::utils::find_pat_ids;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::parse::SyntaxError;

/// The early errors of a module as it was parsed, in the order of the source.
pub(crate) fn early_errors(module: &Module) -> Vec<SyntaxError> {
    let mut names = Names::default();
    for item in &module.body {
        names.item(item);
    }
    let undeclared = names.exported_locals.iter().filter(|(name, _)| !names.declared.contains_key(name));
    let undeclared = undeclared.map(|(name, span)| error(*span, format!("`{name}` is exported, but not declared")));
    names.errors.extend(undeclared);
    names.errors.sort_by_key(|error| error.span.lo);
    names.errors
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Declared {
    /// `var` may say the same name again.
    Var,
    Lexical,
}

#[derive(Default)]
struct Names {
    declared: HashMap<Atom, Declared>,
    exported: HashSet<Atom>,
    exported_locals: Vec<(Atom, Span)>,
    errors: Vec<SyntaxError>,
}

impl Names {
    fn item(&mut self, item: &ModuleItem) {
        match item {
            ModuleItem::Stmt(stmt) => self.stmt(stmt),
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => {
                let locals = import.specifiers.iter().map(|specifier| match specifier {
                    ImportSpecifier::Named(named) => &named.local,
                    ImportSpecifier::Default(default) => &default.local,
                    ImportSpecifier::Namespace(namespace) => &namespace.local,
                });
                locals.for_each(|local| self.declare(local, Declared::Lexical));
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                self.decl(&export.decl);
                for name in names_of(&export.decl) {
                    self.export(&name.sym, name.span);
                }
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => self.named(export),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                let name = match &export.decl {
                    DefaultDecl::Class(class) => class.ident.as_ref(),
                    DefaultDecl::Fn(function) => function.ident.as_ref(),
                    DefaultDecl::TsInterfaceDecl(_) => None,
                };
                name.into_iter().for_each(|name| self.declare(name, Declared::Lexical));
                self.export(&"default".into(), export.span);
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
                self.export(&"default".into(), export.span);
            }
            ModuleItem::ModuleDecl(_) => {}
        }
    }

    fn named(&mut self, export: &NamedExport) {
        for specifier in &export.specifiers {
            match specifier {
                ExportSpecifier::Named(named) => {
                    let exported = named.exported.as_ref().unwrap_or(&named.orig);
                    self.export(&exported.atom(), named.span);
                    if export.src.is_none() {
                        self.exported_locals.push((named.orig.atom().into_owned(), named.span));
                    }
                }
                ExportSpecifier::Namespace(namespace) => self.export(&namespace.name.atom(), namespace.span),
                ExportSpecifier::Default(_) => {}
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Decl(decl) => self.decl(decl),
            stmt => {
                let mut vars = InnerVars(Vec::new());
                stmt.visit_with(&mut vars);
                vars.0.iter().for_each(|name| self.declare(name, Declared::Var));
            }
        }
    }

    fn decl(&mut self, decl: &Decl) {
        let kind = match decl {
            Decl::Var(var) if var.kind == VarDeclKind::Var => Declared::Var,
            _ => Declared::Lexical,
        };
        names_of(decl).iter().for_each(|name| self.declare(name, kind));
    }

    fn declare(&mut self, name: &Ident, kind: Declared) {
        let before = self.declared.insert(name.sym.clone(), kind);
        if before.is_some_and(|before| before == Declared::Lexical || kind == Declared::Lexical) {
            self.errors.push(error(name.span, format!("`{}` is declared twice", name.sym)));
        }
    }

    fn export(&mut self, name: &Atom, span: Span) {
        if !self.exported.insert(name.clone()) {
            self.errors.push(error(span, format!("`{name}` is exported twice")));
        }
    }
}

fn error(span: Span, message: String) -> SyntaxError {
    SyntaxError { span, message }
}

fn names_of(decl: &Decl) -> Vec<Ident> {
    match decl {
        Decl::Class(class) => vec![class.ident.clone()],
        Decl::Fn(function) => vec![function.ident.clone()],
        Decl::Var(var) => find_pat_ids(&var.decls),
        Decl::Using(using) => find_pat_ids(&using.decls),
        _ => Vec::new(),
    }
}

/// `var`s inside of blocks, which belong to the module.
struct InnerVars(Vec<Ident>);

impl Visit for InnerVars {
    fn visit_var_decl(&mut self, var: &VarDecl) {
        if var.kind == VarDeclKind::Var {
            self.0.extend(find_pat_ids::<_, Ident>(&var.decls));
        }
    }

    fn visit_function(&mut self, _: &Function) {}

    fn visit_class(&mut self, _: &Class) {}

    fn visit_expr(&mut self, _: &Expr) {}
}
