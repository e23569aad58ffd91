//! Finds what a program really needs: modules that run, statements, namespaces, builtins.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use swc_core::atoms::Atom;
use swc_core::ecma::ast::Id;

use crate::Form;
use crate::PackageId;
use crate::graph::{Body, ModuleId, Target};
use crate::link::{Binding, Evaluation, Linked};
use crate::names::is_whole;
use crate::purity::Effects;
use crate::requires::{DependencyKind, Requests};
use crate::scan::{ImportBinding, Use};
use crate::shake_commonjs::Loading;

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// By module: whether it is evaluated at all.
    pub(crate) modules: Vec<bool>,
    /// By module and part.
    pub(crate) parts: Vec<Vec<bool>>,
    /// ES modules whose namespace is needed as an object.
    pub(crate) namespaces: BTreeSet<ModuleId>,
    /// ES modules that are the target of a live `import()`.
    pub(crate) imported: BTreeSet<ModuleId>,
    /// What each ES module takes from CommonJS modules and builtins: by importer.
    pub(crate) taken: BTreeMap<ModuleId, BTreeSet<Taken>>,
    /// By name, including those that CommonJS modules require.
    pub(crate) builtins: BTreeSet<String>,
    /// Names of wrapped ES modules that others read from their namespaces.
    pub(crate) read_exports: BTreeSet<(ModuleId, Atom)>,
    /// By module: what is read of a CommonJS module's exports.
    pub(crate) wanted: Vec<Wanted>,
}

/// What is read of a CommonJS module's exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    Names(BTreeSet<Atom>),
}

/// A value taken from a CommonJS module or builtin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Taken {
    pub(crate) from: Source,
    /// `None` for the namespace.
    pub(crate) name: Option<Atom>,
}

/// A module that has no bindings of its own, only a value that it exports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    CommonJs(ModuleId),
    Builtin(String),
}

impl Source {
    pub(crate) fn of(target: &Target) -> Option<Self> {
        match target {
            Target::Module(id) => Some(Self::CommonJs(*id)),
            Target::Builtin(name) => Some(Self::Builtin(name.clone())),
            Target::File(..) | Target::Missing(_) => None,
        }
    }
}

pub(crate) enum Work {
    Evaluate(ModuleId),
    Part(ModuleId, usize),
    Namespace(ModuleId),
    Bind(ModuleId, Binding),
    /// An export of a CommonJS module, or all of them.
    Want(ModuleId, Option<Atom>),
}

/// Walks from the entry's effects to everything they use, and from its exports where the program has any.
pub(crate) fn find_live(linked: &Linked, form: Form) -> Live {
    let modules = &linked.graph.modules;
    let mut shaker = Shaker {
        linked,
        live: Live {
            modules: vec![false; modules.len()],
            parts: modules.iter().map(|module| vec![false; count_parts(&module.body)]).collect(),
            wanted: vec![Wanted::Names(BTreeSet::new()); modules.len()],
            ..Live::default()
        },
        work: vec![Work::Evaluate(0), Work::Want(0, None)],
        seen: HashSet::new(),
        loading: Loading::of(linked),
        asks_for_any: HashSet::new(),
    };
    if form != Form::Resumable {
        shaker.work.extend(linked.exports_of(0).into_iter().map(|(_, binding)| Work::Bind(0, binding)));
    }
    while let Some(work) = shaker.work.pop() {
        match work {
            Work::Evaluate(id) => shaker.evaluate(id),
            Work::Part(id, part) => shaker.keep_part(id, part),
            Work::Namespace(id) => shaker.keep_namespace(id),
            Work::Bind(importer, binding) => shaker.bind(importer, binding),
            Work::Want(id, None) => shaker.want_all(id),
            Work::Want(id, Some(name)) => shaker.want(id, name),
        }
    }
    shaker.live
}

pub(crate) struct Shaker<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) live: Live,
    pub(crate) work: Vec<Work>,
    seen: HashSet<(ModuleId, Id)>,
    loading: Loading,
    /// Packages with code that may ask for any module.
    pub(crate) asks_for_any: HashSet<Option<PackageId>>,
}

fn count_parts(body: &Body) -> usize {
    match body {
        Body::CommonJs(body) => body.parts.parts.len(),
        Body::Esm(body) => body.parts.len(),
    }
}

