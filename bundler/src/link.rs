//! Decides when each module runs, and what every imported name stands for.

use std::collections::{BTreeSet, HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::ecma::ast::Id;

use crate::builtin_names::builtin_names;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::graph::{Body, Graph, ModuleId, Target};
use crate::names::is_whole;
use crate::requires::DependencyKind;
use crate::scan::{EsModule, Export, ImportBinding, Imported, Use};
use crate::spelling::nearest;
use crate::{Form, Format};

/// A graph whose imports are bound.
pub(crate) struct Linked {
    pub(crate) graph: Graph,
    /// By module.
    pub(crate) evaluation: Vec<Evaluation>,
    /// By module: whether it, or something it imports, awaits at its top level.
    pub(crate) awaits: Vec<bool>,
}

/// When a module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evaluation {
    /// When it is first required or imported.
    CommonJs,
    /// As a part of the program's own body, at its place in the order of imports.
    Eager,
    /// An ES module in a function of its own, when it is first asked for.
    Wrapped,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A top-level binding of an ES module, and a name under which that module exports it.
    Local {
        module: ModuleId,
        id: Id,
        name: Atom,
    },
    Namespace(Target),
    /// A property of what a CommonJS module or builtin exports; `default` is all of it.
    Property(Target, Atom),
    /// A property of an ES module's namespace: one of several open `export *` has it, and which is not known.
    OfNamespace(ModuleId, Atom),
    Missing,
    Ambiguous,
}

/// Links the graph; imports of names that do not exist are errors beside those of loading.
pub(crate) fn link_graph(graph: Graph, form: Form) -> Result<Linked, Diagnostics> {
    let awaits = (0..graph.modules.len())
        .map(|id| static_closure(&graph, [id]).into_iter().any(|m| awaits(&graph, m)))
        .collect();
    let evaluation = choose_evaluation(&graph, form);
    let mut linked = Linked { graph, evaluation, awaits };
    let mut all = std::mem::take(&mut linked.graph.errors);
    all.extend(find_missing_names(&linked));
    if all.is_empty() {
        return Ok(linked);
    }
    all.append(&mut linked.graph.warnings);
    Err(Diagnostics(all))
}

/// Only an ES module can wait at its top level.
pub(crate) fn check_form(linked: &Linked, form: Form) -> Result<(), Diagnostics> {
    if form != Form::Plain(Format::CommonJs) || !linked.awaits[0] {
        return Ok(());
    }
    let modules = &linked.graph.modules;
    let awaiting = static_closure(&linked.graph, [0]).into_iter().filter(|id| awaits(&linked.graph, *id)).min();
    let module = &modules[awaiting.unwrap_or_default()];
    let part = module.esm().and_then(|body| body.parts.iter().find(|part| part.requests.awaits_at_top));
    let found = Diagnostic::of_file(Severity::Error, module.shown(), "A CommonJS module cannot wait at its top level.")
        .with_hint("Bundle it as an ES module: --format esm.");
    Err(match part {
        Some(part) => found.at(&linked.graph.sources.map, part.span).into(),
        None => found.into(),
    })
}

fn awaits(graph: &Graph, id: ModuleId) -> bool {
    graph.modules[id].esm().is_some_and(|module| module.awaits)
}

/// ES modules reachable from `roots` by static imports, themselves included.
fn static_closure(graph: &Graph, roots: impl IntoIterator<Item = ModuleId>) -> HashSet<ModuleId> {
    let mut found = HashSet::new();
    let mut open: Vec<ModuleId> = roots.into_iter().collect();
    while let Some(id) = open.pop() {
        if graph.modules[id].esm().is_some() && found.insert(id) {
            open.extend(graph.modules[id].import_targets.iter().filter_map(module_of));
        }
    }
    found
}

fn module_of(target: &Target) -> Option<ModuleId> {
    match target {
        Target::Module(id) => Some(*id),
        Target::Builtin(_) | Target::File(..) | Target::Missing(_) => None,
    }
}

