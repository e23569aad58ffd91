//! Each call of `fixtures/packages/calls`, bundled, prints what it prints under Node with the package installed.
//!
//! `EDGEPACK_FIXTURE` chooses calls by a part of their name.

mod installed;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use edgepack_bundler::{Builtins, BundleOptions, Whitespace, bundle};

use crate::reference::{compare, options_for, run_bundle, run_node};

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
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        while let Some(call) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = call.file_name().expect("a file").to_string_lossy().into_owned();
            failures.extend(check(call).err().map(|reason| format!("── {name}\n{reason}")));
        }
        failures
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker panicked")).collect()
    });
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
