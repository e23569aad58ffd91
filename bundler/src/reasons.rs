//! Explains why a package or a file is in the bundle: the way to it, and what keeps each statement.

use std::collections::{HashMap, HashSet, VecDeque};

use swc_core::common::Span;

use crate::disk::Disk;
use crate::graph::{Body, Module, ModuleId, Target};
use crate::inputs::{imports_of, place};
use crate::link::{Binding, Linked};
use crate::purity::Effects;
use crate::scan::Use;
use crate::shake::{Live, member_of_import};
use crate::spelling::nearest;
use crate::{BundleOptions, Diagnostics, PackageId};

/// What can be said about a package or a file.
#[derive(Debug, Clone)]
pub enum Reasons {
    /// It is in the bundle; the file that is reached first comes first.
    Kept(Vec<KeptFile>),
    /// It was loaded, but nothing of it is needed.
    Unused(Vec<String>),
    /// It was never asked for; what was probably meant.
    Unknown(Option<String>),
}

/// A file of the bundle.
#[derive(Debug, Clone)]
pub struct KeptFile {
    /// Relative to the app's root.
    pub path: String,
    /// The package it belongs to.
    pub package: Option<PackageId>,
    /// The size of its source.
    pub original_bytes: usize,
    /// The shortest way to it: the imports from the entry on.
    pub chain: Vec<Place>,
    /// Its statements that were kept, each with what keeps it; empty for a CommonJS module, which is kept as a whole.
    pub statements: Vec<KeptStatement>,
}

/// A statement that was kept.
#[derive(Debug, Clone)]
pub struct KeptStatement {
    /// Where it is.
    pub place: Place,
    /// What keeps it.
    pub cause: Cause,
}

/// What keeps a statement.
#[derive(Debug, Clone)]
pub enum Cause {
    /// It does something by itself.
    Effects,
    /// A statement that is kept uses it.
    UsedBy(Place),
    /// It is exported, and its module is used as an object.
    Namespace,
}

/// A line of a source.
#[derive(Debug, Clone)]
pub struct Place {
    /// Relative to the app's root.
    pub file: String,
    /// One-based.
    pub line: usize,
    /// One-based, in characters.
    pub column: usize,
    /// The line without its indentation.
    pub text: String,
}

/// Loads, links and shakes an app, and explains `subject`: a package's name, or the end of a file's path.
///
/// # Errors
/// As `bundle`.
pub fn explain(options: &BundleOptions, subject: &str) -> Result<Reasons, Diagnostics> {
    crate::on_a_large_stack(|| {
        let (_, linked, live) = crate::shaken(options, &Disk::default())?;
        Ok(reasons(&linked, &live, subject))
    })
}

fn reasons(linked: &Linked, live: &Live, subject: &str) -> Reasons {
    let modules = &linked.graph.modules;
    let subject_path = subject.trim_start_matches("./");
    let is_meant = |module: &Module| {
        let path = module.shown();
        module.package.as_ref().is_some_and(|package| package.name == subject)
            || path == subject_path
            || path.ends_with(&format!("/{subject_path}"))
    };
    let reached = Reached::from_entry(linked);
    let mut meant: Vec<ModuleId> = (0..modules.len()).filter(|id| is_meant(&modules[*id])).collect();
    meant.sort_by_key(|id| reached.depth(*id));
    let kept: Vec<ModuleId> = meant.iter().copied().filter(|id| live.modules[*id]).collect();
    if meant.is_empty() {
        let names = modules.iter().flat_map(|module| {
            module.package.as_ref().map(|package| &*package.name).into_iter().chain(std::iter::once(module.shown()))
        });
        return Reasons::Unknown(nearest(subject, names).map(str::to_owned));
    }
    if kept.is_empty() {
        return Reasons::Unused(meant.into_iter().map(|id| modules[id].shown().to_owned()).collect());
    }
    let causes = Causes::of(linked, live);
    Reasons::Kept(kept.into_iter().map(|id| kept_file(linked, live, &reached, &causes, id)).collect())
}

fn kept_file(linked: &Linked, live: &Live, reached: &Reached, causes: &Causes, id: ModuleId) -> KeptFile {
    let module = &linked.graph.modules[id];
    let statements = module.esm().map_or_else(Vec::new, |body| {
        let kept = body.parts.iter().enumerate().filter(|(index, _)| live.parts[id][*index]);
        let described = kept.map(|(index, part)| KeptStatement {
            place: place_of(linked, id, part.span),
            cause: match causes.used_by.get(&(id, index)) {
                _ if part.effects == Effects::Some => Cause::Effects,
                Some((user, span)) => Cause::UsedBy(place_of(linked, *user, *span)),
                None if part.effects != Effects::None => Cause::Effects,
                None => Cause::Namespace,
            },
        });
        described.collect()
    });
    KeptFile {
        path: module.shown().to_owned(),
        package: module.package.clone(),
        original_bytes: module.source_bytes,
        chain: reached.chain(linked, id),
        statements,
    }
}

