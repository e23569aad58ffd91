//! What can be written on the command line, and its help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};

/// Turns a Node.js app into one small sandboxed executable that boots from a snapshot.
#[derive(Debug, Parser)]
#[command(name = "edgepack", version, disable_help_subcommand = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 success, 1 the command failed, 2 wrong usage.")]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Builds an app into one executable
    Build(BuildArgs),
    /// Shows what an app's snapshot holds: the heap by package, what looks like a secret, what is open
    Audit(AuditArgs),
    /// Bundles an app into one script that node runs
    Bundle(BundleArgs),
    /// Bundles an app in memory and runs it; a container is run as it is
    Run(RunArgs),
    /// Runs a script as `node FILE` does: modules from disk, everything allowed
    Node(NodeArgs),
    /// Shows what a container or an executable contains
    Inspect(InspectArgs),
    /// Writes edgepack-run, which runs containers (app.epk) on a device
    Runtime(RuntimeArgs),
    /// Lists the targets an executable can be built for
    Targets,
}

/// `edgepack build`.
#[derive(Debug, Arguments)]
pub(crate) struct BuildArgs {
    /// The entry module, or a folder with a package.json or an index file
    #[arg(default_value = ".", value_name = "ENTRY|DIR")]
    pub(crate) entry: PathBuf,
    /// Where to write the result [default: the app's name, here]; with several targets OUT-TARGET each
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// The devices, by triple or short name (`edgepack targets` lists them), or `all` [default: this machine]
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    pub(crate) target: Vec<String>,
    /// Write the container only (app.epk), which runs on every target
    #[arg(long)]
    pub(crate) container_only: bool,
    /// Put `#!/usr/bin/env edgepack-run` in front of the container and make it executable
    #[arg(long, requires = "container_only")]
    pub(crate) shebang: bool,
    /// Do not run the app's start-up at build time
    #[arg(long)]
    pub(crate) no_snapshot: bool,
    /// Put a value known at build time in place of a name, such as process.env.NODE_ENV=production
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) define: Vec<String>,
    /// Leave the app's script as it is written, but for what it does not use
    #[arg(long)]
    pub(crate) no_minify: bool,
    /// Only say why a package or a file is in the bundle: the way to it, and what keeps each statement
    #[arg(long, value_name = "PACKAGE|FILE")]
    pub(crate) why: Option<String>,
    /// Write what is in the bundle, in esbuild's metafile format
    #[arg(long, value_name = "FILE")]
    pub(crate) metafile: Option<PathBuf>,
    /// Write a page that shows the sizes by package and file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Where the source map goes: into the container, into OUT.map, or nowhere
    #[arg(long, value_name = "PLACE", default_value = "inline")]
    pub(crate) source_map: SourceMapPlace,
    /// Fail if a string in the app or its snapshot looks like a secret (`edgepack audit` lists them)
    #[arg(long)]
    pub(crate) deny_secrets: bool,
    /// Fail where start-up throws, or is cut off for taking too long or too much memory
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print the result, or what is wrong with the sources, as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// What the app may do.
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
}

/// `edgepack audit`.
#[derive(Debug, Arguments)]
pub(crate) struct AuditArgs {
    /// The entry module, or a folder with a package.json or an index file
    #[arg(default_value = ".", value_name = "ENTRY|DIR")]
    pub(crate) entry: PathBuf,
    /// The device, by triple or short name [default: this machine]
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Vec<String>,
    /// Put a value known at build time in place of a name, such as process.env.NODE_ENV=production
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) define: Vec<String>,
    /// Fail if a string in the app or its snapshot looks like a secret
    #[arg(long)]
    pub(crate) deny_secrets: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// What the app may do.
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
}

/// Where a source map goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceMapPlace {
    /// Into what is written.
    Inline,
    /// Beside it.
    External,
    /// Nowhere.
    None,
}

