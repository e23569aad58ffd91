//! What Node's builtins export, by `builtin_names.txt`, which Node itself has printed.

use std::collections::HashMap;
use std::sync::LazyLock;

static NAMES: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = include_str!("builtin_names.txt").lines();
    let entry = |line: &'static str| line.split_once(": ").map(|(name, names)| (name, names.split(' ').collect()));
    lines.filter_map(entry).collect()
});

/// The names under which `import` finds something in a builtin, but `default`; `None` if they are not known.
pub(crate) fn builtin_names(builtin: &str) -> Option<&'static [&'static str]> {
    NAMES.get(builtin).map(Vec::as_slice)
}
