//! One build for several targets: names, files, equal containers, and start-up that asks which machine it is for.

mod machine;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use edgepack_format::container::{SectionKind, Sections};
use edgepack_format::image::{Leaf, Stored};
use edgepack_format::targets::TARGETS;
use serde_json::Value;
use tempfile::TempDir;

fn edgepack(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgepack")).args(args).current_dir(folder).output().expect("edgepack starts")
}

/// A folder with `app.js`, and what was printed when it was built.
fn built(script: &str, args: &[&str]) -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("app.js"), script).expect("a file");
    let output = edgepack(folder.path(), &[&["build", "app.js"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The container inside of an executable.
fn container(executable: &Path) -> Vec<u8> {
    edgepack_packer::open(&fs::read(executable).expect("it is there")).expect("a container").to_vec()
}

fn stdout(mut command: Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_target_has_an_executable_with_the_same_container() {
    let (folder, report) = built("console.log('the same', 1 + 1)", &["--target", "all", "-o", "out"]);
    let containers: Vec<Vec<u8>> =
        TARGETS.iter().map(|target| container(&folder.path().join(format!("out-{}", target.short)))).collect();
    assert!(containers.windows(2).all(|pair| pair[0] == pair[1]), "a container has its target in it");
    for target in TARGETS {
        let path = folder.path().join(format!("out-{}", target.short));
        let machine = u16::from_le_bytes(fs::read(&path).expect("there")[18..20].try_into().expect("two bytes"));
        assert_eq!(machine, target.machine, "{report}");
        assert_eq!(stdout(machine::command(target, &path).expect("qemu")), "the same 2\n", "{}", target.short);
    }
}

#[test]
fn an_app_that_asks_for_the_machine_gets_a_start_up_for_each() {
    let script = "const arch = process.arch;\nconst os = require('os');\n\
        console.log(arch, process.arch, os.arch(), os.endianness(), Object.keys(process).includes('arch'));\n\
        console.log(JSON.stringify(Object.getOwnPropertyDescriptor(process, 'arch')));";
    let (folder, report) = built(script, &["--target", "all", "--json"]);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["outputs"].as_array().map(Vec::len), Some(TARGETS.len()));
    let mut containers = Vec::new();
    for (target, output) in TARGETS.iter().zip(report["outputs"].as_array().expect("a list")) {
        assert_eq!((&output["target"], &output["reads_target"]), (&target.triple.into(), &true.into()));
        assert_eq!(output["snapshot"], "completed");
        let path = folder.path().join(output["output"].as_str().expect("a path"));
        let arch = target.node_arch;
        let descriptor = format!(r#"{{"value":"{arch}","writable":false,"enumerable":true,"configurable":true}}"#);
        let expected = format!("{arch} {arch} {arch} LE true\n{descriptor}\n");
        assert_eq!(stdout(machine::command(target, &path).expect("qemu")), expected);
        containers.push(container(&path));
    }
    assert!(containers.windows(2).all(|pair| pair[0] != pair[1]), "one start-up for several machines");
}

/// How many chunks of the image are stored as a part of the package.
fn chunks_in_package(container: &[u8]) -> usize {
    let sections = Sections::find(container).expect("a container");
    let index = sections.index(|bytes| blake3::hash(bytes).into()).expect("an index");
    let image = index.image.expect("an image");
    let table = sections.get(SectionKind::Chunks).expect("a table of chunks");
    let leaves = (0..).map_while(|number| image.leaf(number, table).ok());
    let in_package = |leaf: Leaf<'_>| leaf.rows().filter(|row| matches!(row.stored, Stored::Package { .. })).count();
    leaves.map(in_package).sum()
}

/// Of a large script all but the ends is stored in the package alone, as its boot does not look at it: the boot that is
/// tried at build time has no arguments.
#[test]
fn functions_show_their_text() {
    let functions: String = (0..4000)
        .map(|n| format!("exports.f{n} = function f{n}(a) {{ return a * {n} + '{}'; }};\n", "text ".repeat(n % 20)))
        .collect();
    let script = format!(
        "{functions}console.log(Date.now() > 0, Object.keys(exports).length);\n\
         if (process.argv.length > 2) console.log(Object.values(exports).map(String).join('\\n'));\n"
    );
    let (folder, _) = built(&script, &["--target", "all", "--no-minify", "-o", "out"]);
    assert!(chunks_in_package(&container(&folder.path().join("out-x64"))) > 3, "the script is stored twice");
    let (without, _) = built(&script, &["--no-snapshot", "--no-minify", "-o", "out"]);
    let shown = |mut command: Command| {
        command.arg("show");
        stdout(command)
    };
    let expected = shown(Command::new(without.path().join("out")));
    assert!(expected.starts_with("true 4000\nfunction f0(a)") && expected.len() > 300_000, "{}", expected.len());
    for target in TARGETS {
        let path = folder.path().join(format!("out-{}", target.short));
        assert!(shown(machine::command(target, path).expect("qemu")) == expected, "{}", target.short);
    }
}

#[test]
fn a_start_up_for_one_machine_is_not_resumed_on_another() {
    let (folder, _) = built("console.log(process.arch)", &["--target", "x64", "--container-only", "-o", "app.epk"]);
    for target in TARGETS {
        let mut run = Command::new(env!("CARGO_BIN_EXE_edgepack"));
        run.args(["run", "--target", target.short, "app.epk"]).current_dir(folder.path());
        assert_eq!(stdout(run), format!("{}\n", target.node_arch));
    }
}

#[test]
fn the_report_says_that_there_are_several_start_ups() {
    let (_folder, report) = built("globalThis.x = process.arch", &["--target", "x64,arm64"]);
    assert!(report.contains("app-x64 (") && report.contains("app-arm64 ("), "{report}");
    assert!(report.contains("x64, with a start-up of its own, as it asks for the machine"), "{report}");
    let (_folder, report) = built("globalThis.x = 1", &["--target", "x64,arm64,x86_64-unknown-linux-musl"]);
    assert!(!report.contains("start-up of its own"), "{report}");
}

#[test]
fn a_name_that_is_no_targets_is_answered_with_the_nearest() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("app.js"), "").expect("a file");
    for (name, nearest) in [
        ("arm46", "arm64"),
        ("aarch64", "arm64"),
        ("aarch64-linux-musl", "aarch64-unknown-linux-musl"),
        ("x86-64", "x64"),
        ("al", "all"),
    ] {
        let output = edgepack(folder.path(), &["build", "app.js", "--target", name]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(&format!("error: there is no target {name}")), "{stderr}");
        assert!(stderr.contains(&format!("did you mean {nearest}? ")), "{name}: {stderr}");
    }
    let output = edgepack(folder.path(), &["build", "app.js", "--container-only", "--target", "all"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("a container runs on every target"));
}

#[test]
fn the_targets_are_listed() {
    let folder = TempDir::new().expect("a folder");
    let listed = String::from_utf8(edgepack(folder.path(), &["targets"]).stdout).expect("text");
    let expected: String = TARGETS.iter().map(|target| format!("{:<8} {}\n", target.short, target.triple)).collect();
    assert_eq!(listed, expected);
}

#[test]
fn one_runtime_runs_many_containers() {
    let (folder, _) =
        built("console.log('in a container', process.argv.length)", &["--container-only", "-o", "app.epk"]);
    let written = edgepack(folder.path(), &["runtime", "--target", "all", "-o", "run"]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    for target in TARGETS {
        let mut run = machine::command(target, folder.path().join(format!("run-{}", target.short))).expect("qemu");
        run.arg("app.epk").arg("one").current_dir(folder.path());
        assert_eq!(stdout(run), "in a container 3\n", "{}", target.short);
    }
}

#[test]
fn a_container_with_a_first_line_runs_by_itself_where_the_runtime_is_installed() {
    let (folder, _) = built("console.log('by itself')", &["--container-only", "--shebang", "-o", "app.epk"]);
    let written = edgepack(folder.path(), &["runtime"]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let path = std::env::join_paths([folder.path(), Path::new("/usr/bin"), Path::new("/bin")]).expect("paths");
    let mut app = Command::new(folder.path().join("app.epk"));
    app.env("PATH", path);
    assert_eq!(stdout(app), "by itself\n");
    let mut run = Command::new(env!("CARGO_BIN_EXE_edgepack"));
    run.arg("run").arg(folder.path().join("app.epk"));
    assert_eq!(stdout(run), "by itself\n");
    let (folder, _) = built("", &["--target", "all"]);
    let refused = edgepack(folder.path(), &["build", "app.js", "--shebang"]);
    assert_eq!(refused.status.code(), Some(2), "an executable has no first line");
}

#[test]
fn inspect_says_which_machine_an_executable_is_for() {
    let (folder, _) = built("", &["--target", "all"]);
    for target in TARGETS {
        let shown = edgepack(folder.path(), &["inspect", &format!("app-{}", target.short)]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let line = shown.lines().find(|line| line.trim_start().starts_with("runs on")).expect("a line");
        assert!(line.contains(target.triple), "{line}");
        assert_eq!(line.contains("not on this machine"), target.host_arch != std::env::consts::ARCH, "{line}");
    }
}
