//! `cargo xtask bench targets`: what hello and the Express app weigh and execute on every target, and what the engine
//! executes for a piece of work beside quickjs-ng compiled natively. Counts of instructions by qemu, not times: they
//! are the same on every machine.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use edgepack_format::limits::PAGE_BYTES;
use edgepack_format::targets::{TARGETS, Target};
use serde_json::Value;

use super::build::express;
use crate::project::Project;
use crate::run::{command, output, run};
use crate::stub::zig_cc;
use crate::{dist, tools};

/// Builds everything, counts, writes `bench/targets.md`.
pub(crate) fn targets(project: &Project) -> Result<()> {
    dist::stubs(project)?;
    let edgepack = dist::command_itself(project)?;
    let folder = project.cache.join("bench-targets");
    fs::create_dir_all(&folder)?;
    let bench = Bench { project, edgepack, folder };
    let hello = bench.built(&project.root.join("fixtures/apps/hello"), "hello")?;
    let express = bench.built(&express(project)?, "express")?;
    let mut text = String::from(HEAD);
    for (target, (hello, express)) in TARGETS.iter().zip(hello.iter().zip(&express)) {
        let row = bench.app_row(target, hello, express)?;
        text.push_str(&row);
        eprint!("{row}");
    }
    text.push_str(WORK_HEAD);
    for target in TARGETS {
        let row = bench.work_row(target)?;
        text.push_str(&row);
        eprint!("{row}");
    }
    fs::write(project.root.join("bench/targets.md"), &text)?;
    println!("{text}");
    Ok(())
}

/// Counted rounds of the workload.
const ROUNDS: u64 = 3;

const HEAD: &str = "# Targets\n\nWritten by `cargo xtask bench targets`. Instructions are counted by qemu's user emulation, from exec to exit for hello,\nto the first HTTP 200 for Express; what the kernel does is not in them. Touched is what\nis resident of the app's linear memory at its end.\n\n| target | hello: bytes | container | instructions | touched | Express: bytes | container | instructions | touched |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";

const WORK_HEAD: &str = "\nA round of a fixed piece of work (`xtask/src/bench/targets/workload.js`) after a first one, beside quickjs-ng for the\nsame processor by the same compiler with `-O2`, both without frame pointers:\n\n| target | edgepack | quickjs-ng, native | ratio |\n| --- | ---: | ---: | ---: |\n";

struct Bench<'a> {
    project: &'a Project,
    edgepack: PathBuf,
    folder: PathBuf,
}

/// An executable and its sizes.
struct Built {
    path: PathBuf,
    bytes: u64,
    container_bytes: u64,
}

