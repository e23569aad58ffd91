//! Every folder of `fixtures/apps` gives the same under node, packed with a snapshot and packed without: stdout,
//! stderr, exit code, HTTP responses. And twice the same bytes, from wherever it is built. Other machines' executables
//! are run by qemu: all with a snapshot, and in the full lane without one too.

mod app;
mod http;
mod machine;
mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use edgepack_format::targets::Target;
use libtest_mimic::{Arguments, Failed, Trial};

use app::{App, Observed};

fn main() {
    let arguments = Arguments::from_args();
    let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/apps");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&apps)
        .expect("fixtures/apps is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("case.json").is_file())
        .collect();
    folders.sort();
    let mut trials = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        let case = Arc::new(Case { app: App::read(&folder), reference: OnceLock::new() });
        for (way, flags) in [("packed", &[][..]), ("packed without a snapshot", &["--no-snapshot"][..])] {
            let case = Arc::clone(&case);
            trials.push(Trial::test(format!("{name}: {way}, as under node"), move || case.same_as_node(flags)));
        }
        for target in machine::foreign() {
            let ways = [("packed", &[][..]), ("packed without a snapshot", &["--no-snapshot"][..])];
            for (way, flags) in ways.into_iter().take(if machine::is_full() { 2 } else { 1 }) {
                let case = Arc::clone(&case);
                let name = format!("{name}: {way} for {}, as under node", target.short);
                trials.push(Trial::test(name, move || case.same_as_node_on(target, flags)));
            }
        }
        trials.push(Trial::test(format!("{name}: the same bytes from another folder"), move || case.same_bytes()));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

struct Case {
    app: App,
    /// What node does, observed once.
    reference: OnceLock<Result<Observed, String>>,
}

impl Case {
    fn same_as_node_on(&self, target: &Target, flags: &[&str]) -> Result<(), Failed> {
        let reference = self.reference.get_or_init(|| self.app.run_under_node()).clone()?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let executable = folder.path().join("app");
        let flags = [&["--target", target.short], flags].concat();
        build(self.app.installed()?, &executable, &flags)?;
        let observed = self.app.run(machine::command(target, &executable)?)?;
        reference.compare(&observed).map_err(Failed::from)
    }

    fn same_as_node(&self, flags: &[&str]) -> Result<(), Failed> {
        let reference = self.reference.get_or_init(|| self.app.run_under_node()).clone()?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let executable = folder.path().join("app");
        build(self.app.installed()?, &executable, flags)?;
        let observed = self.app.run(Command::new(&executable))?;
        reference.compare(&observed).map_err(Failed::from)
    }

    fn same_bytes(&self) -> Result<(), Failed> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let elsewhere = folder.path().join("deeper/elsewhere");
        app::copy_folder(self.app.installed()?, &elsewhere).map_err(|error| error.to_string())?;
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        build(self.app.installed()?, &one, &[])?;
        // Without anything that earlier builds of this app have left.
        let cache = folder.path().join("cache");
        engines_only(&cache).map_err(|error| error.to_string())?;
        built(edgepack().env("XDG_CACHE_HOME", &cache), &elsewhere, &two, &[])?;
        let read = |path: &Path| std::fs::read(path).map_err(|error| error.to_string());
        if read(&one)? == read(&two)? { Ok(()) } else { Err("the executables differ".into()) }
    }
}

/// A cache with the compiled engines of this machine's, and nothing else.
fn engines_only(cache: &Path) -> std::io::Result<()> {
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let own = own.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"))).unwrap_or_default();
    std::fs::create_dir_all(cache.join("edgepack"))?;
    for entry in std::fs::read_dir(own.join("edgepack"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".bin") {
            std::os::unix::fs::symlink(entry.path(), cache.join("edgepack").join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn edgepack() -> Command {
    Command::new(env!("CARGO_BIN_EXE_edgepack"))
}

fn build(app: &Path, executable: &Path, flags: &[&str]) -> Result<(), String> {
    built(&mut edgepack(), app, executable, flags)
}

fn built(command: &mut Command, app: &Path, executable: &Path, flags: &[&str]) -> Result<(), String> {
    let output = command.arg("build").arg(app).arg("-o").arg(executable).args(flags).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
