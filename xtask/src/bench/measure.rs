//! One spawn of a contender → its figures.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Row;
use super::build::Contender;
use crate::run::output;

/// From spawn to what the contender was started for.
pub(crate) const MILLISECONDS: &str = "ms";
/// To the first contender's time in the same round.
pub(crate) const RATIO: &str = "ratio";
/// Resident.
pub(crate) const MEGABYTES: &str = "resident";
/// Private and written to: what a second copy of the process would cost.
pub(crate) const DIRTY: &str = "dirty";
/// Executed from exec to the end, or to the first answer.
pub(crate) const INSTRUCTIONS: &str = "instructions";
/// Answered per second.
pub(crate) const REQUESTS: &str = "requests";

/// From spawn to the first byte on stdout.
pub(crate) fn first_output(contender: &Contender) -> Result<Row> {
    let start = Instant::now();
    let mut child = spawn(contender, &[])?;
    let mut stdout = child.stdout.take().context("stdout is a pipe")?;
    let mut first = [0];
    let read = stdout.read(&mut first)?;
    let took = start.elapsed();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest)?;
    child.wait()?;
    ensure!(read == 1, "it printed nothing");
    Ok(BTreeMap::from([(MILLISECONDS, took.as_secs_f64() * 1e3)]))
}

/// From spawn to the first byte of a 200 from the port the contender is told; then what it holds in memory, and if
/// asked what it serves under load.
pub(crate) fn first_response(contender: &Contender, connections: Option<usize>) -> Result<Row> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let start = Instant::now();
    let mut child = spawn(contender, &[("PORT", port.to_string())])?;
    let mut stdout = child.stdout.take().context("stdout is a pipe")?;
    let measured = respond(&child, &mut stdout, port, start, connections);
    let _ = child.kill();
    child.wait()?;
    measured
}

/// The same for an app that is to end by itself then.
fn answer_and_end(contender: &Contender) -> Result<()> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut child = spawn(contender, &[("PORT", port.to_string())])?;
    // Whoever writes to a pipe that nobody reads any more fails, which takes longer than all the rest.
    let mut stdout = child.stdout.take().context("stdout is a pipe")?;
    let measured = respond(&child, &mut stdout, port, Instant::now(), None);
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    if measured.is_err() || !ended?.success() {
        let _ = child.kill();
    }
    child.wait()?;
    measured.map(drop)
}

fn respond(
    child: &Child,
    stdout: &mut ChildStdout,
    port: u16,
    start: Instant,
    connections: Option<usize>,
) -> Result<Row> {
    let mut said = Vec::new();
    let mut chunk = [0; 4096];
    while !String::from_utf8_lossy(&said).contains("listening") {
        let length = stdout.read(&mut chunk)?;
        ensure!(length > 0, "it ended before it listened: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&chunk[..length]);
    }
    let took = get(port, start)?;
    // What boot has left to the first idle moment is part of the memory of a listening app.
    std::thread::sleep(Duration::from_millis(150));
    let mut row = BTreeMap::from([(MILLISECONDS, took.as_secs_f64() * 1e3)]);
    row.extend(memory(child.id())?);
    if let Some(connections) = connections {
        row.insert(REQUESTS, requests_per_second(port, connections)?);
    }
    Ok(row)
}

fn get(port: u16, start: Instant) -> Result<Duration> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    socket.read_exact(&mut head)?;
    let took = start.elapsed();
    ensure!(&head[9..] == b"200", "it answered {}", String::from_utf8_lossy(&head));
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest)?;
    Ok(took)
}

fn requests_per_second(port: u16, connections: usize) -> Result<f64> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-d5s", &format!("-c{connections}"), &format!("http://127.0.0.1:{port}/")]);
    let report = output(&mut wrk)?;
    if report.contains("Non-2xx") {
        bail!("it answered errors under load:\n{report}");
    }
    let line = report.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Ok(line.context("wrk has measured nothing")?.trim().parse()?)
}

/// `Command` uses `posix_spawn`, so this process's own size does not count.
fn spawn(contender: &Contender, env: &[(&str, String)]) -> Result<Child> {
    let (program, args) = contender.command.split_first().context("a command")?;
    let mut command = Command::new(program);
    command.args(args).envs(env.iter().map(|(name, value)| (*name, value))).stdin(Stdio::null());
    Ok(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

/// What a process holds now, in megabytes.
fn memory(pid: u32) -> Result<Row> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |key: &str| kilobytes(&maps, key).map(|kilobytes| kilobytes / 1024.0).with_context(|| key.to_owned());
    Ok(BTreeMap::from([(MEGABYTES, field("Rss:")?), (DIRTY, field("Private_Dirty:")?)]))
}

fn kilobytes(maps: &str, key: &str) -> Option<f64> {
    let line = maps.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The contender's files leave the page cache, as on a device that has just been switched on.
pub(crate) fn drop_from_page_cache(contender: &Contender) -> Result<()> {
    for file in &contender.artefacts {
        let input = format!("if={}", file.display());
        output(Command::new("dd").args([input.as_str(), "iflag=nocache", "count=0", "status=none"]))?;
    }
    Ok(())
}

/// What valgrind counts from exec to the end; with a request, to the first answer and a signal after it. One count is as
/// good as many.
pub(crate) fn instructions(contender: &Contender, asks: bool) -> Result<Row> {
    let counts = std::env::temp_dir().join(format!("edgepack-counts-{}", std::process::id()));
    let log = counts.with_extension("log");
    let mut words = ["valgrind", "--tool=callgrind", "--px-default=allregs-at-mem-access"].map(str::to_owned).to_vec();
    // The loader brings pages in a handler of faults: the guest's registers have to be right at every access.
    words.push("--px-file-backed=allregs-at-mem-access".to_owned());
    words.push(format!("--callgrind-out-file={}", counts.display()));
    words.push(format!("--log-file={}", log.display()));
    words.extend(contender.command.iter().cloned());
    let under_valgrind = Contender { command: words, ..contender.clone() };
    if asks {
        answer_and_end(&under_valgrind)?;
    } else {
        first_output(&under_valgrind)?;
    }
    let text = std::fs::read_to_string(&counts).context("valgrind has counted nothing")?;
    std::fs::remove_file(&counts)?;
    std::fs::remove_file(&log)?;
    let totals = text.lines().rev().find_map(|line| line.strip_prefix("totals: ")).context("no totals")?;
    Ok(BTreeMap::from([(INSTRUCTIONS, totals.trim().parse()?)]))
}
