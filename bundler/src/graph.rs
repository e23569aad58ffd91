//! Loads the entry and everything reachable from it into one graph of modules.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use swc_core::common::{SourceMapper, Span};
use swc_core::ecma::ast::{Function, Id};

use crate::define::Defines;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::entry::App;
use crate::json::json_module;
use crate::package::{PackageType, Packages};
use crate::parse::{Parsed, Sources, parse_source};
use crate::requires::{Dependency, DependencyKind, ModuleNames, Requests, find_requests};
use crate::resolve::{NodeResolver, Request, Resolved};
use crate::scan::{EsModule, scan_module};
use crate::virtual_paths::{APP, VirtualPaths};
use crate::{BundleOptions, PackageId};

/// Index of a module in `Graph::modules`; the entry is 0.
pub(crate) type ModuleId = usize;

/// All modules reachable from the entry, in breadth-first order of their first import.
pub(crate) struct Graph {
    pub(crate) sources: Sources,
    pub(crate) modules: Vec<Module>,
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
    pub(crate) package: Option<PackageId>,
    /// Its package says that importing it does nothing by itself.
    pub(crate) may_drop_unused: bool,
    pub(crate) typescript: bool,
    pub(crate) source_bytes: usize,
    pub(crate) body: Body,
    /// Where each `require` and `import()` leads, by the span of the call.
    pub(crate) targets: HashMap<Span, Target>,
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
    pub(crate) requests: Requests,
    pub(crate) is_json: bool,
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
        self.path.strip_prefix(APP).map_or(&*self.path, |path| path.trim_start_matches('/'))
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
}

/// Loads the whole graph; all errors on the way are reported together.
pub(crate) fn load_graph(app: &App, options: &BundleOptions) -> Result<Graph, Diagnostics> {
    let mut loader = Loader {
        options,
        resolver: NodeResolver::new(),
        graph: Graph {
            sources: Sources::new(Defines::choose(app, options)?),
            modules: Vec::new(),
            warnings: Vec::new(),
            packages: Packages::default(),
            virtual_paths: VirtualPaths::new(&app.root),
            externals: BTreeSet::new(),
        },
        by_file: HashMap::new(),
        queue: VecDeque::new(),
        errors: Vec::new(),
        failed_requires: Vec::new(),
    };
    loader.enqueue(app.entry.clone(), None);
    while let Some((file, id, importer)) = loader.queue.pop_front() {
        let module = loader.load(file, importer);
        debug_assert_eq!(loader.graph.modules.len(), id);
        loader.graph.modules.push(module);
        loader.follow(id);
    }
    loader.judge_failed_requires();
    if loader.errors.is_empty() {
        return Ok(loader.graph);
    }
    loader.errors.append(&mut loader.graph.warnings);
    Err(Diagnostics(loader.errors))
}

struct Loader<'a> {
    options: &'a BundleOptions,
    resolver: NodeResolver,
    graph: Graph,
    by_file: HashMap<PathBuf, ModuleId>,
    queue: VecDeque<(PathBuf, ModuleId, Option<ModuleId>)>,
    errors: Vec<Diagnostic>,
    /// Top-level `require`s that cannot succeed, with the index in `errors` before which they were met.
    failed_requires: Vec<FailedRequire>,
}

struct FailedRequire {
    module: ModuleId,
    errors_before: usize,
    found: Diagnostic,
}

/// A place that asks for a module.
struct Asked<'a> {
    specifier: &'a str,
    request: Request,
    span: Span,
    guarded: bool,
}

