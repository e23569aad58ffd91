//! Loads the entry and everything reachable from it into one graph of modules.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use swc_core::common::{DUMMY_SP, FileName, Span};
use swc_core::ecma::ast::{Function, FunctionBody, Id};

use crate::ahead::{Ahead, Source, parsing_ahead};
use crate::assemble::is_strict;
use crate::commonjs_parts::{CommonJsParts, cut_commonjs};
use crate::define::Defines;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::dialect::Dialect;
use crate::disk::Disk;
use crate::entry::App;
use crate::json::json_module;
use crate::known_text::known_names;
use crate::missing::{find_fault, weigh};
use crate::package::{PackageType, Packages, broken_json};
use crate::parse::{Parsed, Sources, SyntaxError};
use crate::patterns::matching_files;
use crate::queries::query_of;
use crate::require_aliases::with_aliases;
use crate::requires::{Dependency, DependencyKind, Failure, ModuleNames, Requests};
use crate::resolve::{NodeResolver, Request, Resolved};
use crate::scan::{EsModule, WrapperNames, scan_module};
use crate::source_text::read_text;
use crate::virtual_paths::{VirtualPaths, below_app};
use crate::{BundleOptions, PackageId};

/// Index of a module in `Graph::modules`; the entry is 0.
pub(crate) type ModuleId = usize;

/// All modules reachable from the entry, in breadth-first order of their first import.
pub(crate) struct Graph {
    pub(crate) sources: Sources,
    pub(crate) modules: Vec<Module>,
    /// What was wrong while loading; the graph is as whole as it can be without that.
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) packages: Packages,
    pub(crate) virtual_paths: VirtualPaths,
    /// Modules that are left to be loaded at run time, though they are no builtins.
    pub(crate) externals: BTreeSet<String>,
}

/// One file.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// On the device.
    pub(crate) path: String,
    /// `?…` or `#…` behind the path: with another one a file is another module.
    pub(crate) query: String,
    pub(crate) package: Option<PackageId>,
    /// Its package says that importing it does nothing by itself.
    pub(crate) may_drop_unused: bool,
    pub(crate) typescript: bool,
    pub(crate) source_bytes: usize,
    pub(crate) body: Body,
    /// Where each `require` and `import()` leads, by the span of the call.
    pub(crate) targets: HashMap<Span, Target>,
    /// What each `require` and `import()` of a name that is partly known may mean, by the span of the call.
    pub(crate) matches: HashMap<Span, Vec<Target>>,
    /// Where each record of `EsModule::imports` leads.
    pub(crate) import_targets: Vec<Target>,
    importer: Option<ModuleId>,
}

/// A module's code.
pub(crate) enum Body {
    CommonJs(Box<CommonJs>),
    Esm(Box<EsModule>),
}

/// A CommonJS module: the function around it, and what it asks for.
pub(crate) struct CommonJs {
    pub(crate) function: Function,
    pub(crate) parts: CommonJsParts,
    /// Of all parts.
    pub(crate) requests: Requests,
    pub(crate) is_json: bool,
    /// Its code is strict, or would do the same if it were.
    pub(crate) may_be_strict: bool,
}

/// Where a specifier leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Module(ModuleId),
    /// By the name without `node:`.
    Builtin(String),
    /// A file whose path is asked for, and which is not loaded: where it is on the building machine, and on the device.
    File(PathBuf, String),
    /// Fails at run time, with this message.
    Missing(String),
}

impl Module {
    /// The path shown to the user: relative to the app's root.
    pub(crate) fn shown(&self) -> &str {
        below_app(&self.path)
    }

    pub(crate) fn esm(&self) -> Option<&EsModule> {
        match &self.body {
            Body::Esm(module) => Some(module),
            Body::CommonJs(_) => None,
        }
    }

    pub(crate) fn commonjs(&self) -> Option<&CommonJs> {
        match &self.body {
            Body::CommonJs(module) => Some(module),
            Body::Esm(_) => None,
        }
    }

