//! A machine in qemu, from its first instruction to the end of its process 1.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Machine;
use super::kernel::Kernel;

/// Emulated, and on a machine that may have other things to do.
const PATIENCE: Duration = Duration::from_secs(240);
const GUEST_PORT: u16 = 8080;

/// Where the app's output goes.
#[derive(Clone, Copy)]
pub(super) enum Output {
    /// As where something else logs it.
    Pipe,
    /// A terminal, which the app's start-up at build time did not expect: it starts from the beginning.
    Console,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Output::Pipe => "output to a pipe",
            Output::Console => "output to the console, a terminal",
        })
    }
}

/// When what happened, seen from out here.
pub(super) struct Times {
    kernel: Duration,
    loader: Duration,
    listening: Duration,
    response: Duration,
    memory: String,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_millis();
        write!(
            f,
            "first response {} ms after the kernel's hand-over to the app ({} ms to `listening`), of the kernel's own {} ms and {} ms of modules and address; {}",
            ms(self.response),
            ms(self.listening),
            ms(self.kernel),
            ms(self.loader),
            self.memory
        )
    }
}

/// qemu with its console.
pub(super) struct Running {
    qemu: Child,
    lines: Receiver<String>,
    /// What the console has said.
    said: String,
    start: Instant,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Running {
    pub(super) fn start(machine: &Machine, kernel: &Kernel, initramfs: &Path, output: Output) -> Result<Running> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut qemu = Command::new(machine.qemu);
        qemu.args(["-M", "virt", "-cpu", machine.cpu, "-m", &machine.megabytes.to_string()]);
        qemu.args(["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"]);
        qemu.arg("-netdev").arg(format!("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:{GUEST_PORT}"));
        qemu.args(["-device", "virtio-net-device,netdev=net"]);
        qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(initramfs);
        // What the kernel does not know becomes a variable of process 1.
        let log = if matches!(output, Output::Pipe) { " LOG=1" } else { "" };
        qemu.arg("-append").arg(format!("console=ttyAMA0 rdinit=/init panic=-1 PORT={GUEST_PORT}{log}"));
        qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut qemu = qemu.spawn().with_context(|| format!("{} cannot be started", machine.qemu))?;
        let lines = lines_of(qemu.stdout.take().context("stdout is a pipe")?);
        Ok(Running { qemu, lines, said: String::new(), start: Instant::now(), port })
    }

    /// One request answered, one orphan taken, one signal obeyed, and a kernel that ends with its process 1.
    pub(super) fn serves_and_ends(mut self) -> Result<Times> {
        let (init, _) = self.wait_for("Run /init as init process")?;
        let (exec, _) = self.wait_for("device: the app starts")?;
        let (listening, _) = self.wait_for("listening")?;
        let response = self.response()?;
        self.qemu.stdin.as_mut().context("stdin is a pipe")?.write_all(b"end\n")?;
        let (_, memory) = self.wait_for("device: ")?;
        self.wait_for("device: the orphan was taken")?;
        // Only an app that obeys ends: the kernel keeps signals without a handler from process 1.
        let (_, panic) = self.wait_for("Attempted to kill init!")?;
        ensure!(panic.contains("exitcode=0x00000000"), "the app did not end well: {panic}");
        Ok(Times {
            kernel: init - self.start,
            loader: exec - init,
            listening: listening - exec,
            response: response - exec,
            memory: memory.split_once("device: ").map_or_else(String::new, |(_, said)| said.to_owned()),
        })
    }

    /// The first line of the console with that text, and when it came.
    fn wait_for(&mut self, text: &str) -> Result<(Instant, String)> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                    if line.contains(text) {
                        return Ok((Instant::now(), line));
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("no `{text}` on the console in time, but:\n{}", self.said),
                Err(RecvTimeoutError::Disconnected) => bail!("the machine ended without `{text}`:\n{}", self.said),
            }
        }
    }

    fn response(&self) -> Result<Instant> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(b"GET / HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        socket.read_exact(&mut head).with_context(|| format!("no answer from the machine:\n{}", self.said))?;
        ensure!(&head[9..] == b"200", "it answered {}", String::from_utf8_lossy(&head));
        Ok(Instant::now())
    }
}

fn lines_of(console: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(console).split(b'\n').map_while(Result::ok);
        for line in lines {
            if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}
