//! The names and numbers that the emitted script gives to what its sources left unnamed.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::DUMMY_SP;
use swc_core::ecma::ast::{Expr, Id};

use crate::Form;
use crate::ast::{fresh_ident, ident_expr, member, undefined};
use crate::graph::{ModuleId, Target};
use crate::link::{Binding, Evaluation, Linked};
use crate::requires::DependencyKind;
use crate::shake::{Live, Source, Taken};

/// Names and numbers of one script.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The namespace objects of ES modules.
    pub(crate) namespaces: HashMap<ModuleId, Id>,
    /// Values taken from CommonJS modules and builtins.
    taken: HashMap<(Scope, Taken), Id>,
    /// Index in the runtime's table of CommonJS modules.
    pub(crate) commonjs_numbers: HashMap<ModuleId, usize>,
    /// Index in the runtime's table of ES modules that are asked for while the program runs.
    pub(crate) esm_numbers: HashMap<ModuleId, usize>,
    /// In a plain program: what runs a wrapped module, whose names are seen like any other's.
    pub(crate) inits: HashMap<ModuleId, Id>,
    /// How often ES modules `import()` ES modules.
    pub(crate) dynamic_imports: usize,
}

/// Where a taken value is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scope {
    Program,
    /// A wrapped module takes for itself: it may run before the program's body comes to the same import.
    Wrapped(ModuleId),
}

/// Names everything that is live, in a fixed order.
pub(crate) fn choose_names(linked: &Linked, live: &Live, form: Form) -> Names {
    let mut names = Names { dynamic_imports: count_dynamic_imports(linked, live), ..Names::default() };
    let asked = if form == Form::Resumable { HashSet::new() } else { asked_by_commonjs(linked, live) };
    names.commonjs_numbers = number_commonjs(linked, live);
    for (id, module) in linked.graph.modules.iter().enumerate() {
        if !live.modules[id] {
            continue;
        }
        match linked.evaluation[id] {
            Evaluation::CommonJs => {}
            evaluation => {
                let mut is_wrapped = evaluation == Evaluation::Wrapped;
                let mut is_numbered = is_wrapped || live.imported.contains(&id);
                if form != Form::Resumable {
                    if is_wrapped {
                        names.inits.insert(id, fresh_ident(&format!("init_{}", stem(&module.path))).to_id());
                    }
                    is_wrapped = false;
                    is_numbered = asked.contains(&id);
                }
                if is_numbered {
                    let number = names.esm_numbers.len();
                    names.esm_numbers.insert(id, number);
                }
                if is_wrapped || live.namespaces.contains(&id) {
                    names.namespaces.insert(id, fresh_ident(&format!("{}_ns", stem(&module.path))).to_id());
                }
            }
        }
    }
    for (importer, taken) in &live.taken {
        for value in taken {
            let scope = scope_of(linked, *importer, value);
            let wanted = match (&value.name, &value.from) {
                (Some(name), _) if !is_whole(name) => name.to_string(),
                (_, Source::CommonJs(id)) => stem(&linked.graph.modules[*id].path),
                (_, Source::Builtin(name)) => stem(name),
            };
            let key = (scope, canonical(value));
            names.taken.entry(key).or_insert_with(|| fresh_ident(&identifier(&wanted)).to_id());
        }
    }
    names
}

/// Strict ones first, so that they can share one directive; each in the order of their paths, which have most in common
/// with their neighbours then.
fn number_commonjs(linked: &Linked, live: &Live) -> HashMap<ModuleId, usize> {
    let modules = &linked.graph.modules;
    let is_live = |id: &ModuleId| live.modules[*id] && linked.evaluation[*id] == Evaluation::CommonJs;
    let mut ids: Vec<ModuleId> = (0..modules.len()).filter(is_live).collect();
    let is_sloppy = |id: ModuleId| modules[id].commonjs().is_some_and(|body| !body.may_be_strict);
    ids.sort_by(|a, b| {
        let by_path = || modules[*a].path.split('/').cmp(modules[*b].path.split('/'));
        is_sloppy(*a).cmp(&is_sloppy(*b)).then_with(by_path)
    });
    ids.into_iter().enumerate().map(|(number, id)| (id, number)).collect()
}

fn count_dynamic_imports(linked: &Linked, live: &Live) -> usize {
    let modules = linked.graph.modules.iter().enumerate().filter(|(id, _)| live.modules[*id]);
    let parts = modules.filter_map(|(_, module)| module.esm()).flat_map(|body| &body.parts);
    let asked = parts.flat_map(|part| &part.requests.dependencies);
    asked.filter(|dependency| dependency.kind == DependencyKind::DynamicImport).count()
}