    /// What the pieces of its code ask for.
    pub(crate) fn requests(&self) -> Vec<&Requests> {
        match &self.body {
            Body::CommonJs(body) => vec![&body.requests],
            Body::Esm(body) => body.parts.iter().map(|part| &part.requests).collect(),
        }
    }

    /// Where the calls in a piece of its code may lead.
    pub(crate) fn leads(&self, requests: &Requests) -> Vec<(DependencyKind, &Target)> {
        let known = requests.dependencies.iter().filter_map(|it| Some((it.kind, self.targets.get(&it.span)?)));
        let partly = requests.patterns.iter().flat_map(|pattern| {
            self.matches.get(&pattern.span).into_iter().flatten().map(|target| (pattern.kind, target))
        });
        known.chain(partly).collect()
    }
}

/// Loads the whole graph, and goes on after errors.
pub(crate) fn load_graph(app: &App, options: &BundleOptions) -> Result<Graph, Diagnostics> {
    parsing_ahead(|ahead| load(app, options, ahead))
}

fn load(app: &App, options: &BundleOptions, ahead: Ahead) -> Result<Graph, Diagnostics> {
    let mut loader = Loader {
        disk: app.disk.clone(),
        ahead,
        options,
        resolver: NodeResolver::new(&app.disk),
        graph: Graph {
            sources: Sources::new(Defines::choose(app, options)?),
            modules: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            packages: Packages::new(&app.disk),
            virtual_paths: VirtualPaths::new(&app.root),
            externals: BTreeSet::new(),
        },
        by_file: HashMap::new(),
        queue: VecDeque::new(),
        failures: Vec::new(),
        unknown: Vec::new(),
    };
    loader.enqueue(app.entry.clone(), None);
    while let Some(queued) = loader.queue.pop_front() {
        let id = loader.graph.modules.len();
        let module = loader.load(queued);
        loader.graph.modules.push(module);
        loader.follow(id);
    }
    loader.judge_failures();
    loader.tell_of_broken_packages();
    loader.warn_of_unknown();
    Ok(loader.graph)
}

struct Loader<'a> {
    disk: Disk,
    ahead: Ahead,
    options: &'a BundleOptions,
    resolver: NodeResolver,
    graph: Graph,
    by_file: HashMap<(PathBuf, String), ModuleId>,
    queue: VecDeque<Queued>,
    /// Requests that cannot succeed; whether that matters is known when everything is loaded.
    failures: Vec<FailedRequest>,
    /// Calls of `require` and `import` whose specifiers are not known.
    unknown: Vec<(ModuleId, Span)>,
}

struct FailedRequest {
    module: ModuleId,
    specifier: String,
    request: Request,
    failure: Failure,
    /// How many errors were met before.
    errors_before: usize,
    found: Diagnostic,
}

/// A file whose turn comes when those before it have been followed.
struct Queued {
    file: PathBuf,
    query: String,
    importer: Option<ModuleId>,
    text: Text,
}

/// What is in a file.
enum Text {
    Unreadable(Box<Diagnostic>),
    Json(String),
    /// Being worked on; how long it is.
    Source(Source, usize),
}

/// A place that asks for a module.
struct Asked<'a> {
    specifier: &'a str,
    request: Request,
    span: Span,
    failure: Failure,
}