impl Loader<'_> {
    fn enqueue(&mut self, file: PathBuf, importer: Option<ModuleId>) -> ModuleId {
        let next = self.by_file.len();
        *self.by_file.entry(file.clone()).or_insert_with(|| {
            self.queue.push_back((file, next, importer));
            next
        })
    }

    fn load(&mut self, file: PathBuf, importer: Option<ModuleId>) -> Module {
        let folder = file.parent().unwrap_or(&file).to_owned();
        let packages = &mut self.graph.packages;
        let path = self.graph.virtual_paths.assign(&file, packages);
        let package = packages.nearest(&folder);
        let package_type = package.as_ref().map_or(PackageType::Unstated, |package| package.package_type());
        let named = packages.nearest_named(&folder);
        let extension = file.extension().map_or_else(String::new, |extension| extension.to_string_lossy().into_owned());
        let mut module = Module {
            package: named.as_ref().and_then(|package| {
                let version = package.version().unwrap_or_default().to_owned();
                Some(PackageId { name: package.name()?.to_owned(), version })
            }),
            may_drop_unused: package.is_some_and(|package| package.may_drop_unused(&file))
                || named.is_some_and(|package| package.may_drop_unused(&file)),
            typescript: matches!(&*extension, "ts" | "mts" | "cts" | "tsx"),
            source_bytes: 0,
            body: Body::CommonJs(Box::new(CommonJs {
                function: Function::default(),
                requests: Requests::default(),
                is_json: false,
            })),
            targets: HashMap::new(),
            import_targets: Vec::new(),
            importer,
            file,
            path,
        };
        match self.read_body(&mut module, &extension, package_type) {
            Ok(body) => module.body = body,
            Err(mut found) => {
                found.importers = self.importers(importer, module.shown());
                self.errors.push(*found);
            }
        }
        module
    }

    fn read_body(&self, module: &mut Module, extension: &str, package: PackageType) -> Result<Body, Box<Diagnostic>> {
        let sources = &self.graph.sources;
        let shown = module.shown().to_owned();
        let bytes = fs::read(&module.file).map_err(|error| {
            Diagnostic::of_file(Severity::Error, &shown, format!("`{shown}` cannot be read: {error}."))
        })?;
        module.source_bytes = bytes.len();
        let text = String::from_utf8(bytes)
            .map_err(|_| Diagnostic::of_file(Severity::Error, &shown, format!("`{shown}` is not valid UTF-8.")))?;
        if extension == "json" {
            let function =
                json_module(&text, sources.unresolved_ctxt()).map_err(|error| broken_json(&shown, &text, &error))?;
            return Ok(Body::CommonJs(Box::new(commonjs_of(sources, function, IsJson::Yes))));
        }
        let parsed = parse_source(sources, &module.path, extension, package, text).map_err(|error| {
            let sentence = format!("Syntax error: {}.", error.message.trim_end_matches('.'));
            let found = Diagnostic::of_file(Severity::Error, &shown, sentence).at(&sources.map, error.span);
            let snippet = sources.map.span_to_snippet(error.span).unwrap_or_default();
            if snippet.starts_with('@') || matches!(extension, "tsx" | "jsx") {
                found.with_hint("Decorators and JSX are not supported yet: compile them before bundling.")
            } else {
                found
            }
        })?;
        Ok(match parsed {
            Parsed::CommonJs(function) => Body::CommonJs(Box::new(commonjs_of(sources, *function, IsJson::No))),
            Parsed::Esm(program) => Body::Esm(Box::new(scan_module(sources, program, &stem_of(&module.file)))),
        })
    }

    /// Resolves everything that module `id` asks for, and queues what is new.
    fn follow(&mut self, id: ModuleId) {
        let module = &self.graph.modules[id];
        let (dependencies, records, unknown): (Vec<Dependency>, Vec<(String, Span)>, Vec<Span>) = match &module.body {
            Body::CommonJs(body) => {
                (body.requests.dependencies.clone(), Vec::new(), body.requests.unknown_specifiers.clone())
            }
            Body::Esm(body) => (
                body.parts.iter().flat_map(|part| part.requests.dependencies.iter().cloned()).collect(),
                body.imports.iter().map(|record| (record.specifier.clone(), record.span)).collect(),
                body.parts.iter().flat_map(|part| part.requests.unknown_specifiers.iter().copied()).collect(),
            ),
        };
        for (specifier, span) in records {
            let asked = Asked { specifier: &specifier, request: Request::Import, span, guarded: false };
            let target = self.target(id, &asked);
            self.graph.modules[id].import_targets.push(target);
        }
        for dependency in dependencies {
            let target = self.dependency_target(id, &dependency);
            self.graph.modules[id].targets.insert(dependency.span, target);
        }
        self.warn_of_eval(id);
        for span in unknown {
            let warning = self
                .place(id, Severity::Warning, span, "The module asked for here is only known at run time.")
                .with_hint("It is found if it is a builtin, or if something else imports it; otherwise this throws MODULE_NOT_FOUND.");
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
        let Dependency { specifier, span, .. } = dependency;
        if dependency.kind == DependencyKind::RequireResolve {
            let folder = self.graph.modules[id].file.parent().map_or_else(PathBuf::new, Path::to_owned);
            if let Resolved::File(file) = self.resolver.resolve(&folder, specifier, request, self.options.builtins) {
                let path = self.graph.virtual_paths.assign(&file, &mut self.graph.packages);
                return Target::File(file, path);
            }
        }
        // Asking where a module is may well fail, and a failing `import()` is a rejected promise.
        let guarded = dependency.guarded || dependency.kind != DependencyKind::Require;
        self.target(id, &Asked { specifier, request, span: *span, guarded })
    }

    fn target(&mut self, id: ModuleId, asked: &Asked<'_>) -> Target {
        let folder = self.graph.modules[id].file.parent().map_or_else(PathBuf::new, Path::to_owned);
        let specifier = asked.specifier;
        if is_external(specifier, &self.options.external) {
            self.graph.externals.insert(specifier.to_owned());
            return Target::Builtin(specifier.to_owned());
        }
        match self.resolver.resolve(&folder, specifier, asked.request, self.options.builtins) {
            Resolved::File(file) => match unloadable(&file) {
                Some((what, hint)) => self.missing(id, asked, &format!("`{specifier}` is {what}."), hint),
                None => Target::Module(self.enqueue(file, Some(id))),
            },
            Resolved::Builtin(name) => Target::Builtin(name),
            Resolved::UnsupportedBuiltin(name) => {
                let message = format!("Node's builtin `{name}` is not supported yet.");
                self.missing(
                    id,
                    asked,
                    &message,
                    "Where it is optional, require it inside `try`: then it fails as if it were absent.",
                )
            }
            Resolved::UnknownBuiltin(name) => {
                self.missing(id, asked, &format!("Node has no builtin `{name}`."), "Check its spelling.")
            }
            Resolved::NotFound(reason) if reason.is_empty() => {
                let hint = if specifier.starts_with(['.', '/']) {
                    "Check the path; in ES modules it must have its extension."
                } else {
                    "Is the package installed? Run `npm install`."
                };
                self.missing(id, asked, &format!("`{specifier}` cannot be found."), hint)
            }
            Resolved::NotFound(reason) => self.missing(
                id,
                asked,
                &format!("`{specifier}` cannot be resolved: {reason}."),
                "Is it the right version of the package?",
            ),
        }
    }

    /// Where a failure may be expected it is left to the run; elsewhere it ends the build.
    fn missing(&mut self, id: ModuleId, asked: &Asked<'_>, message: &str, hint: &str) -> Target {
        if asked.guarded {
            let warning = self.place(id, Severity::Warning, asked.span, message).with_hint(match asked.request {
                Request::Require => {
                    "It is asked for inside `try` or a function: it throws MODULE_NOT_FOUND when it is reached."
                }
                Request::Import => "The promise is rejected with ERR_MODULE_NOT_FOUND when this is reached.",
            });
            self.graph.warnings.push(warning);
        } else {
            let found = self.place(id, Severity::Error, asked.span, message).with_hint(hint);
            match asked.request {
                Request::Require => {
                    let errors_before = self.errors.len();
                    self.failed_requires.push(FailedRequire { module: id, errors_before, found });
                }
                Request::Import => self.errors.push(found),
            }
        }
        Target::Missing(format!("Cannot find module '{}'", asked.specifier))
    }

    /// A `require` that must fail is no error where its module is itself only asked for in `try` or in functions.
    fn judge_failed_requires(&mut self) {
        let certain = self.certainly_loaded();
        for failed in std::mem::take(&mut self.failed_requires).into_iter().rev() {
            if certain[failed.module] {
                self.errors.insert(failed.errors_before, failed.found);
            } else {
                let hint = "Its module is only asked for inside `try` or a function: it throws MODULE_NOT_FOUND when it is reached.";
                let warning = Diagnostic { severity: Severity::Warning, ..failed.found }.with_hint(hint);
                self.graph.warnings.push(warning);
            }
        }
    }

    /// By module: whether it is loaded whenever the program runs to its end.
    fn certainly_loaded(&self) -> Vec<bool> {
        let mut certain = vec![false; self.graph.modules.len()];
        let mut open = vec![0];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut certain[id], true) {
                continue;
            }
            let module = &self.graph.modules[id];
            let dependencies: Vec<&Dependency> = match &module.body {
                Body::CommonJs(body) => body.requests.dependencies.iter().collect(),
                Body::Esm(body) => body.parts.iter().flat_map(|part| &part.requests.dependencies).collect(),
            };
            let required = dependencies.into_iter().filter(|it| it.kind == DependencyKind::Require && !it.guarded);
            let targets = required.filter_map(|it| module.targets.get(&it.span)).chain(&module.import_targets);
            open.extend(targets.filter_map(|target| match target {
                Target::Module(id) => Some(*id),
                Target::Builtin(_) | Target::File(..) | Target::Missing(_) => None,
            }));
        }
        certain
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