/// ES modules that CommonJS modules `require` or `import()`.
fn asked_by_commonjs(linked: &Linked, live: &Live) -> HashSet<ModuleId> {
    let modules = linked.graph.modules.iter().enumerate();
    let commonjs = modules.filter(|(id, module)| live.modules[*id] && module.esm().is_none());
    let targets = commonjs.flat_map(|(_, module)| module.targets.values());
    targets.filter_map(|target| if let Target::Module(id) = target { Some(*id) } else { None }).collect()
}

/// `default` and `module.exports` are the same value.
pub(crate) fn is_whole(name: &str) -> bool {
    matches!(name, "default" | "module.exports")
}

pub(crate) fn canonical(value: &Taken) -> Taken {
    match &value.name {
        Some(name) if is_whole(name) => Taken { from: value.from.clone(), name: Some("default".into()) },
        _ => value.clone(),
    }
}

fn scope_of(linked: &Linked, importer: ModuleId, value: &Taken) -> Scope {
    match (&value.from, linked.evaluation[importer]) {
        (Source::CommonJs(_), Evaluation::Wrapped) => Scope::Wrapped(importer),
        _ => Scope::Program,
    }
}

fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    if stem == "index" {
        let folder = path.rsplit('/').nth(1).unwrap_or(stem);
        return identifier(folder);
    }
    identifier(stem)
}

/// Names that a strict program may not bind get an underscore, like those that begin with a digit.
fn identifier(wanted: &str) -> String {
    let mut name: String =
        wanted.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '$') { c } else { '_' }).collect();
    let is_reserved = swc_core::ecma::ast::Ident::verify_symbol(&name).is_err();
    if is_reserved || matches!(&*name, "eval" | "arguments" | "undefined" | "NaN" | "Infinity") {
        name.insert(0, '_');
    }
    name
}

impl Names {
    /// The id of a value that `importer` takes; `None` if it is not live.
    pub(crate) fn taken(&self, linked: &Linked, importer: ModuleId, value: &Taken) -> Option<&Id> {
        self.taken.get(&(scope_of(linked, importer, value), canonical(value)))
    }

    /// The values that eager modules take from `source`.
    pub(crate) fn taken_by_program(&self, source: &Source) -> Vec<(Option<Atom>, Id)> {
        self.taken_in(Scope::Program, source)
    }

    pub(crate) fn taken_by_wrapped(&self, module: ModuleId, source: &Source) -> Vec<(Option<Atom>, Id)> {
        self.taken_in(Scope::Wrapped(module), source)
    }

    fn taken_in(&self, scope: Scope, source: &Source) -> Vec<(Option<Atom>, Id)> {
        let found = self.taken.iter().filter(|((s, taken), _)| *s == scope && taken.from == *source);
        let mut found: Vec<_> = found.map(|((_, taken), id)| (taken.name.clone(), id.clone())).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// An expression that is worth what `binding` stands for, in the code of `importer`.
    pub(crate) fn expression(&self, linked: &Linked, importer: ModuleId, binding: &Binding) -> Box<Expr> {
        let of_source = |target: &Target, name: Option<Atom>| {
            let value = Taken { from: Source::of(target)?, name };
            Some(ident_expr(self.taken(linked, importer, &value)?))
        };
        let found = match binding {
            Binding::Local { module, id, name } => {
                let is_wrapped = linked.evaluation[*module] == Evaluation::Wrapped;
                let is_foreign = *module != importer && is_wrapped && !self.inits.contains_key(module);
                match self.namespaces.get(module).filter(|_| is_foreign) {
                    Some(namespace) => Some(member(ident_expr(namespace), name, DUMMY_SP)),
                    None => Some(ident_expr(id)),
                }
            }
            Binding::Namespace(Target::Module(id)) if self.namespaces.contains_key(id) => {
                self.namespaces.get(id).map(ident_expr)
            }
            Binding::OfNamespace(module, name) => {
                self.namespaces.get(module).map(|namespace| member(ident_expr(namespace), name, DUMMY_SP))
            }
            Binding::Namespace(target) => of_source(target, None),
            Binding::Property(target, name) => of_source(target, Some(name.clone())),
            Binding::Missing | Binding::Ambiguous => None,
        };
        found.unwrap_or_else(undefined)
    }
}