/// `edgepack bundle`.
#[derive(Debug, Arguments)]
pub(crate) struct BundleArgs {
    /// The entry module, or a folder with a package.json or an index file
    #[arg(value_name = "ENTRY|DIR")]
    pub(crate) entry: PathBuf,
    /// Where to write the script
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// What kind of module the script is [default: esm for a file named .mjs, else cjs]
    #[arg(long)]
    pub(crate) format: Option<FormatName>,
    /// Leave a package to be loaded when the script runs; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) external: Vec<String>,
    /// Put a value known at build time in place of a name, such as process.env.NODE_ENV=production
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) define: Vec<String>,
    /// Leave the code as it is written, but for what is not used
    #[arg(long)]
    pub(crate) no_minify: bool,
    /// Keep what functions and classes are called
    #[arg(long)]
    pub(crate) keep_names: bool,
    /// Where the source map goes: into the script, into FILE.map, or nowhere
    #[arg(long, value_name = "PLACE", num_args = 0..=1, require_equals = true)]
    #[arg(default_value = "none", default_missing_value = "external")]
    pub(crate) source_map: SourceMapPlace,
    /// Write what is in the bundle, in esbuild's metafile format
    #[arg(long, value_name = "FILE")]
    pub(crate) metafile: Option<PathBuf>,
}

/// What kind of module a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// CommonJS
    Cjs,
    /// An ES module
    Esm,
    /// What `edgepack build` packs: an expression whose value is a generator function
    Resumable,
}

/// `edgepack run`.
#[derive(Debug, Arguments)]
pub(crate) struct RunArgs {
    /// The entry module, a folder, or a container (app.epk)
    #[arg(value_name = "FILE|DIR|APP.epk")]
    pub(crate) app: PathBuf,
    /// Run as on this target: another machine's needs qemu-user
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// What the app may do.
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    /// The app's own arguments, after `--`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<OsString>,
}

/// `edgepack node`.
#[derive(Debug, Arguments)]
pub(crate) struct NodeArgs {
    /// The script
    pub(crate) file: PathBuf,
    /// Run as on this target: another machine's needs qemu-user
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// The script's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub(crate) args: Vec<OsString>,
}

/// `edgepack inspect`.
#[derive(Debug, Arguments)]
pub(crate) struct InspectArgs {
    /// A container (app.epk) or an executable made by `edgepack build`
    pub(crate) app: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `edgepack runtime`.
#[derive(Debug, Arguments)]
pub(crate) struct RuntimeArgs {
    /// Where to write it [default: edgepack-run, here]; with several targets OUT-TARGET each
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// The devices, by triple or short name (`edgepack targets` lists them), or `all` [default: this machine]
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    pub(crate) target: Vec<String>,
}

/// Capabilities, with Deno's names. An empty list is everything; no flag is nothing.
#[derive(Debug, Default, Arguments)]
#[command(next_help_heading = "What the app may do (also \"edgepack\": { \"allow\": … } in package.json)")]
pub(crate) struct AllowArgs {
    /// Connect and listen: hosts, host:port, :port
    #[arg(long, num_args = 0.., require_equals = true, value_delimiter = ',', value_name = "HOSTS")]
    pub(crate) allow_net: Option<Vec<String>>,
    /// Read files: paths, relative ones to where the app is started
    #[arg(long, num_args = 0.., require_equals = true, value_delimiter = ',', value_name = "PATHS")]
    pub(crate) allow_read: Option<Vec<String>>,
    /// Write files: paths
    #[arg(long, num_args = 0.., require_equals = true, value_delimiter = ',', value_name = "PATHS")]
    pub(crate) allow_write: Option<Vec<String>>,
    /// Read environment variables: names, a trailing * matches a prefix
    #[arg(long, num_args = 0.., require_equals = true, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) allow_env: Option<Vec<String>>,
    /// Start programs: commands
    #[arg(long, num_args = 0.., require_equals = true, value_delimiter = ',', value_name = "COMMANDS")]
    pub(crate) allow_run: Option<Vec<String>>,
    /// Ask about the system: hostname, osRelease, cpus, …
    #[arg(long, num_args = 0.., require_equals = true, value_delimiter = ',', value_name = "KINDS")]
    pub(crate) allow_sys: Option<Vec<String>>,
    /// Everything
    #[arg(short = 'A', long)]
    pub(crate) allow_all: bool,
}
