//! An executable as the first process of a machine: nothing but itself in the file system, signals, orphans.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SCRIPT: &str = "process.on('SIGTERM', () => { console.log('told to end'); process.exit(3); });\n\
    setInterval(() => {}, 1000);\n\
    setTimeout(() => console.log('process', process.pid), 1);";

/// A folder with nothing in it but the app as `init`.
fn machine() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let (script, root) = (folder.path().join("app.js"), folder.path().join("root"));
    fs::write(&script, SCRIPT).expect("a file");
    fs::create_dir(&root).expect("a folder");
    let mut build = Command::new(env!("CARGO_BIN_EXE_edgepack"));
    let built = build.arg("build").arg(&script).arg("-o").arg(root.join("init")).output().expect("edgepack starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    (folder, root)
}

/// Starts it as process 1; the child is `unshare`, the number that of the app as we see it.
fn started(command: &[&str]) -> (Child, u32, impl BufRead + use<>) {
    let mut unshare = Command::new("unshare");
    if !is_root() {
        // Every user is root in a namespace of their own.
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--pid", "--fork", "--kill-child"]).args(command);
    let mut child = unshare.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("unshare starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "process 1\n");
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let app = fs::read_to_string(children).expect("proc").trim().parse().expect("one child");
    (child, app, output)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("proc").uid() == 0
}

/// Sends SIGTERM, and sees that the app takes it.
fn ends_when_told((mut child, app, mut output): (Child, u32, impl BufRead)) {
    let told = Command::new("kill").args(["-s", "TERM", &app.to_string()]).status().expect("kill starts");
    assert!(told.success());
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert_eq!((line.as_str(), child.wait().expect("it ends").code()), ("told to end\n", Some(3)));
}

#[test]
fn it_runs_with_nothing_else_in_the_file_system() {
    let (_folder, root) = machine();
    ends_when_told(started(&["chroot", root.to_str().expect("UTF-8"), "/init"]));
}

#[test]
fn orphans_leave_no_zombies() {
    let (_folder, root) = machine();
    let running = started(&[root.join("init").to_str().expect("UTF-8")]);
    let app = running.1;
    // The shell ends at once; what it has started is the app's child then, and ends a little later.
    let mut orphan = Command::new("nsenter");
    if !is_root() {
        orphan.args(["--user", "--preserve-credentials"]);
    }
    orphan.args(["--pid", "--target", &app.to_string(), "sh", "-c", "sleep 0.3 & exit 0"]);
    assert!(orphan.status().expect("nsenter starts").success());
    let children = || fs::read_to_string(Path::new("/proc").join(format!("{app}/task/{app}/children")));
    assert_ne!(children().expect("proc"), "", "the orphan is the app's child");
    let start = Instant::now();
    while !children().expect("proc").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "a child that has ended is still there");
        std::thread::sleep(Duration::from_millis(50));
    }
    ends_when_told(running);
}
