//! Finds the names of a module whose use does nothing that could be noticed.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

/// What is known about what a module declares.
#[derive(Debug, Default)]
pub(crate) struct PureNames {
    /// Functions and classes that are never assigned again, and have no setters.
    pub(crate) plain: HashSet<Id>,
    /// Those among them that have no getters.
    pub(crate) without_getters: HashSet<Id>,
    /// Constants that are no objects.
    pub(crate) constants: HashSet<Id>,
    /// Functions that are said to have no effects.
    pub(crate) functions: HashSet<Id>,
    /// Classes whose constructors only fill their objects, if they are given no more arguments than this.
    pub(crate) constructors: HashMap<Id, usize>,
    reassigned: HashSet<Id>,
}

impl PureNames {
    /// As far as declarations tell.
    pub(crate) fn of(statements: &[Stmt]) -> Self {
        let reassigned = find_reassigned(statements);
        let plain = find_plain_objects(statements, &reassigned);
        let without_getters = find_without_getters(statements, &plain);
        Self { plain, without_getters, reassigned, ..Self::default() }
    }

    pub(crate) fn is_fixed(&self, id: &Id) -> bool {
        !self.reassigned.contains(id)
    }
}

fn find_plain_objects(statements: &[Stmt], reassigned: &HashSet<Id>) -> HashSet<Id> {
    let mut found = HashSet::new();
    for stmt in statements {
        match stmt {
            Stmt::Decl(Decl::Fn(function)) => drop(found.insert(function.ident.to_id())),
            Stmt::Decl(Decl::Class(class)) => {
                // A parent class that is not known may have setters.
                let parent = class.class.super_class.as_ref();
                let parent_is_plain =
                    parent.is_none_or(|parent| parent.as_ident().is_some_and(|parent| found.contains(&parent.to_id())));
                if parent_is_plain && setters_of(&class.class).is_empty() {
                    found.insert(class.ident.to_id());
                }
            }
            _ => {}
        }
    }
    found.retain(|id| !reassigned.contains(id));
    found
}

/// What is assigned after it has been declared.
pub(crate) fn find_reassigned(statements: &[Stmt]) -> HashSet<Id> {
    let mut reassigned = Reassigned(HashSet::new());
    statements.visit_with(&mut reassigned);
    reassigned.0
}

/// Functions and classes whose properties are surely no getters.
fn find_without_getters(statements: &[Stmt], plain: &HashSet<Id>) -> HashSet<Id> {
    let is_getter = |member: &ClassMember| match member {
        ClassMember::Method(method) => method.kind == MethodKind::Getter,
        _ => false,
    };
    let mut found: HashSet<Id> = HashSet::new();
    for stmt in statements {
        match stmt {
            Stmt::Decl(Decl::Fn(function)) => drop(found.insert(function.ident.to_id())),
            Stmt::Decl(Decl::Class(class)) if !class.class.body.iter().any(is_getter) => {
                let parent = class.class.super_class.as_ref();
                if parent.is_none_or(|parent| parent.as_ident().is_some_and(|parent| found.contains(&parent.to_id()))) {
                    found.insert(class.ident.to_id());
                }
            }
            _ => {}
        }
    }
    found.retain(|id| plain.contains(id));
    found
}

/// The names of a class's setters.
pub(crate) fn setters_of(class: &Class) -> Vec<Atom> {
    let name = |key: &PropName| key.as_ident().map_or_else(|| Atom::from("computed"), |name| name.sym.clone());
    let setter = |member: &ClassMember| match member {
        ClassMember::Method(method) => (method.kind == MethodKind::Setter).then(|| name(&method.key)),
        ClassMember::AutoAccessor(_) => Some(Atom::from("accessor")),
        _ => None,
    };
    class.body.iter().filter_map(setter).collect()
}

struct Reassigned(HashSet<Id>);

impl Visit for Reassigned {
    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        match &assign.left {
            AssignTarget::Simple(SimpleAssignTarget::Ident(ident)) => drop(self.0.insert(ident.to_id())),
            AssignTarget::Pat(pat) => self.0.extend(swc_core::ecma::utils::find_pat_ids::<_, Id>(pat)),
            AssignTarget::Simple(_) => {}
        }
        assign.visit_children_with(self);
    }

    fn visit_update_expr(&mut self, update: &UpdateExpr) {
        self.0.extend(update.arg.as_ident().map(Ident::to_id));
        update.visit_children_with(self);
    }

    fn visit_for_head(&mut self, head: &ForHead) {
        if let ForHead::Pat(pat) = head {
            self.0.extend(swc_core::ecma::utils::find_pat_ids::<_, Id>(pat));
        }
        head.visit_children_with(self);
    }
}