impl Bench<'_> {
    /// An app for every target, in their order.
    fn built(&self, app: &Path, name: &str) -> Result<Vec<Built>> {
        let mut build = command(&self.edgepack.display().to_string(), ["build", "--json", "--target", "all"], app);
        let report: Value = serde_json::from_str(&output(build.arg(app).arg("-o").arg(self.folder.join(name)))?)?;
        let outputs = report["outputs"].as_array().context("the report has no outputs")?;
        let number = |value: &Value| value.as_u64().context("the report has no sizes");
        let built = |output: &Value| {
            Ok(Built {
                path: output["output"].as_str().context("an output has a path")?.into(),
                bytes: number(&output["sizes"]["output_bytes"])?,
                container_bytes: number(&output["sizes"]["container_bytes"])?,
            })
        };
        outputs.iter().map(built).collect()
    }

    fn app_row(&self, target: &Target, hello: &Built, express: &Built) -> Result<String> {
        let one = self.counted(target, &[hello.path.as_path()])?.0;
        let many = self.counted_to_response(target, &express.path)?;
        let (one_touches, many_touch) = (touched_bytes(target, &hello.path)?, touched_bytes(target, &express.path)?);
        let mut row = String::new();
        write!(row, "| {} | {} | {} | {one} | ", target.short, hello.bytes, hello.container_bytes)?;
        write!(row, "{} | {} | {} | ", kibibytes(one_touches), express.bytes, express.container_bytes)?;
        writeln!(row, "{many} | {} |", kibibytes(many_touch))?;
        Ok(row)
    }

    fn work_row(&self, target: &Target) -> Result<String> {
        let script = |name: &str, rounds: u64| -> Result<PathBuf> {
            let path = self.folder.join(name);
            fs::write(&path, format!("const ROUNDS = {rounds};\n{}", include_str!("targets/workload.js")))?;
            Ok(path)
        };
        let (work, base) = (script("work.js", 1 + ROUNDS)?, script("base.js", 1)?);
        let ours = |script: &Path| -> Result<(u64, String)> {
            let out = script.with_extension(target.short);
            let args = ["build", "--no-snapshot", "--no-minify", "--target", target.short, "-o"];
            output(command(&self.edgepack.display().to_string(), args, &self.folder).arg(&out).arg(script))?;
            self.counted(target, &[&out])
        };
        let native = self.native(target)?;
        let theirs = |script: &Path| self.counted(target, &[&native, script]);
        let ((own_work, own_text), (own_base, _)) = (ours(&work)?, ours(&base)?);
        let ((native_work, native_text), (native_base, _)) = (theirs(&work)?, theirs(&base)?);
        ensure!(own_text == native_text, "the two engines differ: {own_text} and {native_text}");
        let round = |work: u64, base: u64| work.saturating_sub(base) / ROUNDS;
        let (own, native) = (round(own_work, own_base), round(native_work, native_base));
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let ratio = own as f64 / native as f64;
        Ok(format!("| {} | {own} | {native} | {ratio:.2} |\n", target.short))
    }

    /// quickjs-ng for the target.
    fn native(&self, target: &Target) -> Result<PathBuf> {
        let sources = quickjs_sources(self.project)?;
        let inputs = ["xtask/src/bench/targets/native.c", "xtask/src/bench/targets.rs"];
        let extra = format!("{} {}", target.triple, sources.display());
        let folder = self.project.cached("native-quickjs", &inputs, &extra, |folder| {
            let mut compiler = zig_cc(self.project, &tools::zig(self.project)?, target)?;
            compiler
                .args(["-O2", "-fomit-frame-pointer", "-fno-pie", "-g0", "-w", "-static", "-D_GNU_SOURCE", "-I"])
                .arg(&sources);
            let names = ["quickjs.c", "libregexp.c", "libunicode.c", "dtoa.c"];
            compiler.args(names.map(|name| sources.join(name))).arg(self.project.root.join(inputs[0]));
            run(compiler.arg("-o").arg(folder.join("qjs")).arg("-lm"))
        })?;
        Ok(folder.join("qjs"))
    }

    /// How many instructions a program executes, and what it prints.
    fn counted(&self, target: &Target, program: &[&Path]) -> Result<(u64, String)> {
        let counter = Counter::start(&self.folder)?;
        let mut qemu = counter.command(target);
        let ran = qemu.args(program).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        ensure!(ran.status.success(), "{} failed ({})", program[0].display(), ran.status);
        Ok((counter.finish()?, String::from_utf8_lossy(&ran.stdout).into_owned()))
    }

    /// How many a server executes up to the first 200.
    fn counted_to_response(&self, target: &Target, program: &Path) -> Result<u64> {
        let counter = Counter::start(&self.folder)?;
        let mut qemu = counter.command(target);
        qemu.arg(program).env("PORT", "0").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = qemu.spawn()?;
        let response = first_response(&mut child);
        let count = counter.so_far();
        child.kill()?;
        child.wait()?;
        counter.finish()?;
        response.map(|()| count)
    }
}

fn kibibytes(bytes: usize) -> String {
    format!("{} KiB", bytes >> 10)
}

/// What a program touches of the app's memory until it ends; a server is asked once and told to end.
fn touched_bytes(target: &Target, program: &Path) -> Result<usize> {
    let mut qemu = Command::new(format!("qemu-{}-static", target.host_arch));
    qemu.arg(program).envs([("PORT", "0"), ("EDGEPACK_TRACE", "pages")]);
    let mut child = qemu.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Hello says nothing of an address.
    if first_response(&mut child).is_ok() {
        ensure!(Command::new("kill").arg(child.id().to_string()).status()?.success(), "kill failed");
    }
    let list = child.wait_with_output()?.stderr;
    let pages = String::from_utf8_lossy(&list).lines().filter(|line| line.starts_with("edgepack: page ")).count();
    ensure!(pages > 0, "{} lists no pages: {}", program.display(), String::from_utf8_lossy(&list));
    Ok(pages * PAGE_BYTES)
}

