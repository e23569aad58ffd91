//! Takes apart the declarations of variables that are mentioned before: the minifier would give them their values from
//! the beginning.

use std::collections::{HashMap, HashSet};

use swc_core::common::{BytePos, SourceMap};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::ast::{declare, expr_stmt};

/// `var name = value` → `var name; name = value`, where `name` stands somewhere above in the same file.
pub(crate) fn split_early_vars(program: &mut Program, sources: &SourceMap) {
    let mut census = Census::default();
    program.visit_with(&mut census);
    let Census { declared, first_mention } = census;
    let mut early: HashSet<Id> = HashSet::new();
    for (id, declared_at) in declared {
        let mentioned_at = first_mention.get(&id).copied().unwrap_or(declared_at);
        if mentioned_at < declared_at && is_same_file(sources, mentioned_at, declared_at) {
            early.insert(id);
        }
    }
    if !early.is_empty() {
        program.visit_mut_with(&mut Splitter { early });
    }
}

fn is_same_file(sources: &SourceMap, one: BytePos, other: BytePos) -> bool {
    let file = sources.lookup_source_file(one);
    (file.start_pos..=file.end_pos).contains(&other)
}

#[derive(Default)]
struct Census {
    /// Variables with a value, and where.
    declared: Vec<(Id, BytePos)>,
    first_mention: HashMap<Id, BytePos>,
}

impl Visit for Census {
    fn visit_var_decl(&mut self, var: &VarDecl) {
        if var.kind == VarDeclKind::Var {
            let simple = var.decls.iter().filter(|decl| decl.init.is_some()).filter_map(|decl| decl.name.as_ident());
            let placed = simple.filter(|name| !name.span.is_dummy()).map(|name| (name.to_id(), name.span.lo));
            self.declared.extend(placed);
        }
        var.visit_children_with(self);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        if !ident.span.is_dummy() {
            let first = self.first_mention.entry(ident.to_id()).or_insert(ident.span.lo);
            *first = ident.span.lo.min(*first);
        }
    }
}

struct Splitter {
    early: HashSet<Id>,
}

impl Splitter {
    fn is_early(&self, decl: &VarDeclarator) -> bool {
        decl.init.is_some() && decl.name.as_ident().is_some_and(|name| self.early.contains(&name.to_id()))
    }

    fn split(&self, var: VarDecl) -> Vec<Stmt> {
        let VarDecl { span, ctxt, kind, declare: is_declared, decls } = var;
        let mut stmts = Vec::new();
        for decl in decls {
            match (decl.name, decl.init) {
                (Pat::Ident(name), Some(value)) if self.early.contains(&name.to_id()) => {
                    stmts.push(declare(VarDeclKind::Var, vec![(name.to_id(), None)]));
                    let left = AssignTarget::Simple(SimpleAssignTarget::Ident(name));
                    let assign = AssignExpr { span: decl.span, op: op!("="), left, right: value };
                    stmts.push(expr_stmt(Box::new(Expr::Assign(assign))));
                }
                (name, init) => {
                    let decls = vec![VarDeclarator { span: decl.span, name, init, definite: false }];
                    let single = VarDecl { span, ctxt, kind, declare: is_declared, decls };
                    stmts.push(Stmt::Decl(Decl::Var(Box::new(single))));
                }
            }
        }
        stmts
    }
}

impl VisitMut for Splitter {
    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        stmts.visit_mut_children_with(self);
        let is_early = |stmt: &Stmt| match stmt {
            Stmt::Decl(Decl::Var(var)) => var.kind == VarDeclKind::Var && var.decls.iter().any(|it| self.is_early(it)),
            _ => false,
        };
        if !stmts.iter().any(is_early) {
            return;
        }
        for stmt in std::mem::take(stmts) {
            match stmt {
                Stmt::Decl(Decl::Var(var)) if var.kind == VarDeclKind::Var => stmts.extend(self.split(*var)),
                stmt => stmts.push(stmt),
            }
        }
    }
}
