//! Finds the variables that only ever hold `require`.

use std::collections::{BTreeSet, HashSet};

use swc_core::ecma::ast::*;
use swc_core::ecma::utils::find_pat_ids;
use swc_core::ecma::visit::{Visit, VisitWith};

/// `require` itself, and the variables of `function` that hold nothing else: `const load = require`.
pub(crate) fn with_aliases(require: &Id, function: &Function) -> Vec<Id> {
    let mut writes = Writes { require, holds: BTreeSet::new(), other: HashSet::new() };
    function.body.visit_with(&mut writes);
    let aliases = writes.holds.into_iter().filter(|name| !writes.other.contains(name));
    std::iter::once(require.clone()).chain(aliases).collect()
}

struct Writes<'a> {
    require: &'a Id,
    holds: BTreeSet<Id>,
    other: HashSet<Id>,
}

impl Writes<'_> {
    fn write(&mut self, name: &BindingIdent, value: &Expr) {
        if value.as_ident().is_some_and(|value| value.to_id() == *self.require) {
            self.holds.insert(name.to_id());
        } else {
            self.other.insert(name.to_id());
        }
    }
}

impl Visit for Writes<'_> {
    fn visit_var_declarator(&mut self, decl: &VarDeclarator) {
        match (&decl.name, &decl.init) {
            (Pat::Ident(name), Some(init)) => self.write(name, init),
            (Pat::Ident(_), None) => {}
            (pattern, _) => self.other.extend(find_pat_ids::<_, Id>(pattern)),
        }
        decl.init.visit_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        match &assign.left {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) if assign.op == op!("=") => {
                self.write(name, &assign.right);
            }
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => drop(self.other.insert(name.to_id())),
            left => self.other.extend(find_pat_ids::<_, Id>(left)),
        }
        assign.visit_children_with(self);
    }

    fn visit_for_head(&mut self, head: &ForHead) {
        self.other.extend(find_pat_ids::<_, Id>(head));
    }

    fn visit_param(&mut self, param: &Param) {
        self.other.extend(find_pat_ids::<_, Id>(param));
        param.visit_children_with(self);
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.other.extend(find_pat_ids::<_, Id>(&arrow.params));
        arrow.visit_children_with(self);
    }
}