/// What is `require`d may run at any moment, so it and its imports are wrapped. What is only `import()`ed cannot
/// run before the program's own modules have: those stay eager, unless one of them awaits. While one awaits others may
/// run: where there are such, all are wrapped. Plain programs run them one after another, as other bundlers' do.
fn choose_evaluation(graph: &Graph, form: Form) -> Vec<Evaluation> {
    let eager = static_closure(graph, [0]);
    let required = static_closure(graph, asked_for(graph, DependencyKind::Require));
    let imported = static_closure(graph, asked_for(graph, DependencyKind::DynamicImport));
    let program_awaits = eager.iter().any(|id| awaits(graph, *id));
    let side_by_side = form == Form::Resumable && program_awaits && runs_side_by_side(graph, 0);
    (0..graph.modules.len())
        .map(|id| match &graph.modules[id].body {
            Body::CommonJs(_) => Evaluation::CommonJs,
            Body::Esm(_) if required.contains(&id) || side_by_side => Evaluation::Wrapped,
            Body::Esm(_) if !eager.contains(&id) => Evaluation::Wrapped,
            Body::Esm(_) if program_awaits && imported.contains(&id) => Evaluation::Wrapped,
            Body::Esm(_) => Evaluation::Eager,
        })
        .collect()
}

/// Whether something comes after a module that awaits without waiting for it. In a circle a module does not wait for
/// those that come after it.
fn runs_side_by_side(graph: &Graph, root: ModuleId) -> bool {
    if !static_closure(graph, [root]).into_iter().any(|id| awaits(graph, id)) {
        return false;
    }
    let order = program_order(graph, root);
    let place: HashMap<ModuleId, usize> = order.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let waits_for = |later: usize, earlier: usize| {
        let mut seen = HashSet::new();
        let mut open = vec![later];
        while let Some(at) = open.pop() {
            if graph.modules[order[at]].esm().is_some() && seen.insert(at) {
                let imports = graph.modules[order[at]].import_targets.iter().filter_map(module_of);
                open.extend(imports.map(|id| place[&id]).filter(|import| *import < later));
            }
        }
        seen.contains(&earlier)
    };
    let awaiting = (0..order.len()).filter(|at| awaits(graph, order[*at]));
    awaiting.into_iter().any(|at| (at + 1..order.len()).any(|later| !waits_for(later, at)))
}

/// `root` and its modules, each after what it imports.
fn program_order(graph: &Graph, root: ModuleId) -> Vec<ModuleId> {
    let mut order = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut stack = vec![(root, 0)];
    while let Some((id, next)) = stack.pop() {
        match graph.modules[id].import_targets.get(next) {
            Some(target) => {
                stack.push((id, next + 1));
                if let Some(child) = module_of(target).filter(|child| seen.insert(*child)) {
                    stack.push((child, 0));
                }
            }
            None => order.push(id),
        }
    }
    order
}

fn asked_for(graph: &Graph, kind: DependencyKind) -> Vec<ModuleId> {
    let mut found = Vec::new();
    for module in &graph.modules {
        let leads = module.requests().into_iter().flat_map(|requests| module.leads(requests));
        found.extend(leads.filter(|(asked, _)| *asked == kind).filter_map(|(_, target)| module_of(target)));
    }
    found
}

impl Linked {
    /// What an import of module `importer` stands for.
    pub(crate) fn resolve_import(&self, importer: ModuleId, binding: &ImportBinding) -> Binding {
        self.resolve_import_guarded(importer, binding, &mut HashSet::new())
    }

    /// What module `id` exports as `name`.
    pub(crate) fn resolve_export(&self, id: ModuleId, name: &Atom) -> Binding {
        self.resolve_export_guarded(id, name, &mut HashSet::new())
    }

    fn resolve_import_guarded(
        &self,
        importer: ModuleId,
        binding: &ImportBinding,
        visiting: &mut HashSet<(ModuleId, Atom)>,
    ) -> Binding {
        let target = &self.graph.modules[importer].import_targets[binding.record];
        match (&binding.name, module_of(target).filter(|id| self.graph.modules[*id].esm().is_some())) {
            (Imported::Namespace, _) => Binding::Namespace(target.clone()),
            (Imported::Name(name), Some(id)) => self.resolve_export_guarded(id, name, visiting),
            (Imported::Name(name), None) => Binding::Property(target.clone(), name.clone()),
        }
    }

    fn resolve_export_guarded(&self, id: ModuleId, name: &Atom, visiting: &mut HashSet<(ModuleId, Atom)>) -> Binding {
        let Some(module) = self.graph.modules[id].esm() else { return Binding::Missing };
        if !visiting.insert((id, name.clone())) {
            return Binding::Missing;
        }
        let explicit = module.exports.iter().find(|(exported, _)| exported == name);
        let found = match explicit {
            Some((_, Export::Local(local))) => match module.bindings.get(local) {
                Some(binding) => self.resolve_import_guarded(id, binding, visiting),
                None => Binding::Local { module: id, id: local.clone(), name: name.clone() },
            },
            Some((_, Export::From(binding))) => self.resolve_import_guarded(id, binding, visiting),
            None if name == "default" => Binding::Missing,
            None => self.resolve_star(id, module, name, visiting),
        };
        visiting.remove(&(id, name.clone()));
        found
    }

