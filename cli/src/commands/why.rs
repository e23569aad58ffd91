//! `edgepack build --why`: a package or a file → the way to it, and what keeps each of its statements.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use anyhow::Result;
use edgepack_bundler::{BundleOptions, Cause, KeptFile, KeptStatement, Place, Reasons, explain};

use crate::failure::Failure;
use crate::report::size;

/// More files of a package than these are only counted.
const FILES_MAX: usize = 20;

/// Prints why `subject` is in the bundle.
pub(crate) fn why(options: &BundleOptions, subject: &str) -> Result<()> {
    match explain(options, subject)? {
        Reasons::Unknown(meant) => {
            let failure = Failure::new(format!("nothing in the app asks for {subject}"));
            return Err(match meant {
                Some(meant) => failure.hint(format!("did you mean {meant}?")),
                None => failure,
            }
            .into());
        }
        Reasons::Unused(files) => {
            println!("{subject} is loaded, but nothing of it is kept:");
            files.iter().for_each(|file| println!("  {file}"));
        }
        Reasons::Kept(files) => {
            for file in files.iter().take(FILES_MAX) {
                print(file);
            }
            if files.len() > FILES_MAX {
                println!("and {} more files", files.len() - FILES_MAX);
            }
        }
    }
    Ok(())
}

fn print(file: &KeptFile) {
    let package =
        file.package.as_ref().map_or_else(String::new, |package| format!("{} {}, ", package.name, package.version));
    println!("{} ({package}{})", file.path, size(file.original_bytes));
    if file.chain.is_empty() {
        println!("  is the entry");
    }
    for (index, place) in file.chain.iter().enumerate() {
        println!("  {} {}", if index == 0 { "from" } else { "then" }, shown(place));
    }
    if file.statements.is_empty() {
        println!("  is kept as a whole: it is a CommonJS module");
    }
    for statement in &file.statements {
        println!("    {}", kept(statement));
    }
}

fn shown(place: &Place) -> String {
    format!("{}:{}:{}  {}", place.file, place.line, place.column, place.text)
}

fn kept(statement: &KeptStatement) -> String {
    let cause = match &statement.cause {
        Cause::Effects => "does something by itself".to_owned(),
        Cause::Namespace => "is exported, and the module is used as an object".to_owned(),
        Cause::UsedBy(place) => format!("is used at {}:{}", place.file, place.line),
    };
    format!("{}: {}\n        {cause}", statement.place.line, statement.place.text)
}
