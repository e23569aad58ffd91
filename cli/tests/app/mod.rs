//! A fixture app: its `case.json`, its packages, and what can be seen of one run of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{self, Response};

/// Longer than any fixture takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of `fixtures/apps`.
pub(crate) struct App {
    folder: PathBuf,
    case: Value,
    /// The folder with its packages, which may be a copy.
    installed: OnceLock<Result<PathBuf, String>>,
}

/// What a run shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    stdout: String,
    stderr: String,
    exit: String,
    responses: Vec<Response>,
}

impl App {
    pub(crate) fn read(folder: &Path) -> App {
        let text = std::fs::read(folder.join("case.json")).expect("case.json is readable");
        let case = serde_json::from_slice(&text).expect("case.json is JSON");
        App { folder: folder.to_owned(), case, installed: OnceLock::new() }
    }

    /// The app with its packages: the folder itself, or a copy with `npm ci` done in it, kept for the next run.
    pub(crate) fn installed(&self) -> Result<&Path, String> {
        self.installed.get_or_init(|| install(&self.folder)).as_deref().map_err(Clone::clone)
    }

    /// Runs the app's entry under the pinned node.
    pub(crate) fn run_under_node(&self) -> Result<Observed, String> {
        let folder = self.installed()?;
        let package = std::fs::read(folder.join("package.json")).map_err(|error| error.to_string())?;
        let package: Value = serde_json::from_slice(&package).map_err(|error| error.to_string())?;
        let mut command = Command::new(crate::reference::node()?);
        command.args(texts(&self.case["node"])).arg(folder.join(package["main"].as_str().unwrap_or("index.js")));
        self.run(command)
    }

    /// Runs a command as `case.json` says, and observes it.
    pub(crate) fn run(&self, mut command: Command) -> Result<Observed, String> {
        let folder = self.installed()?.join(self.case["cwd"].as_str().unwrap_or("."));
        command.args(texts(&self.case["args"])).current_dir(folder).env_clear().stdin(Stdio::null());
        for (name, value) in self.case["env"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap_or_default());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        let observed = self.observe(&mut child);
        // A failure in between must not leave a server behind.
        let _ = child.kill();
        let _ = child.wait();
        observed
    }

    fn observe(&self, child: &mut Child) -> Result<Observed, String> {
        let mut stderr = child.stderr.take().ok_or("stderr is a pipe")?;
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut output = BufReader::new(child.stdout.take().ok_or("stdout is a pipe")?);
        let mut stdout = String::new();
        let mut responses = Vec::new();
        if let Some(requests) = self.case["http"].as_array() {
            let port = listening_port(&mut output, &mut stdout)?;
            for request in requests {
                responses.push(http::send(port, request)?);
            }
            stdout = stdout.replace(&port.to_string(), "PORT");
            if let Some(signal) = self.case["signal"].as_str() {
                let name = signal.trim_start_matches("SIG");
                let _ = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
            }
        }
        let exit = wait(child)?;
        let mut rest = Vec::new();
        output.read_to_end(&mut rest).map_err(|error| error.to_string())?;
        stdout.push_str(&String::from_utf8_lossy(&rest));
        let stderr = errors.join().map_err(|_| "reading stderr failed")?;
        Ok(Observed { stdout, stderr, exit, responses })
    }
}

fn wait(child: &mut Child) -> Result<String, String> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status.to_string());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("it does not end within {} s", PATIENCE.as_secs()))
}

/// Reads stdout up to `listening on http://127.0.0.1:PORT`.
fn listening_port(output: &mut impl BufRead, stdout: &mut String) -> Result<u16, String> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Err(format!("it ended before it listened; stdout:\n{stdout}"));
        }
        stdout.push_str(&line);
        if let Some((_, port)) = line.trim_end().split_once("listening on http://127.0.0.1:") {
            return port.parse().map_err(|_| format!("no port in {line}"));
        }
    }
}

impl Observed {
    /// The first difference, as a sentence with both sides.
    pub(crate) fn compare(&self, other: &Observed) -> Result<(), String> {
        let differs = |what: &str, node: &str, packed: &str| {
            Err(format!("{what} differs\n--- node\n{node}\n--- packed\n{packed}"))
        };
        if self.stdout != other.stdout {
            return differs("stdout", &self.stdout, &format!("{}\n--- its stderr\n{}", other.stdout, other.stderr));
        }
        if self.stderr != other.stderr {
            return differs("stderr", &self.stderr, &other.stderr);
        }
        for (number, (node, packed)) in self.responses.iter().zip(&other.responses).enumerate() {
            if node != packed {
                return differs(&format!("response {number}"), &format!("{node:#?}"), &format!("{packed:#?}"));
            }
        }
        if self.exit != other.exit {
            return differs("the exit", &self.exit, &other.exit);
        }
        Ok(())
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn install(folder: &Path) -> Result<PathBuf, String> {
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        return Ok(folder.to_owned());
    }
    let name = folder.file_name().ok_or("a folder has a name")?;
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("apps").join(name);
    let failed = |error: std::io::Error| error.to_string();
    let stamp = std::fs::read(&lock).map_err(failed)?;
    // Tests of the same app run beside each other, each in a process of its own.
    std::fs::create_dir_all(copy.parent().ok_or("the copy is in a folder")?).map_err(failed)?;
    let turn = std::fs::File::create(copy.with_extension("lock")).map_err(failed)?;
    turn.lock().map_err(failed)?;
    let same = std::fs::read(copy.join("node_modules/.edgepack-lock")).is_ok_and(|old| old == stamp);
    copy_folder(folder, &copy).map_err(failed)?;
    if !same {
        let npm =
            Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&copy).output();
        let npm = npm.map_err(failed)?;
        if !npm.status.success() {
            return Err(format!("npm ci failed: {}", String::from_utf8_lossy(&npm.stderr)));
        }
        std::fs::write(copy.join("node_modules/.edgepack-lock"), stamp).map_err(failed)?;
    }
    Ok(copy)
}

/// Copies files over; what is there besides them stays.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    let entries: BTreeMap<_, _> = std::fs::read_dir(from)?
        .map(|entry| entry.map(|entry| (entry.file_name(), entry.path())))
        .collect::<Result<_, _>>()?;
    for (name, path) in entries {
        let target = to.join(&name);
        if path.is_symlink() {
            let _ = std::fs::remove_file(&target);
            std::os::unix::fs::symlink(std::fs::read_link(&path)?, &target)?;
        } else if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
