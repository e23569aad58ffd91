//! A packed app → what is in its snapshot that its author may not know of: who holds the heap, what looks like a secret,
//! what it found out about its environment, what it has open, what it assumes.

use std::collections::BTreeMap;

use edgepack_format::container::Assumption;
use edgepack_format::guest::Package;
use edgepack_snapshots::{Audit, Position, Snapshot, Sum};
use serde_json::{Value, json};
use sourcemap::SourceMap;

use crate::failure::Failure;
use crate::positions::{Place, in_map};
use crate::secrets::{self, Secret};

/// What an audit found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The heap by package, the largest first.
    pub(crate) packages: Vec<(String, Sum)>,
    /// The heap by constructor, the largest first.
    pub(crate) constructors: Vec<(String, Sum)>,
    /// Strings that look like secrets, and where they are.
    pub(crate) secrets: Vec<(Secret, String)>,
    /// Values of the environment that were put in at build time, by name.
    pub(crate) built_in: Vec<String>,
    /// Variables that were found unset, as they are not granted.
    pub(crate) unset: Vec<String>,
    /// What is open, by kind.
    pub(crate) resources: BTreeMap<String, usize>,
    /// What boot checks.
    pub(crate) assumptions: Vec<Assumption>,
}

/// Text of the app itself, and what is compiled from it.
pub(crate) const OWN_CODE: &str = "(code and text of the script)";
/// What the bundler has put in to load modules.
const LOADING: &str = "(loading of modules)";
const APP: &str = "(the app itself)";

/// What is known of the app beside its snapshot.
pub(crate) struct Subject<'a> {
    pub(crate) package: &'a Package<'a>,
    pub(crate) source_map: &'a str,
    /// Names that were defined on the command line.
    pub(crate) defined: Vec<String>,
    /// package.json's `edgepack`.
    pub(crate) edgepack: &'a Value,
    /// The memory before any app.
    pub(crate) base_memory: &'a [u8],
}

/// The audit in terms of the app's sources.
pub(crate) fn findings(subject: &Subject<'_>, snapshot: &Snapshot, audit: Audit) -> Result<Findings, Failure> {
    let map = SourceMap::from_slice(subject.source_map.as_bytes()).ok();
    let assumptions = snapshot.started.iter().flat_map(edgepack_snapshots::Started::assumptions).cloned().collect();
    Ok(Findings {
        packages: by_package(map.as_ref(), &audit.places),
        secrets: secrets(subject, map.as_ref(), &audit)?,
        constructors: audit.constructors,
        built_in: subject.defined.iter().filter(|name| name.starts_with("process.env.")).cloned().collect(),
        unset: audit.unset.into_iter().collect(),
        resources: audit.resources,
        assumptions,
    })
}

/// Sums by package of what was made at places of the script.
pub(crate) fn by_package(map: Option<&SourceMap>, places: &[(Option<Position>, Sum)]) -> Vec<(String, Sum)> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for (position, sum) in places {
        let name = position.map_or_else(|| OWN_CODE.to_owned(), |position| package_at(map, position));
        *sums.entry(name).or_default() += *sum;
    }
    let mut sums: Vec<(String, Sum)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.bytes));
    sums
}

/// The package that has made most.
pub(crate) fn largest(source_map: &str, places: &[(Option<Position>, Sum)]) -> Option<(String, Sum)> {
    let map = SourceMap::from_slice(source_map.as_bytes()).ok();
    by_package(map.as_ref(), places).into_iter().find(|(name, _)| name != OWN_CODE)
}

/// The package of a place in the script, as npm names it.
pub(crate) fn package_at(map: Option<&SourceMap>, position: Position) -> String {
    match map.and_then(|map| in_map(map, position)) {
        Some(place) => package_of(&place).unwrap_or(APP).to_owned(),
        None => LOADING.to_owned(),
    }
}

fn package_of(place: &Place) -> Option<&str> {
    let (_, below) = place.file.rsplit_once("node_modules/")?;
    let parts = if below.starts_with('@') { 2 } else { 1 };
    let end = below.match_indices('/').nth(parts - 1).map_or(below.len(), |(at, _)| at);
    below.get(..end)
}

