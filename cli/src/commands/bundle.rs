//! `edgepack bundle`: an app → one script that Node runs.

use std::path::Path;

use anyhow::Result;
use edgepack_bundler::{
    Builtins, BundleOptions, Form, Format, Minify, SourceMaps, Whitespace, bundle as bundle_app, metafile,
};

use crate::args::{BundleArgs, FormatName, SourceMapPlace};
use crate::commands::build::definitions;
use crate::output::{self, Kind};
use crate::progress::{Audience, Progress};

/// Runs the command.
pub(crate) fn bundle(args: &BundleArgs) -> Result<()> {
    output::check(&args.output)?;
    let mut progress = Progress::new(Audience::Shown);
    let options = options(args)?;
    let bundled = progress.phase("bundle", "bundling", || bundle_app(&options))?;
    let mut script = bundled.script.clone();
    match args.source_map {
        SourceMapPlace::None => {}
        SourceMapPlace::Inline => {
            let data: String = bundled.source_map.bytes().map(in_url).collect();
            script.push_str(&format!("\n//# sourceMappingURL=data:application/json;charset=utf-8,{data}\n"));
        }
        SourceMapPlace::External => {
            let map = args.output.with_added_extension("map");
            output::write(&map, bundled.source_map.as_bytes(), Kind::Data)?;
            let name = map.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            script.push_str(&format!("\n//# sourceMappingURL={name}\n"));
        }
    }
    if let Some(file) = &args.metafile {
        let name = args.output.file_name().unwrap_or(args.output.as_os_str()).to_string_lossy();
        output::write(file, metafile(&bundled, &name).to_string().as_bytes(), Kind::Data)?;
    }
    output::write(&args.output, script.as_bytes(), Kind::Data)?;
    for warning in &bundled.warnings {
        progress.line(&warning.to_string());
    }
    progress.finish();
    Ok(())
}

fn in_url(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.!~*'():,/".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn options(args: &BundleArgs) -> Result<BundleOptions> {
    Ok(BundleOptions {
        entry: args.entry.clone(),
        assets: Vec::new(),
        builtins: Builtins::Node,
        define: definitions(&args.define)?,
        form: form(args),
        external: args.external.clone(),
        minify: match (args.no_minify, args.keep_names) {
            (true, _) => Minify::No,
            (false, true) => Minify::KeepNames,
            (false, false) => Minify::Fully,
        },
        whitespace: if args.no_minify { Whitespace::Readable } else { Whitespace::Minimal },
        // By the map it is known which file a part of the script is from.
        source_map: match (args.source_map, &args.metafile) {
            (SourceMapPlace::None, None) => SourceMaps::NotMade,
            _ => SourceMaps::Made,
        },
    })
}

/// The one named, or that which Node expects in a file of such a name.
fn form(args: &BundleArgs) -> Form {
    match args.format {
        Some(FormatName::Cjs) => Form::Plain(Format::CommonJs),
        Some(FormatName::Esm) => Form::Plain(Format::Esm),
        Some(FormatName::Resumable) => Form::Resumable,
        None if Path::new(&args.output).extension().is_some_and(|extension| extension == "mjs") => {
            Form::Plain(Format::Esm)
        }
        None => Form::Plain(Format::CommonJs),
    }
}
