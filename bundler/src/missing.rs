//! Says what could not be found or cannot be loaded, and decides whether that ends the build.

use std::path::Path;

use crate::diagnostics::{Diagnostic, Severity};
use crate::requires::Failure;
use crate::resolve::{Request, Resolved};

/// A sentence and a hint.
pub(crate) struct Finding {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Why `specifier`, asked for by the package `importer`, leads to no module; `None` if it does.
pub(crate) fn find_fault(
    specifier: &str,
    request: Request,
    resolved: &Resolved,
    importer: Option<&str>,
) -> Option<Finding> {
    let finding = |message: String, hint: &str| Some(Finding { message, hint: hint.to_owned() });
    match resolved {
        Resolved::File(file) if file.extension().is_some_and(|extension| extension == "node") => {
            Some(native_addon(&format!("`{specifier}` is a native addon"), package_of(file).as_deref().or(importer)))
        }
        Resolved::File(file) if file.extension().is_some_and(|extension| extension == "wasm") => finding(
            format!("`{specifier}` is a WebAssembly module, which the engine does not run yet."),
            "Use a build of the package that is JavaScript only.",
        ),
        Resolved::File(file) if request == Request::Import && is_unknown(file) => finding(
            format!("`{specifier}` is no module: Node imports no files of this kind."),
            "Read it as a file: `readFileSync(new URL('./file', import.meta.url))`.",
        ),
        Resolved::File(_) if ADDON_LOADERS.contains(&specifier) => {
            Some(native_addon(&format!("`{specifier}` loads a native addon"), importer))
        }
        Resolved::File(_) | Resolved::Builtin(_) => None,
        Resolved::UnsupportedBuiltin(name) => finding(
            format!("Node's builtin `{name}` is not supported yet."),
            "Where it is optional, require it inside `try`: then it fails as if it were absent.",
        ),
        Resolved::UnknownBuiltin(name) => finding(format!("Node has no builtin `{name}`."), "Check its spelling."),
        Resolved::NotFound { reason, hint } if reason.is_empty() => {
            let fallback = if specifier.starts_with(['.', '/']) {
                "Check the path; in ES modules it must have its extension."
            } else {
                "Is the package installed? Run `npm install`."
            };
            finding(format!("`{specifier}` cannot be found."), hint.as_deref().unwrap_or(fallback))
        }
        Resolved::NotFound { reason, hint } => finding(
            format!("`{specifier}` cannot be resolved: {reason}."),
            hint.as_deref().unwrap_or("Is it the right version of the package?"),
        ),
    }
}

/// The finding as a warning, or as the error it is; `None` where the program reckons with it.
pub(crate) fn weigh(found: Diagnostic, request: Request, failure: Failure) -> Option<Diagnostic> {
    let consequence = match request {
        Request::Require => "It is only reached from inside a function: MODULE_NOT_FOUND is thrown when that happens.",
        Request::Import => "The promise is rejected with ERR_MODULE_NOT_FOUND when this is reached.",
    };
    match failure {
        Failure::Fatal => Some(found),
        Failure::Late => Some(Diagnostic { severity: Severity::Warning, ..found }.with_hint(consequence)),
        Failure::Handled => None,
    }
}

/// With an extension that `import` does not know; `require` takes any for JavaScript.
fn is_unknown(file: &Path) -> bool {
    let Some(extension) = file.extension().and_then(|extension| extension.to_str()) else { return false };
    !["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "json"].contains(&extension)
}

/// Packages whose only purpose is to load a compiled addon.
const ADDON_LOADERS: [&str; 6] = [
    "bindings",
    "node-gyp-build",
    "node-gyp-build-optional-packages",
    "node-pre-gyp",
    "@mapbox/node-pre-gyp",
    "pkg-prebuilds",
];

/// What does the same without compiled code, as far as we know.
const ALTERNATIVES: &[(&str, &str)] = &[
    ("argon2", "@noble/hashes"),
    ("bcrypt", "bcryptjs"),
    ("better-sqlite3", "sql.js/dist/sql-asm.js"),
    ("canvas", "pureimage"),
    ("farmhash", "xxhashjs"),
    ("grpc", "@grpc/grpc-js"),
    ("iconv", "iconv-lite"),
    ("leveldown", "memory-level"),
    ("libxmljs", "fast-xml-parser"),
    ("libxmljs2", "fast-xml-parser"),
    ("node-rdkafka", "kafkajs"),
    ("node-sass", "sass"),
    ("pg-native", "pg"),
    ("sharp", "jimp"),
    ("snappy", "snappyjs"),
    ("sodium-native", "sodium-javascript"),
    ("sqlite3", "sql.js/dist/sql-asm.js"),
    ("xxhash", "xxhashjs"),
    ("zstd-napi", "fzstd"),
];

fn native_addon(what: &str, package: Option<&str>) -> Finding {
    let known = ALTERNATIVES.iter().find(|(native, _)| Some(*native) == package);
    let hint = match known {
        Some((native, other)) => format!("Use `{other}` instead of `{native}`: it needs no compiled code."),
        None => "Use a package, or a version of it, that is JavaScript only.".to_owned(),
    };
    Finding { message: format!("{what}, which cannot run in the sandbox."), hint }
}

/// The innermost package in whose `node_modules` folder a file lies.
fn package_of(file: &Path) -> Option<String> {
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
    let at = parts.iter().rposition(|part| part == "node_modules")?;
    let name = parts.get(at + 1)?;
    if name.starts_with('@') { Some(format!("{name}/{}", parts.get(at + 2)?)) } else { Some(name.to_string()) }
}
