//! Finds what a program needs of its CommonJS modules: statements, and exports by their names.

use std::collections::{BTreeSet, HashMap};

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Span};
use swc_core::ecma::ast::*;

use crate::commonjs_parts::{CommonJsParts, LoadingEffects, Take};
use crate::graph::{Body, ModuleId, Target};
use crate::link::Linked;
use crate::requires::{DependencyKind, Requests};
use crate::scan::constant_member;
use crate::shake::{Shaker, Wanted, Work};

/// By module: whether loading it can be noticed.
pub(crate) struct Loading(Vec<bool>);

impl Loading {
    /// A module is noticed that does something, or that loads one that is noticed.
    pub(crate) fn of(linked: &Linked) -> Self {
        let modules = &linked.graph.modules;
        let mut loaded_by: HashMap<ModuleId, Vec<ModuleId>> = HashMap::new();
        let mut open = Vec::new();
        for (id, module) in modules.iter().enumerate().filter(|(_, module)| !module.may_drop_unused) {
            let Body::CommonJs(body) = &module.body else {
                open.push(id);
                continue;
            };
            let loads = body.parts.parts.iter().filter_map(|part| match &part.effects {
                LoadingEffects::OfLoaded(span) => Some(module.targets.get(span)),
                LoadingEffects::Some | LoadingEffects::Own | LoadingEffects::None => None,
            });
            let mut acts = body.parts.parts.iter().any(|part| part.effects == LoadingEffects::Some) && !body.is_json;
            for target in loads {
                match target {
                    Some(Target::Module(loaded)) => loaded_by.entry(*loaded).or_default().push(id),
                    Some(Target::Builtin(_)) => {}
                    Some(Target::File(..) | Target::Missing(_)) | None => acts = true,
                }
            }
            if acts {
                open.push(id);
            }
        }
        let mut noticed = vec![false; modules.len()];
        while let Some(id) = open.pop() {
            if !modules[id].may_drop_unused && !std::mem::replace(&mut noticed[id], true) {
                open.extend(loaded_by.get(&id).into_iter().flatten());
            }
        }
        Self(noticed)
    }

    pub(crate) fn has_effects(&self, linked: &Linked, id: ModuleId, effects: &LoadingEffects) -> bool {
        match effects {
            LoadingEffects::Some | LoadingEffects::Own => true,
            LoadingEffects::None => false,
            LoadingEffects::OfLoaded(span) => match linked.graph.modules[id].targets.get(span) {
                Some(Target::Module(loaded)) => self.0[*loaded],
                Some(Target::Builtin(_)) => false,
                Some(Target::File(..) | Target::Missing(_)) | None => true,
            },
        }
    }
}