/// In the script, in the app's files, and in what start-up has made of both.
fn secrets(subject: &Subject<'_>, map: Option<&SourceMap>, audit: &Audit) -> Result<Vec<(Secret, String)>, Failure> {
    let allowed = allowed(subject.edgepack)?;
    let mut found: Vec<(Secret, String)> = Vec::new();
    let mut add = |secret: Secret, at: String| {
        let is_known = found.iter().any(|(other, _)| other.fingerprint == secret.fingerprint);
        if !is_known && !allowed.contains(&secret.fingerprint) {
            found.push((secret, at));
        }
    };
    let script = subject.package.script.as_bytes();
    for secret in secrets::find(script) {
        let place = map.and_then(|map| in_map(map, position_of(script, secret.range.start)));
        add(secret, place.map_or_else(|| "the script".to_owned(), |place| place.to_string()));
    }
    for (path, content) in &subject.package.files {
        secrets::find(content).into_iter().for_each(|secret| add(secret, (*path).to_owned()));
    }
    for secret in secrets::find(&changed(&audit.memory, subject.base_memory)) {
        let place = audit.made_by(secret.range.start).and_then(|position| in_map(map?, position));
        add(secret, place.map_or_else(|| "the heap".to_owned(), |place| format!("{place}, in the heap")));
    }
    Ok(found)
}

/// Line and column, from 1, of an offset.
fn position_of(text: &[u8], offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: number(line), column: number(offset - start + 1) }
}

/// The memory with zeros where it is as it was before the app.
fn changed(memory: &[u8], base: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut changed = memory.to_vec();
    for (own, base) in changed.chunks_mut(BLOCK).zip(base.chunks(BLOCK)) {
        if own == base {
            own.fill(0);
        }
    }
    changed
}

/// `"edgepack": { "audit": { "allow": ["0123abcd"] } }`.
fn allowed(edgepack: &Value) -> Result<Vec<String>, Failure> {
    let list = &edgepack["audit"]["allow"];
    let texts = match list {
        Value::Null => Some(Vec::new()),
        Value::Array(entries) => entries.iter().map(|entry| entry.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    texts.ok_or_else(|| {
        Failure::new("\"audit\" in package.json is malformed: \"allow\" must be a list of fingerprints.")
            .hint("It looks like this: \"edgepack\": { \"audit\": { \"allow\": [\"0123abcd\"] } }")
    })
}

/// The failure of `--deny-secrets`, if there is any.
pub(crate) fn denied(secrets: &[(Secret, String)]) -> Result<(), Failure> {
    let Some((first, at)) = secrets.first() else { return Ok(()) };
    let more = if secrets.len() > 1 { format!(", and {} more", secrets.len() - 1) } else { String::new() };
    let sentence = format!("{at}: {} ({}) would be in the executable{more}", first.kind, first.preview);
    Err(Failure::new(sentence).hint(format!(
        "read it from the environment or a file at boot; if it is no secret, package.json can say so: \"edgepack\": {{ \"audit\": {{ \"allow\": [\"{}\"] }} }}",
        first.fingerprint
    )))
}

/// One object.
pub(crate) fn json(found: &Findings) -> Value {
    let sums = |sums: &[(String, Sum)]| -> Vec<Value> {
        let sum = |(name, sum): &(String, Sum)| json!({ "name": name, "count": sum.count, "bytes": sum.bytes });
        sums.iter().map(sum).collect()
    };
    let secret = |(secret, at): &(Secret, String)| json!({ "kind": secret.kind, "at": at, "preview": secret.preview, "fingerprint": secret.fingerprint });
    let guards = |assumption: &Assumption| -> Vec<Value> {
        let guard = |guard: &edgepack_format::container::Guard| json!({ "call": guard.call, "args": guard.args, "result": guard.result });
        assumption.guards.iter().map(guard).collect()
    };
    json!({
        "heap": { "packages": sums(&found.packages), "constructors": sums(&found.constructors) },
        "secrets": found.secrets.iter().map(secret).collect::<Vec<_>>(),
        "environment": { "built_in": found.built_in, "unset": found.unset },
        "open": found.resources,
        "guards": found.assumptions.iter().map(guards).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(file: &str) -> Option<String> {
        let place = Place { file: file.to_owned(), line: 1, column: 1 };
        package_of(&place).map(str::to_owned)
    }

    #[test]
    fn a_file_belongs_to_the_innermost_package() {
        assert_eq!(package("node_modules/a/node_modules/@s/b/lib/c.js").as_deref(), Some("@s/b"));
        assert_eq!(package("node_modules/a/c.js").as_deref(), Some("a"));
        assert_eq!(package("src/a.js"), None);
    }

    #[test]
    fn offsets_are_lines_and_columns() {
        assert_eq!(position_of(b"ab\ncd", 4), Position { line: 2, column: 2 });
        assert_eq!(position_of(b"ab\ncd", 0), Position { line: 1, column: 1 });
    }

    #[test]
    fn only_what_the_app_changed_is_searched() {
        let mut memory = vec![7_u8; 256];
        memory[100] = 1;
        let changed = changed(&memory, &[7; 128]);
        assert_eq!((changed[0], changed[64], changed[100], changed[200]), (0, 7, 1, 7));
    }
}
