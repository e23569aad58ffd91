//! Moves `var e` out of `catch (e) { … }`, where it declares one name and assigns to another.
//!
//! swc resolves both to the function's variable; written apart, `var e;` in the function and `e = …` in the clause, they
//! are what the language says.

use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith};

use crate::ast::expr_stmt;

/// To be run before names are resolved.
pub(crate) fn move_catch_vars(program: &mut Program) {
    let mut mover = Mover { moved: Vec::new() };
    program.visit_mut_with(&mut mover);
}

struct Mover {
    /// What has to be declared in the function around.
    moved: Vec<Ident>,
}

impl Mover {
    fn within(&mut self, visit: impl FnOnce(&mut Self)) -> Option<Stmt> {
        let outside = std::mem::take(&mut self.moved);
        visit(self);
        let moved = std::mem::replace(&mut self.moved, outside);
        let decls: Vec<VarDeclarator> = moved
            .into_iter()
            .map(|name| VarDeclarator { span: DUMMY_SP, name: Pat::Ident(name.into()), init: None, definite: false })
            .collect();
        let var = VarDecl { kind: VarDeclKind::Var, decls, ..VarDecl::default() };
        (!var.decls.is_empty()).then(|| Stmt::Decl(Decl::Var(Box::new(var))))
    }
}

impl VisitMut for Mover {
    fn visit_mut_module(&mut self, module: &mut Module) {
        let declared = self.within(|mover| module.visit_mut_children_with(mover));
        module.body.extend(declared.map(ModuleItem::Stmt));
    }

    fn visit_mut_script(&mut self, script: &mut Script) {
        let declared = self.within(|mover| script.visit_mut_children_with(mover));
        script.body.extend(declared);
    }

    fn visit_mut_function(&mut self, function: &mut Function) {
        let declared = self.within(|mover| function.visit_mut_children_with(mover));
        if let Some(body) = &mut function.body {
            body.stmts.extend(declared);
        }
    }

    fn visit_mut_constructor(&mut self, constructor: &mut Constructor) {
        let declared = self.within(|mover| constructor.visit_mut_children_with(mover));
        if let Some(body) = &mut constructor.body {
            body.stmts.extend(declared);
        }
    }

    fn visit_mut_arrow_expr(&mut self, arrow: &mut ArrowExpr) {
        let declared = self.within(|mover| arrow.visit_mut_children_with(mover));
        if let ArrowFunctionBody::FunctionBody(body) = &mut *arrow.body {
            body.stmts.extend(declared);
        }
    }

    fn visit_mut_static_block(&mut self, block: &mut StaticBlock) {
        let declared = self.within(|mover| block.visit_mut_children_with(mover));
        block.body.stmts.extend(declared);
    }

    fn visit_mut_catch_clause(&mut self, clause: &mut CatchClause) {
        clause.visit_mut_children_with(self);
        if let Some(name) = clause.param.as_ref().and_then(|param| param.as_ident()) {
            let mut assigner = Assigner { name: name.id.clone(), found: false };
            clause.body.visit_mut_with(&mut assigner);
            self.moved.extend(assigner.found.then(|| name.id.clone()));
        }
    }
}

/// `var e = value` → `e = value`, within the clause but outside of functions in it.
struct Assigner {
    name: Ident,
    found: bool,
}

impl Assigner {
    fn is_own(&self, decl: &VarDeclarator) -> bool {
        decl.name.as_ident().is_some_and(|name| name.sym == self.name.sym)
    }
}

impl VisitMut for Assigner {
    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        stmt.visit_mut_children_with(self);
        let Stmt::Decl(Decl::Var(var)) = stmt else { return };
        if var.kind != VarDeclKind::Var || !var.decls.iter().any(|decl| self.is_own(decl)) {
            return;
        }
        self.found = true;
        let mut stmts = Vec::new();
        for decl in std::mem::take(&mut var.decls) {
            if !self.is_own(&decl) {
                let single =
                    VarDecl { kind: VarDeclKind::Var, span: decl.span, decls: vec![decl], ..VarDecl::default() };
                stmts.push(Stmt::Decl(Decl::Var(Box::new(single))));
            } else if let (Pat::Ident(name), Some(right)) = (decl.name, decl.init) {
                let assign = AssignExpr { span: decl.span, op: op!("="), left: name.into(), right };
                stmts.push(expr_stmt(Box::new(Expr::Assign(assign))));
            }
        }
        *stmt = Stmt::Block(BlockStmt { span: DUMMY_SP, ctxt: SyntaxContext::empty(), stmts });
    }

    fn visit_mut_function(&mut self, _: &mut Function) {}

    fn visit_mut_arrow_expr(&mut self, _: &mut ArrowExpr) {}

    fn visit_mut_class(&mut self, _: &mut Class) {}
}
