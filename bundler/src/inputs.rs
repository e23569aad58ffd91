//! Describes what was loaded for a bundle: files, sizes, and which asks for which.

use serde::{Deserialize, Serialize};
use swc_core::common::{SourceMap, Span};

use crate::PackageId;
use crate::graph::{Body, Graph, Module, Target};
use crate::requires::DependencyKind;
use crate::virtual_paths::below_app;

/// A file that was loaded, whether or not anything of it was kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    /// Relative to the app's root.
    pub path: String,
    /// The size of its source.
    pub bytes: usize,
    /// Its module system.
    pub format: InputFormat,
    /// The package it belongs to.
    pub package: Option<PackageId>,
    /// What it asks for, in the order of the source.
    pub imports: Vec<Import>,
}

/// A module system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputFormat {
    /// ECMAScript's.
    Esm,
    /// Node's own.
    CommonJs,
    /// A value.
    Json,
}

/// One place where a module asks for another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    /// As it is written.
    pub specifier: String,
    /// How it is asked for.
    pub kind: ImportKind,
    /// Where it leads.
    pub to: ImportTarget,
    /// One-based; zero if the place is not known.
    pub line: usize,
    /// One-based, in characters.
    pub column: usize,
}

/// How a module asks for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportKind {
    /// `import` and `export … from`.
    Static,
    /// `require()`.
    Require,
    /// `require.resolve()`.
    RequireResolve,
    /// `import()`.
    Dynamic,
}

/// Where a specifier leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportTarget {
    /// A file, by its path relative to the app's root.
    File(String),
    /// One of Node's builtins, without `node:`.
    Builtin(String),
    /// Nowhere: it fails at run time.
    Missing,
}

/// All files of the graph, the entry first.
pub(crate) fn describe_inputs(graph: &Graph) -> Vec<Input> {
    graph.modules.iter().map(|module| describe(graph, module)).collect()
}

fn describe(graph: &Graph, module: &Module) -> Input {
    Input {
        path: module.shown().to_owned(),
        bytes: module.source_bytes,
        format: match &module.body {
            Body::Esm(_) => InputFormat::Esm,
            Body::CommonJs(body) if body.is_json => InputFormat::Json,
            Body::CommonJs(_) => InputFormat::CommonJs,
        },
        package: module.package.clone(),
        imports: imports_of(graph, module).into_iter().map(|(_, import)| import).collect(),
    }
}

/// What `module` asks for, in the order of the source, with where it does.
pub(crate) fn imports_of(graph: &Graph, module: &Module) -> Vec<(Span, Import)> {
    let mut found = Vec::new();
    let mut add = |specifier: &str, kind, target: &Target, span: Span| {
        let (line, column) = place(&graph.sources.map, span);
        let to = match target {
            Target::Module(id) => ImportTarget::File(graph.modules[*id].shown().to_owned()),
            Target::Builtin(name) => ImportTarget::Builtin(name.clone()),
            Target::File(_, path) => ImportTarget::File(below_app(path).to_owned()),
            Target::Missing(_) => ImportTarget::Missing,
        };
        found.push((span, Import { specifier: specifier.to_owned(), kind, to, line, column }));
    };
    for (record, target) in module.esm().into_iter().flat_map(|body| body.imports.iter().zip(&module.import_targets)) {
        add(&record.specifier, ImportKind::Static, target, record.span);
    }
    for requests in module.requests() {
        for asked in &requests.dependencies {
            if let Some(target) = module.targets.get(&asked.span) {
                add(&asked.specifier, kind_of(asked.kind), target, asked.span);
            }
        }
        for pattern in &requests.patterns {
            let specifier = format!("{}*{}", pattern.prefix, pattern.suffix);
            for target in module.matches.get(&pattern.span).into_iter().flatten() {
                add(&specifier, kind_of(pattern.kind), target, pattern.span);
            }
        }
    }
    found.sort_by_key(|(span, _)| span.lo);
    found
}

fn kind_of(kind: DependencyKind) -> ImportKind {
    match kind {
        DependencyKind::Require => ImportKind::Require,
        DependencyKind::RequireResolve => ImportKind::RequireResolve,
        DependencyKind::DynamicImport => ImportKind::Dynamic,
    }
}

/// Line and column, one-based; zeros if there is no such place.
pub(crate) fn place(sources: &SourceMap, span: Span) -> (usize, usize) {
    let found = if span.is_dummy() { None } else { sources.try_lookup_char_pos(span.lo).ok() };
    found.map_or((0, 0), |found| (found.line, found.col.0 + 1))
}
