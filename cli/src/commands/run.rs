//! `edgepack run`: an app or a container → the running app, without a file in between.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Result;
use edgepack_bundler::Minify;
use edgepack_format::container::WASM_HEADER;

use crate::args::{RunArgs, SourceMapPlace};
use crate::build::{Plan, StartUp, executable, pack};
use crate::commands::build::target;
use crate::embedded;
use crate::failure::Failure;
use crate::launch::become_app;
use crate::progress::{Audience, Progress};

/// Runs the command; returns only if the app cannot be started.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let target = target(None)?;
    let container = if is_container(&args.app) {
        read_container(args)?
    } else {
        let mut progress = Progress::new(Audience::Silent);
        let plan = Plan {
            entry: &args.app,
            target,
            allow: &args.allow,
            start_up: StartUp::Nothing,
            source_map: SourceMapPlace::Inline,
            minify: Minify::No,
            define: &[],
        };
        let packed = pack(&plan, &mut progress)?;
        for warning in &packed.bundle.warnings {
            progress.line(&warning.to_string());
        }
        packed.container
    };
    become_app(&executable(target, &container)?, &args.app.to_string_lossy(), &args.args)?;
    Ok(())
}

fn is_container(path: &Path) -> bool {
    let mut head = [0; WASM_HEADER.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    path.extension().is_some_and(|extension| extension == "epk") || (read.is_ok() && head == WASM_HEADER)
}

/// A container is run as it is: its grants were given when it was built.
fn read_container(args: &RunArgs) -> Result<Vec<u8>> {
    let shown = args.app.display();
    let bytes = std::fs::read(&args.app).map_err(|error| Failure::new(format!("{shown} cannot be read: {error}")))?;
    let verified = edgepack_packer::verify(&bytes)?;
    let base = embedded::base_image()?;
    if verified.index.engine != embedded::engine_hash(&base) {
        let sentence = format!("{shown} was made for another engine build");
        return Err(Failure::new(sentence).hint("build it again with this edgepack").into());
    }
    Ok(bytes)
}
