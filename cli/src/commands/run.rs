//! `edgepack run`: an app or a container → the running app, without a file in between.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Result;
use edgepack_bundler::Minify;
use edgepack_format::container::{Hash, WASM_HEADER};
use edgepack_format::shebang::without_shebang;

use crate::args::{RunArgs, SourceMapPlace};
use crate::build::{Plan, StartUp, executable, pack};
use crate::embedded;
use crate::failure::Failure;
use crate::launch::become_app;
use crate::progress::{Audience, Progress};
use crate::target::named_one;

/// Runs the command; returns only if the app cannot be started.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let target = named_one(args.target.as_deref())?;
    let container = if is_container(&args.app) {
        read_container(args)?
    } else {
        let mut progress = Progress::new(Audience::Silent);
        let plan = Plan {
            entry: &args.app,
            targets: &[target],
            allow: &args.allow,
            start_up: StartUp::Nothing,
            source_map: SourceMapPlace::Inline,
            minify: Minify::No,
            define: &[],
            audit: false,
        };
        let packed = pack(&plan, &mut progress)?;
        for warning in &packed.bundle.warnings {
            progress.line(&warning.to_string());
        }
        packed.variants.into_iter().next().map(|variant| variant.container).unwrap_or_default()
    };
    become_app(target, &executable(target, &container)?, &args.app.to_string_lossy(), &args.args)?;
    Ok(())
}

fn is_container(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    path.extension().is_some_and(|extension| extension == "epk")
        || (read.is_ok() && without_shebang(&head).starts_with(&WASM_HEADER))
}

/// A `#!` line, and what tells a container.
const HEAD_BYTES: u64 = 512;

/// A container is run as it is: its grants were given when it was built.
fn read_container(args: &RunArgs) -> Result<Vec<u8>> {
    let shown = args.app.display();
    let bytes = std::fs::read(&args.app).map_err(|error| Failure::new(format!("{shown} cannot be read: {error}")))?;
    let container = edgepack_packer::open(&bytes)?;
    let verified = edgepack_packer::verify(container)?;
    let (theirs, ours) = (verified.index.engine, embedded::engine_hash(&embedded::base_image()?));
    if theirs != ours {
        let sentence = format!("{shown} was made for engine {}, this edgepack has engine {}", hex(theirs), hex(ours));
        return Err(Failure::new(sentence).hint("build it again with this edgepack").into());
    }
    Ok(container.to_vec())
}

fn hex(hash: Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
