//! Draws the sizes of a bundle, and of its snapshot where they are known, as one page that needs nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Bundle;
use crate::output_sizes::output_bytes;
use crate::virtual_paths::below_app;

/// How much of something belongs to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageBytes {
    /// Its name.
    pub name: String,
    /// Its share.
    pub bytes: usize,
}

/// The page as HTML. `snapshot` is the memory of the started app by package; empty if that is not known.
#[must_use]
pub fn treemap(bundle: &Bundle, snapshot: &[PackageBytes]) -> String {
    let mut maps = vec![json!({ "name": "Script", "groups": script_groups(bundle) })];
    if !bundle.assets.is_empty() {
        maps.push(json!({ "name": "Files", "groups": asset_groups(bundle) }));
    }
    if !snapshot.is_empty() {
        let groups: Vec<Value> =
            snapshot.iter().map(|package| json!({ "name": package.name, "bytes": package.bytes })).collect();
        maps.push(json!({ "name": "Snapshot", "groups": groups }));
    }
    let name = bundle.manifest.name.as_deref().unwrap_or_else(|| below_app(&bundle.entry));
    let data = json!({ "title": format!("What is inside of {name}"), "maps": maps });
    // Nothing in the data may end the element it is in.
    include_str!("treemap.html").replace("/*DATA*/", &data.to_string().replace('<', "\\u003c"))
}

fn script_groups(bundle: &Bundle) -> Vec<Value> {
    let sizes = output_bytes(&bundle.script, &bundle.source_map);
    let own = bundle.manifest.name.as_deref().unwrap_or("the app");
    let mut groups: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
    for module in &bundle.modules {
        let package = module.package.as_ref().map_or_else(
            || own.to_owned(),
            |package| match &*package.version {
                "" => package.name.clone(),
                version => format!("{} {version}", package.name),
            },
        );
        let bytes = sizes.get(&module.path).copied().unwrap_or_default();
        groups.entry(package).or_default().push((below_app(&module.path), bytes));
    }
    let mapped: usize = sizes.values().sum();
    groups.insert("edgepack's runtime".to_owned(), vec![("", bundle.script.len().saturating_sub(mapped))]);
    groups.into_iter().map(|(name, files)| group(&name, &files)).collect()
}

fn asset_groups(bundle: &Bundle) -> Vec<Value> {
    let mut groups: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
    for asset in &bundle.assets {
        let path = below_app(&asset.path);
        let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        groups.entry(folder.to_owned()).or_default().push((path, asset.bytes.len()));
    }
    groups.into_iter().map(|(name, files)| group(&name, &files)).collect()
}

fn group(name: &str, files: &[(&str, usize)]) -> Value {
    let bytes: usize = files.iter().map(|(_, bytes)| bytes).sum();
    let files: Vec<Value> = files
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, bytes)| json!({ "name": path.rsplit('/').next(), "path": path, "bytes": bytes }))
        .collect();
    json!({ "name": name, "bytes": bytes, "files": files })
}
