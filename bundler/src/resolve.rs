//! Finds the file that a specifier means, as Node does for `require` and for `import`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgepack_format::builtins::{self, Builtin};
use oxc_resolver::{ResolveError, ResolveOptions, Resolver, TsConfig, TsconfigDiscovery};

use crate::Builtins;

/// How a module asks for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Require,
    Import,
}

/// What a specifier leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolved {
    File(PathBuf),
    /// By the name without `node:`.
    Builtin(String),
    /// A builtin of Node's that the engine does not have.
    UnsupportedBuiltin(String),
    UnknownBuiltin(String),
    /// The reason is empty if there is just nothing.
    NotFound {
        reason: String,
        hint: Option<String>,
    },
}

/// Node's resolution over the disk.
pub(crate) struct NodeResolver {
    require: Resolver,
    import: Resolver,
    lenient_import: Resolver,
}

impl NodeResolver {
    pub(crate) fn new() -> Self {
        let require = Resolver::new(options(&["node", "require", "module-sync", "default"], EXTENSIONS));
        let import_conditions = ["node", "import", "module-sync", "default"];
        let import = require.clone_with_options(options(&import_conditions, &[]));
        let lenient_import = require.clone_with_options(options(&import_conditions, EXTENSIONS));
        Self { require, import, lenient_import }
    }

    /// What `specifier` means in the file `importer`.
    pub(crate) fn resolve(&self, importer: &Path, specifier: &str, request: Request, builtins: Builtins) -> Resolved {
        if let Some(builtin) = builtins::classify(specifier) {
            return match builtin {
                Builtin::Supported(name) => Resolved::Builtin(name.to_owned()),
                Builtin::NotYet(name) if builtins == Builtins::Node => Resolved::Builtin(name.to_owned()),
                Builtin::NotYet(name) => Resolved::UnsupportedBuiltin(name.to_owned()),
                Builtin::Unknown(name) => Resolved::UnknownBuiltin(name.to_owned()),
            };
        }
        match self.resolve_from(importer, specifier, request) {
            Ok(path) => Resolved::File(path),
            Err(reason) => Resolved::NotFound { reason, hint: None },
        }
    }

    /// The tsconfig.json that governs `file`, with all that it extends.
    pub(crate) fn tsconfig(&self, file: &Path) -> Result<Option<Arc<TsConfig>>, String> {
        self.require.find_tsconfig(file).map_err(|error| explain_tsconfig(&error))
    }

    /// Finds a file from a folder, without regard to any tsconfig.json.
    pub(crate) fn resolve_file(&self, folder: &Path, specifier: &str, request: Request) -> Result<PathBuf, String> {
        self.find(request, |resolver| resolver.resolve(folder, specifier))
    }

    /// The reason for a failure names no path of the building machine.
    fn resolve_from(&self, importer: &Path, specifier: &str, request: Request) -> Result<PathBuf, String> {
        let specifier = specifier.strip_prefix("file://").unwrap_or(specifier);
        let folder = importer.parent().unwrap_or(importer);
        self.find(request, |resolver| match resolver.resolve_file(importer, specifier) {
            // Told of where the file is read.
            Err(error) if is_about_tsconfig(&error) => resolver.resolve(folder, specifier),
            result => result,
        })
    }

    fn find(
        &self,
        request: Request,
        ask: impl Fn(&Resolver) -> Result<oxc_resolver::Resolution, ResolveError>,
    ) -> Result<PathBuf, String> {
        let result = match request {
            Request::Require => ask(&self.require),
            // TypeScript sources leave extensions out, and so do the entry points of some old packages.
            Request::Import => ask(&self.import).or_else(|first| ask(&self.lenient_import).map_err(|_| first)),
        };
        result.map(oxc_resolver::Resolution::into_path_buf).map_err(|error| explain(&error))
    }
}

fn is_about_tsconfig(error: &ResolveError) -> bool {
    matches!(
        error,
        ResolveError::TsconfigNotFound(_)
            | ResolveError::TsconfigSelfReference(_)
            | ResolveError::TsconfigCircularExtend(_)
            | ResolveError::TsconfigLoadFailed { .. }
    )
}

fn explain_tsconfig(error: &ResolveError) -> String {
    match error {
        ResolveError::TsconfigNotFound(path) => {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            format!("The tsconfig.json of this file extends `{name}`, which cannot be found.")
        }
        ResolveError::TsconfigCircularExtend(_) => "The tsconfig.json of this file extends itself.".to_owned(),
        ResolveError::TsconfigLoadFailed { source, .. } => match &**source {
            ResolveError::Json(error) => {
                let reason = error.message.split(" at line ").next().unwrap_or_default();
                let (line, column) = (error.line, error.column);
                format!("The tsconfig.json of this file is broken at line {line}, column {column}: {reason}.")
            }
            _ => "The tsconfig.json of this file cannot be read.".to_owned(),
        },
        _ => "The tsconfig.json of this file cannot be used.".to_owned(),
    }
}

/// After Node's own come those of TypeScript, which Node's loaders add in the same way.
const EXTENSIONS: &[&str] = &[".js", ".json", ".node", ".ts", ".tsx", ".jsx", ".mts", ".cts", ".mjs", ".cjs"];

fn options(conditions: &[&str], extensions: &[&str]) -> ResolveOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    ResolveOptions {
        condition_names: owned(conditions),
        extensions: owned(extensions),
        extension_alias: vec![
            (".js".to_owned(), owned(&[".js", ".ts", ".tsx", ".jsx"])),
            (".mjs".to_owned(), owned(&[".mjs", ".mts"])),
            (".cjs".to_owned(), owned(&[".cjs", ".cts"])),
        ],
        node_path: false,
        tsconfig: Some(TsconfigDiscovery::Auto),
        ..ResolveOptions::default()
    }
}

fn explain(error: &ResolveError) -> String {
    match error {
        ResolveError::PackagePathNotExported { subpath, .. } => {
            format!("its package.json does not export `{subpath}` for these conditions")
        }
        ResolveError::PackageImportNotDefined(name, _) => format!("package.json has no `imports` entry `{name}`"),
        ResolveError::InvalidPackageConfig(_) | ResolveError::Json(_) => "its package.json is broken".to_owned(),
        ResolveError::InvalidPackageTarget(target, ..) => format!("`exports` names the invalid target `{target}`"),
        _ => String::new(),
    }
}