impl Loader<'_> {
    fn enqueue(&mut self, file: PathBuf, importer: Option<ModuleId>) -> ModuleId {
        self.enqueue_with(file, String::new(), importer)
    }

    fn enqueue_with(&mut self, file: PathBuf, query: String, importer: Option<ModuleId>) -> ModuleId {
        let next = self.by_file.len();
        let known = *self.by_file.entry((file.clone(), query.clone())).or_insert(next);
        if known == next {
            let text = self.read(&file);
            self.queue.push_back(Queued { file, query, importer, text });
        }
        known
    }

    /// Reads a file, and begins to parse it.
    fn read(&mut self, file: &Path) -> Text {
        let packages = &mut self.graph.packages;
        let path = self.graph.virtual_paths.assign(file, packages);
        let package = packages.nearest(file.parent().unwrap_or(file));
        let package_type = package.map_or(PackageType::Unstated, |package| package.package_type());
        match read_text(&self.disk, file, below_app(&path)) {
            Err(found) => Text::Unreadable(found),
            Ok(text) if file.extension().is_some_and(|extension| extension == "json") => Text::Json(text),
            Ok(text) => {
                let bytes = text.len();
                let dialect = self.dialect(file);
                let file = self.graph.sources.map.new_source_file(FileName::Custom(path).into(), text);
                let source = Source { file, dialect, package: package_type };
                self.ahead.start(source.clone(), &self.graph.sources.setting);
                Text::Source(source, bytes)
            }
        }
    }

    fn load(&mut self, queued: Queued) -> Module {
        let Queued { file, query, importer, text } = queued;
        let folder = file.parent().unwrap_or(&file).to_owned();
        let packages = &mut self.graph.packages;
        let path = self.graph.virtual_paths.assign(&file, packages);
        let package = packages.nearest(&folder);
        let named = packages.nearest_named(&folder);
        let mut module = Module {
            package: named.as_ref().and_then(|package| {
                let version = package.version().unwrap_or_default().to_owned();
                Some(PackageId { name: package.name()?.to_owned(), version })
            }),
            may_drop_unused: package.is_some_and(|package| package.may_drop_unused(&file))
                || named.is_some_and(|package| package.may_drop_unused(&file)),
            typescript: matches!(&text, Text::Source(source, _) if source.dialect.is_typescript()),
            source_bytes: 0,
            body: Body::CommonJs(Box::new(CommonJs {
                function: Function::default(),
                parts: CommonJsParts::default(),
                requests: Requests::default(),
                is_json: false,
                may_be_strict: false,
            })),
            targets: HashMap::new(),
            matches: HashMap::new(),
            import_targets: Vec::new(),
            importer,
            file,
            path,
            query,
        };
        match self.body_of(&mut module, text) {
            Ok(body) => module.body = body,
            Err(found) => {
                let importers = self.importers(importer, module.shown());
                let found = found.into_iter().map(|found| Diagnostic { importers: importers.clone(), ..found });
                self.graph.errors.extend(found);
            }
        }
        module
    }

    /// A tsconfig.json that is broken is told of once, and then as if it were not there.
    fn dialect(&mut self, file: &Path) -> Dialect {
        // TypeScript leaves JavaScript alone unless told otherwise; the JSX in it is still that of the project.
        let has_jsx = file.extension().is_some_and(|extension| extension == "jsx");
        let asked = if has_jsx { file.with_extension("tsx") } else { file.to_owned() };
        match self.resolver.tsconfig(&asked) {
            Ok(tsconfig) => Dialect::of(file, tsconfig.as_deref()),
            Err(reason) => {
                if !self.graph.errors.iter().any(|found| found.message == reason) {
                    let path = self.graph.virtual_paths.assign(file, &mut self.graph.packages);
                    self.graph.errors.push(Diagnostic::of_file(Severity::Error, below_app(&path), reason));
                }
                Dialect::of(file, None)
            }
        }
    }

    fn body_of(&mut self, module: &mut Module, text: Text) -> Result<Body, Vec<Diagnostic>> {
        let sources = &self.graph.sources;
        let shown = module.shown().to_owned();
        let source = match text {
            Text::Unreadable(found) => return Err(vec![*found]),
            Text::Json(text) => return json_body(sources, module, text),
            Text::Source(source, bytes) => {
                module.source_bytes = bytes;
                source
            }
        };
        let parsed = self.ahead.finish(&source, sources).map_err(|errors| {
            let finding = |error: SyntaxError| {
                let sentence = format!("Syntax error: {}.", error.message.trim_end_matches('.'));
                Diagnostic::of_file(Severity::Error, &shown, sentence).at(&sources.map, error.span)
            };
            errors.into_iter().map(finding).collect::<Vec<_>>()
        })?;
        Ok(match parsed {
            Parsed::CommonJs(function) => Body::CommonJs(Box::new(commonjs_of(sources, *function, IsJson::No))),
            Parsed::Esm(program) => {
                let wrapper = wrapper_names(&source.dialect, source.package);
                Body::Esm(Box::new(scan_module(sources, program, &stem_of(&module.file), wrapper)))
            }
        })
    }

    /// Resolves everything that module `id` asks for, and queues what is new.
    fn follow(&mut self, id: ModuleId) {
        let module = &self.graph.modules[id];
        let records: Vec<(String, Span)> = module.esm().map_or_else(Vec::new, |body| {
            body.imports.iter().map(|record| (record.specifier.clone(), record.span)).collect()
        });
        let asked: Vec<Requests> = module.requests().into_iter().cloned().collect();
        for (specifier, span) in records {
            let asked = Asked { specifier: &specifier, request: Request::Import, span, failure: Failure::Fatal };
            let target = self.target(id, &asked);
            self.graph.modules[id].import_targets.push(target);
        }
        for dependency in asked.iter().flat_map(|requests| &requests.dependencies) {
            let target = self.dependency_target(id, dependency);
            self.graph.modules[id].targets.insert(dependency.span, target);
        }
        for pattern in asked.iter().flat_map(|requests| &requests.patterns) {
            let files = matching_files(&self.disk, &self.graph.modules[id].file, pattern);
            let targets = files.into_iter().map(|file| Target::Module(self.enqueue(file, Some(id)))).collect();
            self.graph.modules[id].matches.insert(pattern.span, targets);
        }
        self.warn_of_eval(id);
        self.unknown.extend(asked.iter().flat_map(|requests| &requests.unknown_specifiers).map(|span| (id, *span)));
    }

    /// One warning for each package: more places of it would say nothing new.
    fn warn_of_unknown(&mut self) {
        let unknown = std::mem::take(&mut self.unknown);
        let package_of = |id: ModuleId| self.graph.modules[id].package.clone();
        let mut places: BTreeMap<Option<PackageId>, usize> = BTreeMap::new();
        for (id, _) in &unknown {
            *places.entry(package_of(*id)).or_default() += 1;
        }
        for (id, span) in unknown {
            let package = self.graph.modules[id].package.clone();
            let Some(count) = places.remove(&package) else { continue };
            let name = package.map_or_else(String::new, |package| format!(" in `{}`", package.name));
            let message = match count {
                1 => format!("Which module is asked for here{name} is only known at run time."),
                2 => format!("Which modules are asked for here and in one more place{name} is only known at run time."),
                count => format!(
                    "Which modules are asked for here and in {} more places{name} is only known at run time.",
                    count - 1
                ),
            };
            let warning = self.place(id, Severity::Warning, span, &message).with_hint(
                "Builtins and modules that something else imports are found; any other throws MODULE_NOT_FOUND.",
            );
            self.graph.warnings.push(warning);
        }
    }

    /// CommonJS modules are functions of their own and keep their names.
    fn warn_of_eval(&mut self, id: ModuleId) {
        let body = self.graph.modules[id].esm();
        let Some(part) = body.and_then(|body| body.parts.iter().find(|part| part.requests.calls_eval)) else { return };
        let span = part.span;
        let warning = self
            .place(
                id,
                Severity::Warning,
                span,
                "A direct `eval` in an ES module may not find the module's imports by their names.",
            )
            .with_hint("Call `eval` on code that needs nothing from outside, as `(0, eval)(code)`.");
        self.graph.warnings.push(warning);
    }

    fn dependency_target(&mut self, id: ModuleId, dependency: &Dependency) -> Target {
        let request = match dependency.kind {
            DependencyKind::DynamicImport => Request::Import,
            DependencyKind::Require | DependencyKind::RequireResolve => Request::Require,
        };
        let Dependency { specifier, span, failure, .. } = dependency;
        if dependency.kind == DependencyKind::RequireResolve {
            let importer = self.graph.modules[id].file.clone();
            if let Resolved::File(file) = self.resolver.resolve(&importer, specifier, request, self.options.builtins) {
                let path = self.graph.virtual_paths.assign(&file, &mut self.graph.packages);
                return Target::File(file, path);
            }
        }
        self.target(id, &Asked { specifier, request, span: *span, failure: *failure })
    }

    fn target(&mut self, id: ModuleId, asked: &Asked<'_>) -> Target {
        let module = &self.graph.modules[id];
        let specifier = asked.specifier;
        let resolved = if is_external(specifier, &self.options.external) {
            self.graph.externals.insert(specifier.to_owned());
            Resolved::Builtin(specifier.to_owned())
        } else {
            self.resolver.resolve(&module.file, specifier, asked.request, self.options.builtins)
        };
        let importer = module.package.as_ref().map(|package| package.name.clone());
        if let Some(fault) = find_fault(specifier, asked.request, &resolved, importer.as_deref()) {
            let found = self.place(id, Severity::Error, asked.span, &fault.message).with_hint(fault.hint);
            self.missing(id, asked, found);
            return Target::Missing(format!("Cannot find module '{specifier}'"));
        }
        match resolved {
            Resolved::File(file) => {
                let query = query_of(specifier, asked.request, &file, &mut self.graph.packages).to_owned();
                Target::Module(self.enqueue_with(file, query, Some(id)))
            }
            Resolved::Builtin(name) => Target::Builtin(name),
            _ => Target::Missing(format!("Cannot find module '{specifier}'")),
        }
    }

    /// Where a failure may be expected it is left to the run; elsewhere it ends the build.
    fn missing(&mut self, id: ModuleId, asked: &Asked<'_>, found: Diagnostic) {
        let failure = asked.failure;
        match asked.request {
            Request::Import if failure == Failure::Fatal => self.graph.errors.push(found),
            request => {
                let errors_before = self.graph.errors.len();
                let specifier = asked.specifier.to_owned();
                self.failures.push(FailedRequest { module: id, specifier, request, failure, errors_before, found });
            }
        }
    }

    fn tell_of_broken_packages(&mut self) {
        for broken in std::mem::take(&mut self.graph.packages.broken) {
            let path = self.graph.virtual_paths.assign(&broken.file, &mut self.graph.packages);
            self.graph.errors.push(broken.diagnostic(below_app(&path)));
        }
    }

    /// What fails is no error where its module is itself only asked for in `try` or in functions.
    fn judge_failures(&mut self) {
        let certain = self.loaded_unless(Failure::Late);
        let expected = self.loaded_unless(Failure::Handled);
        let mut told = BTreeSet::new();
        let mut warnings = Vec::new();
        let mut errors = Vec::new();
        for failed in std::mem::take(&mut self.failures) {
            let module = &self.graph.modules[failed.module];
            let failure = match failed.failure {
                _ if !expected[failed.module] => Failure::Handled,
                Failure::Fatal if !certain[failed.module] => Failure::Late,
                failure => failure,
            };
            let Some(found) = weigh(failed.found, failed.request, failure) else { continue };
            match found.severity {
                Severity::Error => errors.push((failed.errors_before, found)),
                // Once for each package.
                Severity::Warning if told.insert((module.package.clone(), failed.specifier)) => warnings.push(found),
                Severity::Warning => {}
            }
        }
        for (before, found) in errors.into_iter().rev() {
            self.graph.errors.insert(before, found);
        }
        self.graph.warnings.extend(warnings);
    }

    /// By module: whether it is loaded, were all requests of at least this mildness not there.
    fn loaded_unless(&self, mild: Failure) -> Vec<bool> {
        let mut loaded = vec![false; self.graph.modules.len()];
        let mut open = vec![0];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut loaded[id], true) {
                continue;
            }
            let module = &self.graph.modules[id];
            let dependencies = module.requests().into_iter().flat_map(|requests| &requests.dependencies);
            let asked = dependencies.filter(|it| it.failure < mild).filter_map(|it| module.targets.get(&it.span));
            let matches = module.matches.values().flatten().filter(|_| mild > Failure::Late);
            open.extend(asked.chain(matches).chain(&module.import_targets).filter_map(|target| match target {
                Target::Module(id) => Some(*id),
                Target::Builtin(_) | Target::File(..) | Target::Missing(_) => None,
            }));
        }
        loaded
    }

    fn place(&self, id: ModuleId, severity: Severity, span: Span, message: &str) -> Diagnostic {
        let module = &self.graph.modules[id];
        let mut found = Diagnostic::of_file(severity, module.shown(), message).at(&self.graph.sources.map, span);
        found.importers = self.importers(module.importer, module.shown());
        found
    }

    /// The chain of files from the entry to `last`.
    fn importers(&self, importer: Option<ModuleId>, last: &str) -> Vec<String> {
        let mut chain = vec![last.to_owned()];
        let mut next = importer;
        while let Some(id) = next {
            chain.push(self.graph.modules[id].shown().to_owned());
            next = self.graph.modules[id].importer;
        }
        chain.reverse();
        chain
    }
}

