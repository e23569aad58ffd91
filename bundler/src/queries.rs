//! Finds what behind a specifier's path makes another module of the same file: `./a.mjs?fresh`.

use std::path::Path;

use crate::package::{PackageType, Packages};
use crate::resolve::Request;

/// `?…` or `#…`, if `file` is surely an ES module: CommonJS modules are known by their files.
pub(crate) fn query_of<'a>(specifier: &'a str, request: Request, file: &Path, packages: &mut Packages) -> &'a str {
    let at = specifier.find(['?', '#']).filter(|at| *at > 0 && request == Request::Import);
    let Some((_, query)) = at.and_then(|at| specifier.split_at_checked(at)) else { return "" };
    let package = packages.nearest(file.parent().unwrap_or(file));
    let is_module = package.is_some_and(|package| package.package_type() == PackageType::Module);
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("mjs" | "mts") => query,
        Some("js" | "ts") if is_module => query,
        _ => "",
    }
}
