//! A kept bundle is used as long as everything it was made from is as it was, and not a moment longer.

mod reference;

use std::fs;
use std::path::Path;

use edgepack_bundler::{BundleOptions, Origin, Whitespace, bundle, bundle_cached};

use crate::reference::options_for;

/// An app that asks the disk for all that can be asked for.
const APP: &[(&str, &str)] = &[
    ("package.json", r#"{ "name": "app", "edgepack": { "assets": ["public/**"] } }"#),
    ("tsconfig.json", r##"{ "compilerOptions": { "paths": { "#lib/*": ["./lib/*"] } } }"##),
    (
        "entry.ts",
        "import { a } from './a.js';\nimport { lib } from '#lib/lib.ts';\nimport installed from 'installed';
         let optional; try { optional = require('optional'); } catch {}
         const page = (name: string) => require(`./pages/${name}`);
         console.log(a, lib, installed, optional, page('one'), process.env.MODE);",
    ),
    ("a.js", "export const a = 'a';"),
    ("lib/lib.ts", "export const lib = 'lib';"),
    ("pages/one.js", "module.exports = 'page one';"),
    ("public/style.css", "body {}"),
    ("node_modules/installed/package.json", r#"{ "name": "installed", "main": "main.js" }"#),
    ("node_modules/installed/main.js", "module.exports = 'installed';"),
    ("node_modules/installed/other.js", "module.exports = 'other';"),
];

/// What is changed, and to what; nothing is a file that is removed.
const CHANGES: &[(&str, &str, Option<&str>)] = &[
    ("a file", "a.js", Some("export const a = 'changed';")),
    ("a file that shadows another one", "a.ts", Some("export const a = 'never meant by ./a.js, which is there';")),
    ("a file that is gone, so that the other one is meant", "a.js", None),
    ("an installed package's package.json", "node_modules/installed/package.json", Some(r#"{ "main": "other.js" }"#)),
    (
        "the app's package.json",
        "package.json",
        Some(r#"{ "name": "renamed", "edgepack": { "assets": ["public/**"] } }"#),
    ),
    (
        "tsconfig.json, so that there is an error",
        "tsconfig.json",
        Some(r##"{ "compilerOptions": { "paths": { "#lib/*": ["./pages/*"], "#lib/lib.ts": ["./other.ts"] } } }"##),
    ),
    ("a file that was in vain looked for", "other.ts", Some("export const lib = 'other';")),
    ("an asset", "public/style.css", Some("body { color: red }")),
    ("an asset that is new", "public/new.css", Some("p {}")),
    ("a page that is new", "pages/two.js", Some("module.exports = 'page two';")),
    ("a package that was absent", "node_modules/optional/index.js", Some("module.exports = 'optional';")),
    ("a package that leads nowhere", "node_modules/optional/package.json", Some(r#"{ "main": "./none.js" }"#)),
];

/// As it is told of in an error, so that one message suffices.
fn made(options: &BundleOptions) -> String {
    match bundle(options) {
        Ok(bundle) => format!("{bundle:?}"),
        Err(found) => found.to_string(),
    }
}

fn made_or_kept(options: &BundleOptions, cache: &Path) -> (String, Option<Origin>) {
    match bundle_cached(options, cache) {
        Ok((bundle, origin)) => (format!("{bundle:?}"), Some(origin)),
        Err(found) => (found.to_string(), None),
    }
}

struct Case {
    folder: tempfile::TempDir,
    options: BundleOptions,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = options_for(&folder.path().join("app/entry.ts"), Whitespace::Readable);
        let case = Self { folder, options };
        APP.iter().for_each(|(file, text)| case.change(file, Some(text)));
        case
    }

    fn change(&self, file: &str, text: Option<&str>) {
        let path = self.folder.path().join("app").join(file);
        match text {
            Some(text) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            None => fs::remove_file(path).unwrap(),
        }
    }

    fn cache(&self) -> std::path::PathBuf {
        self.folder.path().join("cache")
    }

    fn build(&self) -> (String, Option<Origin>) {
        made_or_kept(&self.options, &self.cache())
    }
}

#[test]
fn nothing_stale_is_used() {
    let case = Case::new();
    assert_eq!(case.build().1, Some(Origin::Sources));
    for (what, file, text) in CHANGES {
        case.change(file, *text);
        let expected = made(&case.options);
        let (first, origin) = case.build();
        assert_eq!(first, expected, "after {what} was changed");
        assert_ne!(origin, Some(Origin::Cache), "{what} is not looked at");
        let (second, origin) = case.build();
        assert_eq!(second, expected, "after {what} was changed, the second time");
        let kept = bundle(&case.options).is_ok().then_some(Origin::Cache);
        assert_eq!(origin, kept, "after {what} was changed, the second time");
    }
}

#[test]
fn what_is_asked_for_otherwise_is_made() {
    let mut case = Case::new();
    case.build();
    case.options.define = vec![("process.env.MODE".to_owned(), "fast".into())];
    assert_eq!(case.build().1, Some(Origin::Sources), "a definition counts");
    case.options.whitespace = Whitespace::Minimal;
    let (bundle, origin) = case.build();
    assert_eq!((bundle, origin), (made(&case.options), Some(Origin::Sources)), "the form counts");
    case.options.define.clear();
    case.options.whitespace = Whitespace::Readable;
    assert_eq!(case.build().1, Some(Origin::Cache), "each is kept");
}

#[test]
fn what_is_kept_badly_is_made_again() {
    let case = Case::new();
    let (expected, _) = case.build();
    let kept = fs::read_dir(case.cache()).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&kept).unwrap();
    let flipped: Vec<u8> = good.iter().enumerate().map(|(at, byte)| if at == 999 { !byte } else { *byte }).collect();
    for bad in [&flipped[..], &good[..good.len() / 2], b"", b"no bundle at all, but longer than the hash of one is"] {
        fs::write(&kept, bad).unwrap();
        assert_eq!(case.build(), (expected.clone(), Some(Origin::Sources)));
        assert_eq!(case.build(), (expected.clone(), Some(Origin::Cache)));
    }
}

#[test]
fn errors_are_not_kept() {
    let case = Case::new();
    case.change("a.js", Some("export const b = 1;"));
    let (error, origin) = case.build();
    assert_eq!((error, origin), (made(&case.options), None));
    assert!(!case.cache().exists(), "an error is kept");
}

#[test]
fn a_cache_that_cannot_be_written_to_is_no_error() {
    let case = Case::new();
    fs::write(case.cache(), "a file").unwrap();
    assert_eq!(case.build(), (made(&case.options), Some(Origin::Sources)));
}
