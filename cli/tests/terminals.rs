//! Programs whose outputs are terminals do what they do under node, from the snapshot that was made before it was known.

mod reference;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A program, and whether its snapshot serves terminals too.
const PROGRAMS: &[(&str, bool, &str)] = &[
    ("text", true, "console.log('text'); console.error('error %d', 1);"),
    (
        "what-the-streams-are",
        true,
        "const tty = require('tty'), net = require('net');
        const { stdout, stderr } = process;
        stdout.on('resize', () => {});
        stdout.own = 'kept';
        console.log('started');
        setTimeout(() => {
          for (const stream of [stdout, stderr]) {
            console.log(stream === process.stdout, stream.isTTY, stream.columns, stream.rows, stream._type, stream.own,
              stream instanceof tty.WriteStream, stream instanceof net.Socket, stream.constructor.name,
              typeof stream.getWindowSize, stream.readable, stream.writable, stream.listenerCount('resize'));
          }
          console.log(process.listenerCount('SIGWINCH'), Object.getPrototypeOf(stdout) === stdout.constructor.prototype);
        }, 1);",
    ),
    (
        "an-answer-is-kept",
        true,
        "const tty = require('tty');
        const colors = { out: tty.isatty(1), error: tty.isatty(2), depth: process.stdout.getColorDepth?.() };
        class Log { constructor() { this.colors = colors.error; } }
        const log = new Log();
        setTimeout(() => console.log(JSON.stringify(colors), log.colors, process.stdout.isTTY), 1);",
    ),
    (
        "looked-at-while-starting",
        true,
        "const tty = require('tty');
        const is = [process.stdout instanceof tty.WriteStream, 'cursorTo' in process.stdout, process.stdout.hasColors?.()];
        setTimeout(() => console.log(String(is)), 1);",
    ),
    (
        "values",
        true,
        "console.log('values', 1, { a: [true, null] }, new Map([[1, 'x']])); setTimeout(() => console.log({ b: 2 }), 1);",
    ),
    (
        "the-size-while-starting",
        false,
        "const { columns } = process.stdout;
        console.log('started', columns);
        setTimeout(() => console.log('later', columns), 1);",
    ),
    (
        "written-and-destroyed",
        true,
        "process.stdout.cork(); process.stdout.write('a'); process.stdout.write('b'); process.stdout.uncork();
        process.stdout.write('c\\n', () => console.error('written'));
        setTimeout(() => process.stdout.end('end\\n'), 1);",
    ),
];

#[test]
fn programs_at_a_terminal_do_what_node_does() {
    let node = reference::node().unwrap_or_else(|message| panic!("{message}"));
    let folder = TempDir::new().expect("a folder");
    for (name, serves_terminals, source) in PROGRAMS {
        let (script, program) = (folder.path().join(format!("{name}.js")), folder.path().join(name));
        fs::write(&script, source).expect("a file");
        let built =
            Command::new(env!("CARGO_BIN_EXE_edgepack")).arg("build").arg(&script).arg("-o").arg(&program).output();
        let built = built.expect("edgepack starts");
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        let mut reference = Command::new(&node);
        reference.arg(&script);
        assert_eq!(at_a_terminal(&mut Command::new(&program)), at_a_terminal(&mut reference), "{name}");
        assert_eq!(starts_from_the_snapshot(&program), *serves_terminals, "{name}");
    }
}

/// What a program writes to the terminal that its outputs are.
fn at_a_terminal(command: &mut Command) -> String {
    let (reader, terminal) = terminal().expect("a terminal");
    let output = |stream: &OwnedFd| Stdio::from(stream.try_clone().expect("a second handle"));
    command.env("TERM", "dumb").stdin(Stdio::null()).stdout(output(&terminal)).stderr(output(&terminal));
    let mut child = command.spawn().expect("the program starts");
    // The command keeps its handles; the last one closed is the end of what is read.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    drop(terminal);
    let written = read_to_end(reader);
    child.wait().expect("the program ends");
    written
}

fn starts_from_the_snapshot(program: &Path) -> bool {
    at_a_terminal(Command::new(program).env("EDGEPACK_TRACE", "boot")).contains("from the snapshot")
}

/// Both ends: the one to read, and the terminal, 80 columns wide.
fn terminal() -> io::Result<(File, OwnedFd)> {
    let (mut reader, mut terminal) = (-1, -1);
    let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let no_name = std::ptr::null_mut();
    // SAFETY: writes two numbers and reads the size; there is no name to write and no mode to read.
    let status = unsafe { libc::openpty(&mut reader, &mut terminal, no_name, std::ptr::null_mut(), &size) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    let reader = unsafe { File::from_raw_fd(reader) };
    // SAFETY: as the other end.
    Ok((reader, unsafe { OwnedFd::from_raw_fd(terminal) }))
}

/// A terminal that everybody has closed ends with an error.
fn read_to_end(mut reader: File) -> String {
    let mut written = Vec::new();
    let _ = reader.read_to_end(&mut written);
    String::from_utf8_lossy(&written).into_owned()
}