impl Shaker<'_> {
    fn evaluate(&mut self, id: ModuleId) {
        if std::mem::replace(&mut self.live.modules[id], true) {
            return;
        }
        let module = &self.linked.graph.modules[id];
        match &module.body {
            Body::CommonJs(body) => {
                let parts = body.parts.parts.iter().enumerate();
                let effects = parts.filter(|(_, part)| self.loading.has_effects(self.linked, id, &part.effects));
                self.work.extend(effects.map(|(index, _)| Work::Part(id, index)));
            }
            Body::Esm(body) => {
                for target in &module.import_targets {
                    if let Target::Module(child) = target
                        && !self.linked.graph.modules[*child].may_drop_unused
                    {
                        self.work.push(Work::Evaluate(*child));
                    }
                }
                let linked = self.linked;
                let effects = body.parts.iter().enumerate().filter(|(_, part)| has_effects(linked, id, &part.effects));
                self.work.extend(effects.map(|(index, _)| Work::Part(id, index)));
            }
        }
    }

    pub(crate) fn follow(&mut self, id: ModuleId, requests: &Requests) {
        if requests.may_ask_for_any() {
            self.want_whatever_may_be_asked_for(id);
        }
        for (kind, target) in self.linked.graph.modules[id].leads(requests) {
            match target {
                _ if kind == DependencyKind::RequireResolve => {}
                Target::Module(target) => {
                    self.work.push(Work::Evaluate(*target));
                    if self.linked.graph.modules[*target].esm().is_some() {
                        self.work.push(Work::Namespace(*target));
                        if kind == DependencyKind::DynamicImport {
                            self.live.imported.insert(*target);
                        }
                    }
                }
                Target::Builtin(name) => drop(self.live.builtins.insert(name.clone())),
                Target::File(..) | Target::Missing(_) => {}
            }
        }
    }

    fn keep_part(&mut self, id: ModuleId, index: usize) {
        if std::mem::replace(&mut self.live.parts[id][index], true) {
            return;
        }
        let body = match &self.linked.graph.modules[id].body {
            Body::CommonJs(body) => return self.keep_commonjs_part(id, &body.parts, index),
            Body::Esm(body) => body,
        };
        let part = &body.parts[index];
        self.follow(id, &part.requests);
        self.want_targets(id, &part.requests, |_| true);
        for used in &part.uses {
            match used {
                Use::Binding(local) => self.keep_name(id, local),
                Use::Member(import, path) => {
                    let (found, _) = member_of_import(self.linked, id, &body.bindings[import], path);
                    self.work.push(Work::Bind(id, found));
                }
            }
        }
    }

    fn keep_name(&mut self, id: ModuleId, local: &Id) {
        if !self.seen.insert((id, local.clone())) {
            return;
        }
        let Some(body) = self.linked.graph.modules[id].esm() else { return };
        if let Some(binding) = body.bindings.get(local) {
            let found = self.linked.resolve_import(id, binding);
            self.work.push(Work::Bind(id, found));
        }
        let parts = body.declared_by.get(local).into_iter().flatten();
        self.work.extend(parts.map(|part| Work::Part(id, *part)));
    }

    fn bind(&mut self, importer: ModuleId, binding: Binding) {
        match binding {
            Binding::Local { module, id, name } => {
                self.work.push(Work::Evaluate(module));
                self.keep_name(module, &id);
                if module != importer && self.linked.evaluation[module] == Evaluation::Wrapped {
                    self.live.read_exports.insert((module, name));
                }
            }
            Binding::Namespace(Target::Module(id)) if self.linked.graph.modules[id].esm().is_some() => {
                self.work.push(Work::Evaluate(id));
                self.work.push(Work::Namespace(id));
            }
            Binding::OfNamespace(id, _) => {
                self.work.push(Work::Evaluate(id));
                self.work.push(Work::Namespace(id));
            }
            Binding::Namespace(target) => self.take(importer, &target, None),
            Binding::Property(target, name) => self.take(importer, &target, Some(name)),
            Binding::Missing | Binding::Ambiguous => {}
        }
    }

    fn take(&mut self, importer: ModuleId, target: &Target, name: Option<Atom>) {
        let Some(from) = Source::of(target) else { return };
        match &from {
            Source::CommonJs(id) => {
                let wanted = name.clone().filter(|name| !is_whole(name));
                self.work.extend([Work::Evaluate(*id), Work::Want(*id, wanted)]);
            }
            Source::Builtin(name) => drop(self.live.builtins.insert(name.clone())),
        }
        self.live.taken.entry(importer).or_default().insert(Taken { from, name });
    }

    fn keep_namespace(&mut self, id: ModuleId) {
        if !self.live.namespaces.insert(id) {
            return;
        }
        for (_, binding) in self.linked.exports_of(id) {
            self.work.push(Work::Bind(id, binding));
        }
        for target in self.linked.open_stars(id) {
            self.take(id, &target, Some("default".into()));
        }
    }
}

fn has_effects(linked: &Linked, module: ModuleId, effects: &Effects) -> bool {
    let is_callable = |import: &Id| {
        let binding = linked.graph.modules[module].esm().and_then(|body| body.bindings.get(import));
        match binding.map(|binding| linked.resolve_import(module, binding)) {
            Some(Binding::Local { module, id, .. }) => {
                linked.graph.modules[module].esm().is_some_and(|body| body.callable.contains(&id))
            }
            _ => false,
        }
    };
    match effects {
        Effects::Some => true,
        Effects::None => false,
        Effects::NoneIf(imports) => !imports.iter().all(is_callable),
    }
}

/// What `import.name.name` stands for, as far as it is read from namespaces, and how much of the path that is.
pub(crate) fn member_of_import(
    linked: &Linked,
    importer: ModuleId,
    import: &ImportBinding,
    path: &[Atom],
) -> (Binding, usize) {
    let mut found = linked.resolve_import(importer, import);
    let mut read = 0;
    while let (Binding::Namespace(target), Some(name)) = (&found, path.get(read)) {
        found = match target {
            Target::Module(id) if linked.graph.modules[*id].esm().is_some() => linked.resolve_export(*id, name),
            target => Binding::Property(target.clone(), name.clone()),
        };
        read += 1;
    }
    (found, read)
}
