//! No source makes the bundler panic: the fixtures' sources, cut up, doubled and put together at random.
//!
//! The inputs are the same at every run. `EDGEPACK_FUZZ_SECONDS` goes on with others for that long. What once made it
//! panic lies in `fuzz/corpus/bundle`, and is tried first.

mod reference;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use edgepack_bundler::{Whitespace, bundle};

use crate::reference::{Random, options_for, project};

const CASES: u64 = 400;

#[test]
fn no_source_makes_it_panic() {
    let sources = sources();
    assert!(sources.len() > 300, "the fixtures are gone: {} sources found", sources.len());
    for file in files(&project("fuzz/corpus/bundle")) {
        try_files(&[("entry.mjs".to_owned(), fs::read(&file).expect("readable"))], &file.to_string_lossy());
    }
    let seconds = std::env::var("EDGEPACK_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut seed = 0;
    while seed < CASES || Instant::now() < end {
        let mut random = Random(seed);
        try_files(&random_files(&mut random, &sources), &format!("seed {seed}"));
        seed += 1;
    }
}

fn try_files(files: &[(String, Vec<u8>)], name: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    let entry = folder.path().join(&files[0].0);
    let Err(found) = bundle(&options_for(&entry, Whitespace::Minimal)) else { return };
    if found.to_string().contains("defect of edgepack") {
        let kept = folder.keep();
        panic!("{name} made it panic, in {}: {found}", kept.display());
    }
}

/// All source files of the bundler's fixtures.
fn sources() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![project("fixtures/bundler")];
    while let Some(folder) = open.pop() {
        for path in files(&folder) {
            let kind = fs::symlink_metadata(&path).expect("it is there").file_type();
            let extension =
                path.extension().map_or_else(String::new, |extension| extension.to_string_lossy().into_owned());
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() && ["js", "mjs", "cjs", "ts", "tsx", "jsx", "cts", "json"].contains(&&*extension) {
                found.push((extension, fs::read(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// One to four files that name each other, as the sources in them happen to do.
fn random_files(random: &mut Random, sources: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let names = ["entry", "lib", "a", "b"];
    let count = 1 + random.below(names.len());
    let mut made: Vec<(String, Vec<u8>)> = names[..count]
        .iter()
        .map(|name| {
            let (extension, bytes) = &sources[random.below(sources.len())];
            (format!("{name}.{extension}"), mutated(random, bytes, sources))
        })
        .collect();
    if random.once_in(4) {
        let (extension, bytes) = &sources[random.below(sources.len())];
        let bytes =
            if extension == "json" { mutated(random, bytes, sources) } else { b"{ \"type\": \"module\" }".to_vec() };
        made.push((["package.json", "tsconfig.json"][random.below(2)].to_owned(), bytes));
    }
    made
}

fn mutated(random: &mut Random, bytes: &[u8], sources: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    for _ in 0..random.below(4) {
        let from = random.below(text.len() + 1);
        let length = random.below(40).min(text.len() - from);
        match random.below(6) {
            0 => drop(text.drain(from..from + length)),
            1 => {
                let piece = text[from..from + length].to_vec();
                let at = random.below(text.len() + 1);
                text.splice(at..at, piece);
            }
            2 => {
                let (_, other) = &sources[random.below(sources.len())];
                let start = random.below(other.len() + 1);
                let piece = &other[start..other.len().min(start + random.below(80))];
                text.splice(from..from + length, piece.iter().copied());
            }
            3 => text.splice(from..from, TOKENS[random.below(TOKENS.len())].bytes()).for_each(drop),
            4 if from < text.len() => {
                text[from] = text[from].wrapping_add(u8::try_from(random.below(255)).unwrap_or(1))
            }
            _ => text.truncate(from),
        }
    }
    text
}

const TOKENS: [&str; 36] = [
    "import './a.mjs';\n",
    "export * from './lib.mjs';\n",
    "export default ",
    "import x from './b.cjs';\n",
    "await ",
    "yield ",
    "require('./a')",
    "import('./' + x)",
    "import.meta",
    "class A { static { ",
    "}",
    "{",
    "(",
    ")",
    "`${",
    "=>",
    "...",
    "/*",
    "//",
    "<!--",
    "\u{2028}",
    "\u{feff}",
    "\0",
    "'",
    "\"",
    "\\u{110000}",
    "async ",
    "enum E { A = ",
    "namespace N { ",
    "@dec ",
    "<div>",
    "</div>",
    "using x = ",
    "export {",
    "__proto__",
    "eval('",
];