impl Shaker<'_> {
    pub(crate) fn keep_commonjs_part(&mut self, id: ModuleId, cut: &CommonJsParts, index: usize) {
        let part = &cut.parts[index];
        self.follow(id, &part.requests);
        self.want_targets(id, &part.requests, |kind| kind != DependencyKind::Require);
        for name in &part.uses {
            let parts = cut.declared_by.get(name).into_iter().flatten();
            self.work.extend(parts.map(|part| Work::Part(id, *part)));
        }
        self.work.extend(part.reads.iter().map(|name| Work::Want(id, Some(name.clone()))));
        for take in &part.takes {
            if let Some(target) = self.target_of(id, take.require) {
                let name = self.name_behind(target, take);
                self.work.push(Work::Want(target, name));
            }
        }
        if let (Some(star), Wanted::All) = (part.star, &self.live.wanted[id])
            && let Some(target) = self.target_of(id, star)
        {
            self.work.push(Work::Want(target, None));
        }
    }

    fn target_of(&self, id: ModuleId, require: Span) -> Option<ModuleId> {
        match self.linked.graph.modules[id].targets.get(&require)? {
            Target::Module(target) => Some(*target),
            Target::Builtin(_) | Target::File(..) | Target::Missing(_) => None,
        }
    }

    /// What compilers import as the default is all of a module, unless that was an ES module once.
    fn name_behind(&self, target: ModuleId, take: &Take) -> Option<Atom> {
        let body = self.linked.graph.modules[target].commonjs();
        let was_esm = || body.is_some_and(|body| body.parts.exported_by.contains_key(&Atom::from("__esModule")));
        take.name.clone().filter(|name| !take.is_interop || (name == "default" && was_esm()))
    }

    /// Whatever is asked for in a way that does not tell what of it is read.
    pub(crate) fn want_targets(&mut self, id: ModuleId, requests: &Requests, asks: impl Fn(DependencyKind) -> bool) {
        let module = &self.linked.graph.modules[id];
        let known = requests.dependencies.iter().filter(|it| asks(it.kind));
        let known = known.filter_map(|it| module.targets.get(&it.span));
        let partly = requests.patterns.iter().filter_map(|pattern| module.matches.get(&pattern.span)).flatten();
        let targets = known.chain(partly).filter_map(|target| match target {
            Target::Module(target) => Some(*target),
            Target::Builtin(_) | Target::File(..) | Target::Missing(_) => None,
        });
        self.work.extend(targets.map(|target| Work::Want(target, None)));
    }

    pub(crate) fn want_all(&mut self, id: ModuleId) {
        let Some(body) = self.linked.graph.modules[id].commonjs() else { return };
        if std::mem::replace(&mut self.live.wanted[id], Wanted::All) == Wanted::All {
            return;
        }
        let exported = body.parts.exported_by.values().flatten().copied();
        let stars = body.parts.parts.iter().enumerate().filter(|(_, part)| part.star.is_some());
        let parts: BTreeSet<usize> = exported.chain(stars.clone().map(|(index, _)| index)).collect();
        self.work.extend(parts.into_iter().map(|part| Work::Part(id, part)));
        let targets: Vec<ModuleId> = stars.filter_map(|(_, part)| self.target_of(id, part.star?)).collect();
        self.work.extend(targets.into_iter().map(|target| Work::Want(target, None)));
    }

    /// What a module does not export itself may come from those that it exports all of.
    pub(crate) fn want(&mut self, id: ModuleId, name: Atom) {
        let Some(body) = self.linked.graph.modules[id].commonjs() else { return };
        let Wanted::Names(names) = &mut self.live.wanted[id] else { return };
        if !names.insert(name.clone()) {
            return;
        }
        if let Some(parts) = body.parts.exported_by.get(&name) {
            self.work.extend(parts.iter().map(|part| Work::Part(id, *part)));
            return;
        }
        for (index, star) in body.parts.parts.iter().enumerate().filter_map(|(at, part)| Some((at, part.star?))) {
            self.work.push(Work::Part(id, index));
            if let Some(target) = self.target_of(id, star) {
                self.work.push(Work::Want(target, Some(name.clone())));
            }
        }
    }

    /// A name that is only known at run time finds the files of its own package, and those by which packages are
    /// entered.
    pub(crate) fn want_whatever_may_be_asked_for(&mut self, id: ModuleId) {
        let modules = &self.linked.graph.modules;
        let package = &modules[id].package;
        if !self.asks_for_any.insert(package.clone()) {
            return;
        }
        let own = (0..modules.len()).filter(|other| modules[*other].package == *package);
        let found = own.chain(entered(self.linked)).filter(|id| modules[*id].commonjs().is_some());
        let wanted: Vec<Work> = found.flat_map(|id| [Work::Evaluate(id), Work::Want(id, None)]).collect();
        self.work.extend(wanted);
    }
}

/// Modules that are asked for by the name of their package.
fn entered(linked: &Linked) -> BTreeSet<ModuleId> {
    let mut found = BTreeSet::new();
    let is_bare = |specifier: &str| !specifier.starts_with(['.', '/', '#']);
    for module in &linked.graph.modules {
        let imports = module.esm().into_iter().flat_map(|body| body.imports.iter().zip(&module.import_targets));
        let imports = imports.map(|(record, target)| (&record.specifier, Some(target)));
        let requests = module.requests().into_iter().flat_map(|requests| &requests.dependencies);
        let asked = requests.map(|it| (&it.specifier, module.targets.get(&it.span)));
        found.extend(imports.chain(asked).filter_map(|(specifier, target)| match target {
            Some(Target::Module(id)) if is_bare(specifier) => Some(*id),
            _ => None,
        }));
    }
    found
}

/// Leaves out of a module's statements what is not needed; of `exports.a = exports.b = value` the names.
pub(crate) fn keep_needed(stmts: &mut Vec<Stmt>, live: &[bool], wanted: &Wanted) {
    let mut live = live.iter();
    stmts.retain(|_| live.next().copied().unwrap_or(true));
    if let Wanted::Names(names) = wanted {
        stmts.iter_mut().filter_map(|stmt| stmt.as_mut_expr()).for_each(|stmt| drop_unwanted(&mut stmt.expr, names));
    }
}

/// Looks no further than at `a.b = c.d = …`, where all `a` and `c` are the exports.
fn drop_unwanted(expr: &mut Box<Expr>, wanted: &BTreeSet<Atom>) {
    while let Some(assign) = expr.as_mut_assign() {
        let is_chain = assign.right.is_assign();
        let target = assign.left.as_simple().and_then(|target| target.as_member());
        let target = target.filter(|target| match &*target.obj {
            Expr::Member(owner) => owner.obj.is_ident_ref_to("module") && owner.prop.is_ident_with("exports"),
            owner => owner.is_ident_ref_to("exports"),
        });
        let name = target.and_then(|target| constant_member(&target.prop));
        if !is_chain || name.is_none_or(|name| wanted.contains(&name)) {
            return;
        }
        let right = std::mem::replace(&mut assign.right, Box::new(Expr::Invalid(Invalid { span: DUMMY_SP })));
        *expr = right;
    }
}