    /// ES modules are asked first: the names of the others are not known.
    fn resolve_star(
        &self,
        id: ModuleId,
        module: &EsModule,
        name: &Atom,
        visiting: &mut HashSet<(ModuleId, Atom)>,
    ) -> Binding {
        let mut found = Binding::Missing;
        let mut fallback = Binding::Missing;
        for record in &module.stars {
            let target = &self.graph.modules[id].import_targets[*record];
            let candidate = match module_of(target).filter(|id| self.graph.modules[*id].esm().is_some()) {
                Some(child) => self.resolve_export_guarded(child, name, visiting),
                None => {
                    fallback = match fallback {
                        Binding::Missing => Binding::Property(target.clone(), name.clone()),
                        _ => Binding::OfNamespace(id, name.clone()),
                    };
                    continue;
                }
            };
            match (&found, candidate) {
                (_, Binding::Missing) => {}
                // A guess from a CommonJS module further down gives way to a name that is known.
                (Binding::Missing, candidate) => found = candidate,
                (Binding::Property(..) | Binding::OfNamespace(..), candidate @ Binding::Local { .. }) => {
                    found = candidate
                }
                (Binding::Property(..), Binding::Property(..)) => found = Binding::OfNamespace(id, name.clone()),
                (_, Binding::Property(..) | Binding::OfNamespace(..)) => {}
                (known, candidate) if *known == candidate || is_same(known, &candidate) => {}
                _ => return Binding::Ambiguous,
            }
        }
        match (&found, fallback) {
            (Binding::Missing, fallback) => fallback,
            (Binding::Property(..), Binding::Property(..) | Binding::OfNamespace(..)) => {
                Binding::OfNamespace(id, name.clone())
            }
            _ => found,
        }
    }

    /// Whether `name` is exported by module `id`, but from a module that has it from there.
    fn exports_itself(&self, id: ModuleId, name: &Atom) -> bool {
        let exports = self.graph.modules[id].esm().map_or(&[][..], |module| &module.exports);
        exports.iter().any(|(exported, _)| exported == name)
    }

    /// The names that module `id` exports, sorted as a namespace has them, with what they stand for.
    pub(crate) fn exports_of(&self, id: ModuleId) -> Vec<(Atom, Binding)> {
        let mut names = Vec::new();
        self.collect_names(id, &mut names, &mut HashSet::new());
        names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        names.dedup();
        let resolved = names.into_iter().map(|name| {
            let binding = self.resolve_export(id, &name);
            (name, binding)
        });
        resolved.filter(|(_, binding)| !matches!(binding, Binding::Missing | Binding::Ambiguous)).collect()
    }

    fn collect_names(&self, id: ModuleId, names: &mut Vec<Atom>, seen: &mut HashSet<ModuleId>) {
        let Some(module) = self.graph.modules[id].esm().filter(|_| seen.insert(id)) else { return };
        let nested = seen.len() > 1;
        names.extend(module.exports.iter().map(|(name, _)| name.clone()).filter(|name| !nested || name != "default"));
        for record in &module.stars {
            if let Target::Module(child) = self.graph.modules[id].import_targets[*record] {
                self.collect_names(child, names, seen);
            }
        }
    }

    /// CommonJS modules and builtins all of whose names module `id` exports.
    pub(crate) fn open_stars(&self, id: ModuleId) -> Vec<Target> {
        let mut found = Vec::new();
        for module in static_closure_of_stars(&self.graph, id) {
            let Some(body) = self.graph.modules[module].esm() else { continue };
            for record in &body.stars {
                let target = &self.graph.modules[module].import_targets[*record];
                if module_of(target).is_none_or(|id| self.graph.modules[id].esm().is_none()) && !found.contains(target)
                {
                    found.push(target.clone());
                }
            }
        }
        found
    }
}

fn is_same(a: &Binding, b: &Binding) -> bool {
    match (a, b) {
        (Binding::Local { module: m, id: i, .. }, Binding::Local { module: n, id: j, .. }) => m == n && i == j,
        _ => false,
    }
}