fn first_response(child: &mut Child) -> Result<()> {
    let mut lines = BufReader::new(child.stdout.take().context("stdout is a pipe")?).lines();
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("listening on http://127.0.0.1:")));
    let line = line.context("it ended before it listened")??;
    let port: u16 = line.rsplit(':').next().context("a port")?.trim().parse()?;
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    socket.read_exact(&mut head)?;
    ensure!(&head[9..] == b"200", "it answered {}", String::from_utf8_lossy(&head));
    Ok(())
}

/// Counts by qemu's log, which has each block of instructions when it is translated, and its address whenever it runs.
struct Counter {
    pipe: PathBuf,
    count: Arc<AtomicU64>,
    reader: JoinHandle<std::io::Result<()>>,
}

impl Counter {
    fn start(folder: &Path) -> Result<Counter> {
        let pipe = folder.join("instructions");
        let _ = fs::remove_file(&pipe);
        ensure!(Command::new("mkfifo").arg(&pipe).status()?.success(), "there is no mkfifo");
        let count = Arc::new(AtomicU64::new(0));
        let (counter, path) = (Arc::clone(&count), pipe.clone());
        let reader = std::thread::spawn(move || add_up(BufReader::new(fs::File::open(path)?), &counter));
        Ok(Counter { pipe, count, reader })
    }

    fn command(&self, target: &Target) -> Command {
        let mut qemu = Command::new(format!("qemu-{}-static", target.host_arch));
        qemu.args(["-d", "in_asm,exec,nochain", "-D"]).arg(&self.pipe);
        qemu
    }

    fn so_far(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn finish(self) -> Result<u64> {
        self.reader.join().map_err(|_| anyhow::anyhow!("the log was not read"))??;
        Ok(self.count.load(Ordering::Relaxed))
    }
}

/// `0x0003e540:  e3a0b000  mov fp, #0` is an instruction of a block, `Trace 0: 0x7f4b [00000480/0003e540/0/0]` runs one.
fn add_up(mut log: impl BufRead, counter: &AtomicU64) -> std::io::Result<()> {
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    let mut blocks: HashMap<u64, u64> = HashMap::new();
    let mut open = None;
    let mut line = String::new();
    loop {
        line.clear();
        if log.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("Trace ") {
            let start = rest.split('/').nth(1).and_then(hexadecimal);
            let length = start.and_then(|start| blocks.get(&start)).copied().unwrap_or_default();
            counter.fetch_add(length, Ordering::Relaxed);
        } else if line.starts_with("IN:") {
            open = None;
        } else if let Some((address, _)) = line.strip_prefix("0x").and_then(|rest| rest.split_once(':')) {
            let start = *open.get_or_insert(hexadecimal(address).unwrap_or_default());
            // A block may be translated again, and then be longer or shorter.
            let length = blocks.entry(start).or_default();
            *length = if hexadecimal(address) == Some(start) { 1 } else { *length + 1 };
        }
    }
}

/// The sources of the engine's package, whose folder is named by its version.
pub(super) fn quickjs_sources(project: &Project) -> Result<PathBuf> {
    let metadata = output(&mut command("cargo", ["metadata", "--format-version", "1", "--locked"], &project.root))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == "rquickjs-sys").context("quickjs-ng is not there")?;
    let manifest = Path::new(package["manifest_path"].as_str().context("it has a manifest")?);
    Ok(manifest.parent().context("a manifest lies in a folder")?.join("quickjs"))
}

#[cfg(test)]
mod tests {
    use super::{AtomicU64, Ordering, add_up};

    #[test]
    fn instructions_are_counted_by_the_blocks_that_run() {
        let log = "IN: f\n0x10:  aa  mov\n0x12:  bb  b #0x10\n\nTrace 0: 0x7f [0/10/0/0] f\nTrace 0: 0x7f [0/10/0/0]\n\
            IN: g\n0x20:  cc  ret\n\nTrace 1: 0x7e [0/0020/0/0]\n";
        let count = AtomicU64::new(0);
        add_up(log.as_bytes(), &count).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 5);
    }
}
