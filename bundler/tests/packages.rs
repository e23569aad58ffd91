//! Each call of `fixtures/packages/calls`, bundled, prints what it prints under Node with the package installed.
//!
//! `EDGEPACK_FIXTURE` chooses calls by a part of their name.

mod installed;
mod reference;
mod side_by_side;

use std::fs;
use std::path::{Path, PathBuf};

use edgepack_bundler::{Builtins, BundleOptions, Whitespace, bundle};

use crate::reference::{compare, options_for, run_bundle, run_node};
use crate::side_by_side::side_by_side;

#[test]
fn packages_answer_a_call_as_unbundled() {
    let only = std::env::var("EDGEPACK_FIXTURE").unwrap_or_default();
    let mut calls: Vec<PathBuf> = fs::read_dir(installed::calls("bundled").expect("installed"))
        .expect("calls")
        .map(|entry| entry.expect("a call").path())
        .collect();
    assert!(calls.len() >= 60, "the calls are gone: {} found", calls.len());
    calls.retain(|call| call.to_string_lossy().contains(&only));
    calls.sort();
    let fails = |call: &PathBuf| {
        let name = call.file_name().expect("a file").to_string_lossy();
        check(call).err().map(|reason| format!("── {name}\n{reason}")).into_iter().collect()
    };
    let failures: Vec<String> = side_by_side(&calls, fails);
    assert!(failures.is_empty(), "{} of {} packages fail:\n{}", failures.len(), calls.len(), failures.join("\n"));
}

fn check(call: &Path) -> Result<(), String> {
    let folder = call.parent().expect("in the folder of the calls");
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let ran = run_node(folder, &[&call.to_string_lossy()]);
    assert!(!ran.stdout.is_empty(), "{} prints nothing: {}", call.display(), String::from_utf8_lossy(&ran.stderr));
    let options = BundleOptions { builtins: Builtins::Node, ..options_for(call, Whitespace::Minimal) };
    let bundle = bundle(&options).map_err(|found| found.to_string())?;
    let found = run_bundle(&bundle, scratch.path(), folder, &[]);
    compare(&String::from_utf8_lossy(&ran.stdout), ran.status.code(), &ran.stderr, &found)
}
