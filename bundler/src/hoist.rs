//! Takes what a module declares out of the function that runs it, so that other modules see it by its name.

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Span};
use swc_core::ecma::ast::*;
use swc_core::ecma::utils::find_pat_ids;
use swc_core::ecma::visit::{VisitMut, VisitMutWith};

use crate::ast::{declare, expr_stmt, fresh_ident};

/// A module's statements: what is there from the beginning, and what runs.
pub(crate) struct Hoisted {
    pub(crate) declarations: Vec<Stmt>,
    pub(crate) body: Vec<Stmt>,
}

/// Functions keep their places in front of everything; other declarations become assignments.
pub(crate) fn hoist_declarations(stmts: Vec<Stmt>) -> Hoisted {
    let mut hoister = Hoister { names: Vec::new() };
    let mut declarations = Vec::new();
    let mut body = Vec::new();
    for mut stmt in stmts {
        match stmt {
            Stmt::Decl(Decl::Fn(_)) => declarations.push(stmt),
            Stmt::Decl(Decl::Class(class)) => body.push(hoister.class(class)),
            Stmt::Decl(Decl::Var(var)) => body.extend(hoister.assignments(*var).map(expr_stmt)),
            _ => {
                stmt.visit_mut_with(&mut hoister);
                body.push(stmt);
            }
        }
    }
    if !hoister.names.is_empty() {
        let names = hoister.names.into_iter().map(|id| (id, None)).collect();
        declarations.push(declare(VarDeclKind::Var, names));
    }
    Hoisted { declarations, body }
}

struct Hoister {
    names: Vec<Id>,
}

impl Hoister {
    fn declare(&mut self, ids: Vec<Id>) {
        for id in ids {
            if !self.names.contains(&id) {
                self.names.push(id);
            }
        }
    }

    /// `Name = class Name { … }`: inside, the class has a name of its own.
    fn class(&mut self, decl: ClassDecl) -> Stmt {
        let ClassDecl { ident, mut class, .. } = decl;
        self.declare(vec![ident.to_id()]);
        let mut own = fresh_ident(&ident.sym);
        own.span = ident.span;
        class.visit_mut_with(&mut Renamer { from: ident.to_id(), to: own.to_id() });
        let value = Expr::Class(ClassExpr { ident: Some(own), class });
        expr_stmt(assign(ident.span, Pat::Ident(ident.into()), Box::new(value)))
    }

    fn assignments(&mut self, var: VarDecl) -> impl Iterator<Item = Box<Expr>> {
        self.declare(find_pat_ids(&var.decls));
        var.decls.into_iter().filter_map(|decl| Some(assign(decl.span, decl.name, decl.init?)))
    }
}

fn assign(span: Span, target: Pat, right: Box<Expr>) -> Box<Expr> {
    let left = AssignTarget::try_from(target)
        .unwrap_or_else(|_| SimpleAssignTarget::Ident(fresh_ident("unused").into()).into());
    Box::new(Expr::Assign(AssignExpr { span, op: op!("="), left, right }))
}

impl VisitMut for Hoister {
    /// Only `var` reaches beyond its block.
    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        if let Stmt::Decl(Decl::Var(var)) = stmt
            && var.kind == VarDeclKind::Var
        {
            let var = std::mem::take(&mut **var);
            let exprs: Vec<Box<Expr>> = self.assignments(var).collect();
            *stmt = if exprs.is_empty() { Stmt::Empty(EmptyStmt { span: DUMMY_SP }) } else { sequence(exprs) };
            return;
        }
        stmt.visit_mut_children_with(self);
    }

    fn visit_mut_for_stmt(&mut self, stmt: &mut ForStmt) {
        if let Some(VarDeclOrExpr::VarDecl(var)) = &mut stmt.init
            && var.kind == VarDeclKind::Var
        {
            let exprs: Vec<Box<Expr>> = self.assignments(std::mem::take(&mut **var)).collect();
            stmt.init = (!exprs.is_empty())
                .then(|| VarDeclOrExpr::Expr(Box::new(Expr::Seq(SeqExpr { span: DUMMY_SP, exprs }))));
        }
        stmt.body.visit_mut_with(self);
    }

    fn visit_mut_for_head(&mut self, head: &mut ForHead) {
        if let ForHead::VarDecl(var) = head
            && var.kind == VarDeclKind::Var
        {
            self.declare(find_pat_ids(&var.decls));
            if let Some(decl) = var.decls.pop() {
                *head = ForHead::Pat(Box::new(decl.name));
            }
        }
    }

    fn visit_mut_expr(&mut self, _: &mut Expr) {}

    fn visit_mut_function(&mut self, _: &mut Function) {}

    fn visit_mut_class(&mut self, _: &mut Class) {}
}

#[expect(clippy::vec_box, reason = "it is what SWC's sequences hold")]
fn sequence(exprs: Vec<Box<Expr>>) -> Stmt {
    expr_stmt(Box::new(Expr::Seq(SeqExpr { span: DUMMY_SP, exprs })))
}

struct Renamer {
    from: Id,
    to: Id,
}

impl VisitMut for Renamer {
    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if ident.sym == self.from.0 && ident.ctxt == self.from.1 {
            ident.ctxt = self.to.1;
        }
    }

    fn visit_mut_prop(&mut self, prop: &mut Prop) {
        if let Prop::Shorthand(ident) = prop {
            let key = PropName::Ident(IdentName::new(Atom::clone(&ident.sym), ident.span));
            *prop = Prop::KeyValue(KeyValueProp { key, value: Box::new(Expr::Ident(ident.clone())) });
        }
        prop.visit_mut_children_with(self);
    }
}
