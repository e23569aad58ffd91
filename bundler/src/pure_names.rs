//! Finds the names of a module whose use does nothing that could be noticed.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

/// What is known about what a module declares.
#[derive(Debug, Default)]
pub(crate) struct PureNames {
    /// Functions and classes that are never assigned again, and whose setters are known.
    pub(crate) plain: HashMap<Id, Setters>,
    /// Those among them that have no getters.
    pub(crate) without_getters: HashSet<Id>,
    /// Constants that are no objects.
    pub(crate) constants: HashSet<Id>,
    /// Those among them that are texts.
    pub(crate) texts: HashSet<Id>,
    /// Functions that are said to have no effects.
    pub(crate) functions: HashSet<Id>,
    /// Classes whose constructors only fill their objects, if they are given no more arguments than this.
    pub(crate) constructors: HashMap<Id, usize>,
    reassigned: HashSet<Id>,
}

/// The names of the setters of a class, its parents' among them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Setters {
    pub(crate) of_class: HashSet<Atom>,
    pub(crate) of_instances: HashSet<Atom>,
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

fn find_plain_objects(statements: &[Stmt], reassigned: &HashSet<Id>) -> HashMap<Id, Setters> {
    let mut found: HashMap<Id, Setters> = HashMap::new();
    for stmt in statements {
        match stmt {
            Stmt::Decl(Decl::Fn(function)) => drop(found.insert(function.ident.to_id(), Setters::default())),
            Stmt::Decl(Decl::Class(decl)) => {
                // A parent class that is not known may have setters.
                let inherited = match decl.class.super_class.as_deref() {
                    None => Some(Setters::default()),
                    Some(parent) => parent.as_ident().and_then(|parent| found.get(&parent.to_id()).cloned()),
                };
                if let Some(setters) = inherited.and_then(|inherited| with_setters(inherited, &decl.class)) {
                    found.insert(decl.ident.to_id(), setters);
                }
            }
            _ => {}
        }
    }
    found.retain(|id, _| !reassigned.contains(id));
    found
}

/// `None` if one has a name that is not known.
fn with_setters(mut setters: Setters, class: &Class) -> Option<Setters> {
    for member in &class.body {
        match member {
            ClassMember::Method(method) if method.kind == MethodKind::Setter => {
                let names = if method.is_static { &mut setters.of_class } else { &mut setters.of_instances };
                names.insert(method.key.as_ident()?.sym.clone());
            }
            ClassMember::AutoAccessor(_) => return None,
            _ => {}
        }
    }
    Some(setters)
}

/// What is assigned after it has been declared.
pub(crate) fn find_reassigned(statements: &[Stmt]) -> HashSet<Id> {
    let mut reassigned = Reassigned(HashSet::new());
    statements.visit_with(&mut reassigned);
    reassigned.0
}

/// Functions and classes whose properties are surely no getters.
fn find_without_getters(statements: &[Stmt], plain: &HashMap<Id, Setters>) -> HashSet<Id> {
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
    found.retain(|id| plain.contains_key(id));
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
