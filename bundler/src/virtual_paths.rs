//! Gives every file of the app its path on the device, which says nothing about the building machine.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::package::Packages;

/// Where the app's root is on the device.
pub(crate) const APP: &str = "/app";

/// A virtual path as it is shown to the user: relative to the app's root.
pub(crate) fn below_app(path: &str) -> &str {
    path.strip_prefix(APP).map_or(path, |path| path.trim_start_matches('/'))
}

/// The virtual path of every file asked for.
#[derive(Debug)]
pub(crate) struct VirtualPaths {
    root: PathBuf,
    taken: HashMap<String, PathBuf>,
}

impl VirtualPaths {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), taken: HashMap::new() }
    }

    /// Files outside the root that would share a path are told apart by how far above the root they lie.
    pub(crate) fn assign(&mut self, file: &Path, packages: &mut Packages) -> String {
        let (wanted, levels) = self.place(file, packages);
        let mut path = format!("{APP}/{wanted}");
        let mut attempt = levels;
        while self.taken.get(&path).is_some_and(|other| other != file) {
            path = format!("{APP}/.outside/{attempt}/{wanted}");
            attempt += 1;
        }
        self.taken.insert(path.clone(), file.to_owned());
        path
    }

    fn place(&self, file: &Path, packages: &mut Packages) -> (String, usize) {
        if let Ok(inside) = file.strip_prefix(&self.root) {
            return (join(inside), 0);
        }
        let (levels, rest) = climb(&self.root, file);
        let installed = rest.components().any(|part| part.as_os_str() == "node_modules");
        if installed {
            let from = rest.components().skip_while(|part| part.as_os_str() != "node_modules");
            return (join(&from.collect::<PathBuf>()), levels);
        }
        let folder = file.parent().unwrap_or(file);
        if let Some(package) = packages.nearest_named(folder)
            && let (Some(name), Ok(inside)) = (package.name(), file.strip_prefix(&package.folder))
        {
            return (format!("node_modules/{name}/{}", join(inside)), levels);
        }
        (format!(".outside/{levels}/{}", join(&rest)), levels)
    }
}

/// How many folders above `root` the nearest common folder is, and the way down from there.
fn climb(root: &Path, file: &Path) -> (usize, PathBuf) {
    let common = root.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    (root.components().count() - common, file.components().skip(common).collect())
}

fn join(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}