fn place_of(linked: &Linked, id: ModuleId, span: Span) -> Place {
    let sources = &linked.graph.sources.map;
    let (line, column) = place(sources, span);
    let found = if line > 0 { sources.try_lookup_char_pos(span.lo).ok() } else { None };
    let text =
        found.and_then(|found| found.file.get_line(line - 1).map(|text| text.trim().chars().take(100).collect()));
    Place { file: linked.graph.modules[id].shown().to_owned(), line, column, text: text.unwrap_or_default() }
}

/// By module, the module through which the shortest way from the entry leads, and the place of the import.
struct Reached(HashMap<ModuleId, (ModuleId, Span, usize)>);

impl Reached {
    fn from_entry(linked: &Linked) -> Self {
        let modules = &linked.graph.modules;
        let by_path: HashMap<&str, ModuleId> =
            modules.iter().enumerate().map(|(id, module)| (module.shown(), id)).collect();
        let mut found = HashMap::new();
        let mut open = VecDeque::from([(0, 0)]);
        while let Some((id, depth)) = open.pop_front() {
            for (span, import) in imports_of(&linked.graph, &modules[id]) {
                let crate::inputs::ImportTarget::File(path) = &import.to else { continue };
                if let Some(child) = by_path.get(&**path).copied().filter(|child| *child != 0)
                    && !found.contains_key(&child)
                {
                    found.insert(child, (id, span, depth + 1));
                    open.push_back((child, depth + 1));
                }
            }
        }
        Self(found)
    }

    fn depth(&self, id: ModuleId) -> usize {
        self.0.get(&id).map_or(0, |(_, _, depth)| *depth)
    }

    fn chain(&self, linked: &Linked, id: ModuleId) -> Vec<Place> {
        let mut chain = Vec::new();
        let mut next = id;
        while let Some((importer, span, _)) = self.0.get(&next) {
            chain.push(place_of(linked, *importer, *span));
            next = *importer;
        }
        chain.reverse();
        chain
    }
}

/// By statement, a statement that uses it.
struct Causes {
    used_by: HashMap<(ModuleId, usize), (ModuleId, Span)>,
}

impl Causes {
    fn of(linked: &Linked, live: &Live) -> Self {
        let mut used_by = HashMap::new();
        for (id, module) in linked.graph.modules.iter().enumerate().filter(|(id, _)| live.modules[*id]) {
            let Body::Esm(body) = &module.body else { continue };
            for (index, part) in body.parts.iter().enumerate().filter(|(index, _)| live.parts[id][*index]) {
                for used in part.uses.iter().flat_map(|used| statements_of(linked, id, used)) {
                    if used != (id, index) {
                        used_by.entry(used).or_insert((id, part.span));
                    }
                }
            }
        }
        Self { used_by }
    }
}

/// The statements that declare what is used.
fn statements_of(linked: &Linked, id: ModuleId, used: &Use) -> Vec<(ModuleId, usize)> {
    let Some(body) = linked.graph.modules[id].esm() else { return Vec::new() };
    let found = match (body.bindings.get(used.name()), used) {
        (None, _) => return declared(linked, id, used.name()),
        (Some(import), Use::Binding(_)) => linked.resolve_import(id, import),
        (Some(import), Use::Member(_, path)) => member_of_import(linked, id, import, path).0,
    };
    declared_by_binding(linked, &found)
}

fn declared_by_binding(linked: &Linked, binding: &Binding) -> Vec<(ModuleId, usize)> {
    match binding {
        Binding::Local { module, id, .. } => declared(linked, *module, id),
        Binding::Namespace(Target::Module(module)) => {
            let exports = linked.exports_of(*module);
            let local = exports.iter().filter(|(_, binding)| matches!(binding, Binding::Local { .. }));
            let found: HashSet<_> = local.flat_map(|(_, binding)| declared_by_binding(linked, binding)).collect();
            found.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn declared(linked: &Linked, id: ModuleId, name: &swc_core::ecma::ast::Id) -> Vec<(ModuleId, usize)> {
    let parts = linked.graph.modules[id].esm().and_then(|body| body.declared_by.get(name));
    parts.into_iter().flatten().map(|part| (id, *part)).collect()
}
