//! Finds the file that a specifier means, as Node does for `require` and for `import`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgepack_format::builtins::{self, Builtin};
use oxc_resolver::{ResolveError, ResolveOptions, ResolverGeneric, TsConfig, TsconfigDiscovery};

use crate::Builtins;
use crate::advice::advise;
use crate::disk::Disk;

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
    disk: Disk,
    require: Resolver,
    import: Resolver,
    lenient_import: Resolver,
}

type Resolver = ResolverGeneric<Disk>;

impl NodeResolver {
    pub(crate) fn new(disk: &Disk) -> Self {
        let require = Resolver::new_with_file_system(
            disk.clone(),
            options(&["node", "require", "module-sync", "default"], EXTENSIONS),
        );
        let import_conditions = ["node", "import", "module-sync", "default"];
        let import = require.clone_with_options(options(&import_conditions, &[]));
        let lenient_import = require.clone_with_options(options(&import_conditions, EXTENSIONS));
        Self { disk: disk.clone(), require, import, lenient_import }
    }

    /// What `specifier` means in the file `importer`.
    pub(crate) fn resolve(&self, importer: &Path, specifier: &str, request: Request, builtins: Builtins) -> Resolved {
        if let Some(builtin) = resolve_builtin(specifier, builtins) {
            return builtin;
        }
        match self.resolve_from(importer, specifier, request) {
            Ok(path) => Resolved::File(path),
            Err(error) => {
                // `imports` of package.json may name one.
                let builtin = match &error {
                    ResolveError::Builtin { resolved, .. } => resolve_builtin(resolved, builtins),
                    _ => None,
                };
                builtin.unwrap_or_else(|| not_found(&self.disk, importer, specifier, &error))
            }
        }
    }

    /// The tsconfig.json that governs `file`, with all that it extends.
    pub(crate) fn tsconfig(&self, file: &Path) -> Result<Option<Arc<TsConfig>>, String> {
        self.require.find_tsconfig(file).map_err(|error| explain_tsconfig(&error))
    }

    /// Finds a file from a folder, without regard to any tsconfig.json.
    pub(crate) fn resolve_file(&self, folder: &Path, specifier: &str, request: Request) -> Option<PathBuf> {
        self.find(request, |resolver| resolver.resolve(folder, specifier)).ok()
    }

    fn resolve_from(&self, importer: &Path, specifier: &str, request: Request) -> Result<PathBuf, ResolveError> {
        // In ES modules paths are parts of URLs.
        let decoded = match specifier.strip_prefix("file://") {
            Some(path) => percent_decoded(path),
            None if request == Request::Import && specifier.starts_with(['.', '/']) => percent_decoded(specifier),
            None => specifier.to_owned(),
        };
        let specifier = &*decoded;
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
    ) -> Result<PathBuf, ResolveError> {
        let result = match request {
            Request::Require => ask(&self.require),
            // TypeScript sources leave extensions out, and so do the entry points of some old packages.
            Request::Import => ask(&self.import).or_else(|first| ask(&self.lenient_import).map_err(|_| first)),
        };
        result.map(oxc_resolver::Resolution::into_path_buf)
    }
}

fn resolve_builtin(specifier: &str, builtins: Builtins) -> Option<Resolved> {
    Some(match builtins::classify(specifier)? {
        Builtin::Supported(name) => Resolved::Builtin(name.to_owned()),
        Builtin::NotYet(name) if builtins == Builtins::Node => Resolved::Builtin(name.to_owned()),
        Builtin::NotYet(name) => Resolved::UnsupportedBuiltin(name.to_owned()),
        Builtin::Unknown(name) => Resolved::UnknownBuiltin(name.to_owned()),
    })
}

/// The reason names no path of the building machine.
fn not_found(disk: &Disk, importer: &Path, specifier: &str, error: &ResolveError) -> Resolved {
    let hint = match error {
        ResolveError::Json(_) => Some("Mend it, or install the package again.".to_owned()),
        _ => advise(disk, importer, specifier),
    };
    Resolved::NotFound { reason: explain(error), hint }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
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
        builtin_modules: true,
        ..ResolveOptions::default()
    }
}

fn explain(error: &ResolveError) -> String {
    match error {
        ResolveError::PackagePathNotExported { subpath, .. } => {
            format!("its package.json does not export `{subpath}` for these conditions")
        }
        ResolveError::PackageImportNotDefined(name, _) => format!("package.json has no `imports` entry `{name}`"),
        ResolveError::Json(error) => {
            let reason = error.message.split(" at line ").next().unwrap_or_default();
            format!("its package.json is broken at line {}, column {}: {reason}", error.line, error.column)
        }
        ResolveError::InvalidPackageConfig(_) => {
            "`exports` in its package.json has both paths and conditions at the top".to_owned()
        }
        ResolveError::InvalidModuleSpecifier(..) => "`#` is only the beginning of a name".to_owned(),
        ResolveError::InvalidPackageTarget(target, ..) => format!("`exports` names the invalid target `{target}`"),
        _ => String::new(),
    }
}