fn broken_json(shown: &str, text: &str, error: &serde_json::Error) -> Diagnostic {
    let sentence = error.to_string();
    let reason = sentence.rsplit_once(" at line ").map_or(&*sentence, |(reason, _)| reason);
    Diagnostic::of_file(Severity::Error, shown, format!("This is not valid JSON: {reason}.")).at_line(
        text,
        error.line(),
        error.column(),
    )
}

/// What cannot be loaded as a module, and what to do instead.
fn unloadable(file: &Path) -> Option<(&'static str, &'static str)> {
    match file.extension()?.to_str()? {
        "node" => Some((
            "a native addon, which cannot run in the sandbox",
            "Use a package, or a version of it, that is JavaScript or WebAssembly only.",
        )),
        "wasm" => Some((
            "a WebAssembly module, which cannot be imported yet",
            "Read it as a file and compile it with `WebAssembly`.",
        )),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsJson {
    Yes,
    No,
}

fn commonjs_of(sources: &Sources, function: Function, is_json: IsJson) -> CommonJs {
    let params: Vec<Id> =
        function.params.iter().filter_map(|param| param.pat.as_ident().map(|name| name.to_id())).collect();
    let names = ModuleNames {
        requires: params.get(1).cloned().into_iter().collect(),
        wrapper: params.first().map_or_else(|| sources.unresolved_ctxt(), |param| param.1),
        create_requires: Vec::new(),
    };
    let requests = find_requests(&function.body, &names);
    CommonJs { function, requests, is_json: is_json == IsJson::Yes }
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
