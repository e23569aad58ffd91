//! Everything that the bundler can say about an app is said in a fixture: each sentence in its sources, message or hint,
//! is in an `errors.txt` or a `warnings.txt`, but for those in `fixtures/bundler/unsaid.txt`, which say why: exactly
//! those.

mod reference;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::reference::project;

/// The sources that say something; the others print code.
const SPEAKERS: [&str; 14] = [
    "advice",
    "assets",
    "define",
    "early_errors",
    "entry",
    "graph",
    "lib",
    "link",
    "missing",
    "package",
    "parse",
    "resolve",
    "source_text",
    "virtual_paths",
];

#[test]
fn every_sentence_is_said_in_a_fixture() {
    let fixtures = project("fixtures/bundler");
    let said: Vec<String> = files(&fixtures)
        .into_iter()
        .filter(|file| file.ends_with("errors.txt") || file.ends_with("warnings.txt"))
        .flat_map(|file| read(&file).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let sentences: BTreeSet<String> = SPEAKERS
        .iter()
        .flat_map(|name| literals(&read(&project(&format!("bundler/src/{name}.rs")))))
        .filter(|literal| is_sentence(literal))
        .collect();
    assert!(sentences.len() > 50, "the sentences are gone: {} found", sentences.len());
    let unsaid: Vec<&str> =
        sentences.iter().filter(|it| !said.iter().any(|line| says(line, it))).map(String::as_str).collect();
    let listed = read(&fixtures.join("unsaid.txt"));
    let listed: Vec<&str> = listed.lines().filter_map(|line| Some(line.split_once(" # ")?.0)).collect();
    let missing: Vec<_> = unsaid.iter().filter(|sentence| !listed.contains(sentence)).collect();
    let stale: Vec<_> = listed.iter().filter(|sentence| !unsaid.contains(sentence)).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "no fixture shows {missing:#?}\nthese are shown, or gone: {stale:#?}"
    );
}

/// Three words at least, for people.
fn is_sentence(literal: &str) -> bool {
    literal.split(' ').filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '`' || c == '{')).count() >= 3
}

/// Whether `line` holds the fixed parts of `sentence`, in order.
fn says(line: &str, sentence: &str) -> bool {
    let mut rest = line;
    sentence.split('{').enumerate().all(|(index, part)| {
        let fixed = if index == 0 { part } else { part.split_once('}').map_or(part, |(_, fixed)| fixed) };
        let found = rest.find(fixed);
        rest = found.map_or("", |at| &rest[at + fixed.len()..]);
        found.is_some()
    })
}

/// The string literals of Rust code, but for its tests, reasons of lints, and what cannot be reached.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        rest = if from.starts_with("//") {
            from.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(text) = from.strip_prefix('"') {
            let end = end_of_literal(text);
            let for_machines = ["reason = ", "unreachable!(", "panic!("].iter().any(|it| before.ends_with(it));
            if !for_machines {
                found.push(unescaped(&text[..end]));
            }
            &text[end + 1..]
        } else if let Some(after) = from.strip_prefix("'\"'") {
            after
        } else {
            &from[1..]
        };
    }
    found
}

fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.expect("a literal has an end")
}

fn unescaped(text: &str) -> String {
    let lines = text.split("\\\n").map(str::trim_start).collect::<String>();
    lines.replace("\\\"", "\"").replace("\\n", "\n")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