fn static_closure_of_stars(graph: &Graph, root: ModuleId) -> Vec<ModuleId> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        let Some(body) = graph.modules[id].esm() else { continue };
        for record in &body.stars {
            if let Some(child) = module_of(&graph.modules[id].import_targets[*record])
                && !found.contains(&child)
            {
                found.push(child);
            }
        }
    }
    found
}

/// TypeScript may import and re-export types without saying so: there a name is only missing where code uses it.
fn find_missing_names(linked: &Linked) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for (id, module) in linked.graph.modules.iter().enumerate() {
        let Some(body) = module.esm() else { continue };
        let used: HashSet<&Id> = body.parts.iter().flat_map(|part| &part.uses).map(Use::name).collect();
        let checked = body.bindings.iter().filter(|(local, _)| !module.typescript || used.contains(local));
        let mut bindings: Vec<&ImportBinding> = checked.map(|(_, binding)| binding).collect();
        bindings.extend(body.exports.iter().filter_map(|(_, export)| match export {
            Export::From(binding) if !module.typescript => Some(binding),
            _ => None,
        }));
        bindings.sort_by_key(|binding| binding.span.lo);
        for binding in bindings {
            let Imported::Name(name) = &binding.name else { continue };
            let from = &body.imports[binding.record].specifier;
            let place = |problem: String| {
                Diagnostic::of_file(Severity::Error, module.shown(), problem)
                    .at(&linked.graph.sources.map, binding.span)
            };
            match linked.resolve_import(id, binding) {
                Binding::Missing => {
                    let found = place(format!("`{from}` has no export named `{name}`."));
                    errors.push(suggest_name(linked, &module.import_targets[binding.record], name, found));
                }
                Binding::Ambiguous => {
                    let found = place(format!("`{from}` exports `{name}` more than once through `export *`."));
                    errors.push(found.with_hint("Import it from the module that declares it."));
                }
                Binding::Property(Target::Module(target), name) if !is_whole(&name) => {
                    let Some(names) = commonjs_names(linked, target).filter(|names| !names.contains(&name)) else {
                        continue;
                    };
                    // Node's own words.
                    let found = place(format!("Named export '{name}' not found: `{from}` is a CommonJS module."));
                    let nearest = nearest(&name, names.iter().map(|candidate| &**candidate));
                    errors.push(found.with_hint(match nearest {
                        Some(candidate) => format!("Did you mean `{candidate}`?"),
                        None => "What it exports as a whole is its default export.".to_owned(),
                    }));
                }
                Binding::Property(Target::Builtin(builtin), name) if !is_whole(&name) => {
                    let known = builtin_names(&builtin).filter(|_| !linked.graph.externals.contains(&builtin));
                    let Some(names) = known.filter(|names| !names.contains(&&*name)) else { continue };
                    let found = place(format!("`{from}` has no export named `{name}`."));
                    let nearest = nearest(&name, names.iter().copied());
                    let hint = nearest.map(|candidate| format!("Did you mean `{candidate}`?"));
                    errors.push(hint.into_iter().fold(found, Diagnostic::with_hint));
                }
                _ => {}
            }
        }
    }
    errors
}

/// All names that a CommonJS module can export; `None` if that is not known.
fn commonjs_names(linked: &Linked, root: ModuleId) -> Option<BTreeSet<Atom>> {
    let mut names = BTreeSet::from(["__esModule".into()]);
    let mut seen = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let module = &linked.graph.modules[id];
        let Body::CommonJs(body) = &module.body else {
            names.extend(linked.exports_of(id).into_iter().map(|(name, _)| name));
            continue;
        };
        if !body.parts.are_statements {
            return None;
        }
        names.extend(body.parts.exported_by.keys().cloned());
        names.extend(body.parts.parts.iter().flat_map(|part| &part.reads).cloned());
        for star in body.parts.parts.iter().filter_map(|part| part.star) {
            let target = module_of(module.targets.get(&star)?)?;
            if seen.insert(target) {
                open.push(target);
            }
        }
    }
    Some(names)
}

fn suggest_name(linked: &Linked, target: &Target, name: &Atom, found: Diagnostic) -> Diagnostic {
    let Some(target) = module_of(target) else { return found };
    let names = linked.exports_of(target);
    match nearest(name, names.iter().map(|(candidate, _)| &**candidate)) {
        Some(candidate) => found.with_hint(format!("Did you mean `{candidate}`?")),
        None if linked.exports_itself(target, name) => {
            found.with_hint("The modules that export it do so from each other, in a circle.")
        }
        None if names.is_empty() => found.with_hint("It exports nothing."),
        None => found,
    }
}