fn json_body(sources: &Sources, module: &mut Module, text: String) -> Result<Body, Vec<Diagnostic>> {
    module.source_bytes = text.len();
    let file = sources.map.new_source_file(FileName::Custom(module.path.clone()).into(), text);
    let span = Span::new(file.start_pos, file.end_pos);
    let function = json_module(&file.src, span, sources.unresolved_ctxt())
        .map_err(|error| vec![broken_json(module.shown(), &file.src, &error)])?;
    Ok(Body::CommonJs(Box::new(commonjs_of(sources, function, IsJson::Yes))))
}

/// TypeScript that is no ES module for its package was written to be compiled to CommonJS.
fn wrapper_names(dialect: &Dialect, package: PackageType) -> WrapperNames {
    let compiled = matches!(&*dialect.extension, "ts" | "tsx") && package != PackageType::Module;
    if compiled { WrapperNames::Known } else { WrapperNames::Undeclared }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsJson {
    Yes,
    No,
}

fn commonjs_of(sources: &Sources, mut function: Function, is_json: IsJson) -> CommonJs {
    let params: Vec<Id> =
        function.params.iter().filter_map(|param| param.pat.as_ident().map(|name| name.to_id())).collect();
    let names = ModuleNames {
        requires: params.get(1).map_or_else(Vec::new, |require| with_aliases(require, &function)),
        wrapper: params.first().map_or_else(|| sources.unresolved_ctxt(), |param| param.1),
        create_requires: Vec::new(),
        texts: Rc::new(known_names(&function.body)),
    };
    let mut requests = Requests::default();
    let body = function.body.get_or_insert_with(|| FunctionBody { span: DUMMY_SP, stmts: Vec::new() });
    let parts = cut_commonjs(sources, &mut body.stmts, &names);
    parts.parts.iter().for_each(|part| requests.add(part.requests.clone()));
    let is_json = is_json == IsJson::Yes;
    CommonJs { may_be_strict: is_json || is_strict(&function), function, parts, requests, is_json }
}

/// A package that is left to be loaded at run time, or something in it.
fn is_external(specifier: &str, external: &[String]) -> bool {
    external
        .iter()
        .any(|name| specifier.strip_prefix(&**name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A file's name as the beginning of an identifier.
fn stem_of(file: &Path) -> String {
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert(0, '_');
    }
    name
}
