//! Host calls through `dispatch`, as a guest makes them: grants and escapes, files, sockets, signals, names.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use edgepack_format::host_calls::{ADDRESS_BYTES, EVENT_BYTES, HOST_CALLS, Needs, Ty, ready};
use edgepack_format::policy::{Capability, Grants, Scope};
use edgepack_stub::memory::OwnedMemory;
use edgepack_stub::{Host, Launch, Refusal, calls};

/// A guest with a memory of its own: texts at 0 and 4096, answers at 8192.
struct Guest {
    host: Host,
    memory: OwnedMemory,
}

const SECOND_TEXT: i64 = 4096;
const ANSWER: i64 = 8192;
const ANSWER_BYTES: i64 = 8192;
const O_RDWR_CREATE: i64 = 0o102;

const ENOENT: i64 = -2;
const EBADF: i64 = -9;
const EAGAIN: i64 = -11;

impl Guest {
    fn new(grants: Grants) -> Guest {
        Guest { host: Host::new(grants, Launch::default()), memory: OwnedMemory(vec![0; 16384]) }
    }

    fn call(&mut self, name: &str, args: &[i64]) -> i64 {
        let answer = calls::dispatch(&mut self.host, &mut self.memory, name, args).expect("no such call");
        answer.unwrap_or_else(|refusal| refusal.code().into())
    }

    /// A call whose first parameters are a text.
    fn on(&mut self, name: &str, text: impl AsRef<Path>, rest: &[i64]) -> i64 {
        let text = text.as_ref().to_str().unwrap();
        self.memory.0[..text.len()].copy_from_slice(text.as_bytes());
        let args: Vec<i64> = [0, text.len() as i64].into_iter().chain(rest.iter().copied()).collect();
        self.call(name, &args)
    }

    fn on_two(&mut self, name: &str, first: impl AsRef<Path>, second: impl AsRef<Path>, rest: &[i64]) -> i64 {
        let second = second.as_ref().to_str().unwrap();
        let at = SECOND_TEXT as usize;
        self.memory.0[at..at + second.len()].copy_from_slice(second.as_bytes());
        let args: Vec<i64> = [SECOND_TEXT, second.len() as i64].into_iter().chain(rest.iter().copied()).collect();
        self.on(name, first, &args)
    }

    fn answer(&self, bytes: i64) -> &[u8] {
        &self.memory.0[ANSWER as usize..(ANSWER + bytes) as usize]
    }

    fn read_all(&mut self, path: impl AsRef<Path>) -> Result<String, i64> {
        let file = self.on("file_open", path, &[0, 0]);
        if file < 0 {
            return Err(file);
        }
        let length = self.call("file_read", &[file, ANSWER, ANSWER_BYTES, -1]);
        assert_eq!(self.call("file_close", &[file]), 0);
        Ok(String::from_utf8(self.answer(length).to_vec()).unwrap())
    }

    fn wait(&mut self, timeout_ms: i64) -> Vec<(u32, u32)> {
        let count = self.call("wait", &[timeout_ms * 1_000_000, ANSWER, 16]);
        let events = self.answer(count * EVENT_BYTES as i64).chunks(EVENT_BYTES);
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        events.map(|event| (number(&event[..4]), number(&event[4..]))).collect()
    }
}

fn denied(capability: Capability) -> i64 {
    capability.denied().into()
}

/// A folder with `inside/`, `outside/secret` and grants for `inside`.
struct Sandbox {
    _folder: tempfile::TempDir,
    inside: PathBuf,
    outside: PathBuf,
}

impl Sandbox {
    fn new() -> Sandbox {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (inside, outside) = (root.join("inside"), root.join("outside"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret"), "secret").unwrap();
        std::fs::write(inside.join("own"), "own").unwrap();
        Sandbox { _folder: folder, inside, outside }
    }

    fn guest(&self) -> Guest {
        let inside = Scope::Some(vec![self.inside.to_str().unwrap().to_owned()]);
        Guest::new(Grants { read: inside.clone(), write: inside, ..Grants::default() })
    }
}

#[test]
fn without_grants_every_call_that_needs_one_is_denied_before_it_does_anything() {
    for row in HOST_CALLS {
        let mut guest = Guest::new(Grants::default());
        guest.memory.0[..4].copy_from_slice(b"/tmp");
        guest.memory.0[4096..4096 + 4].copy_from_slice(b"/tmp");
        guest.memory.0[2048] = 4; // the family of an address
        let expected = match row.needs {
            Needs::Nothing => continue,
            Needs::Read | Needs::Open => denied(Capability::Read),
            Needs::Write if row.name == "path_copy" => denied(Capability::Read),
            Needs::Write if ["path_rename", "path_link"].contains(&row.name) => denied(Capability::Read),
            Needs::Write => denied(Capability::Write),
            Needs::Net => denied(Capability::Net),
            Needs::Env => ENOENT,
            Needs::Sys => denied(Capability::Sys),
            Needs::Run => denied(Capability::Run),
        };
        let args: Vec<i64> = match row.name {
            "tcp_bind" => vec![3, 2048, 0],
            "tcp_connect" => vec![3, 2048],
            "unix_bind" | "unix_connect" => vec![3, 0, 4],
            "user_id" | "umask" => vec![0],
            "system_info" => vec![0, ANSWER, 8],
            "kill" => vec![1, 0],
            "path_rename" | "path_link" | "path_symlink" => vec![0, 4, 4096, 4],
            "path_copy" => vec![0, 4, 4096, 4, 0],
            _ => [0, 4]
                .into_iter()
                .chain(row.params.iter().skip(2).map(|ty| match ty {
                    Ty::I32 => ANSWER,
                    Ty::I64 => 0,
                }))
                .map(|arg| if row.name == "file_open" && arg == ANSWER { 0 } else { arg })
                .collect(),
        };
        assert_eq!(guest.call(row.name, &args), expected, "{}", row.name);
    }
}

#[test]
fn dots_do_not_leave_a_grant() {
    let sandbox = Sandbox::new();
    let mut guest = sandbox.guest();
    assert_eq!(guest.read_all(sandbox.inside.join("own")).unwrap(), "own");
    assert_eq!(guest.read_all(sandbox.inside.join("../inside/own")).unwrap(), "own");
    let secret = sandbox.inside.join("../outside/secret");
    assert_eq!(guest.read_all(secret), Err(denied(Capability::Read)));
    assert_eq!(guest.on("file_open", "own", &[0, 0]), -22);
}

#[test]
fn links_are_followed_inside_a_grant_and_not_out_of_it() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.inside.join("deep")).unwrap();
    symlink("../own", sandbox.inside.join("deep/to-own")).unwrap();
    symlink("../outside/secret", sandbox.inside.join("to-secret")).unwrap();
    symlink(sandbox.outside.join("secret"), sandbox.inside.join("absolute")).unwrap();
    symlink("../outside", sandbox.inside.join("to-outside")).unwrap();
    let mut guest = sandbox.guest();
    assert_eq!(guest.read_all(sandbox.inside.join("deep/to-own")).unwrap(), "own");
    for escape in ["to-secret", "absolute", "to-outside/secret"] {
        assert_eq!(guest.read_all(sandbox.inside.join(escape)), Err(denied(Capability::Read)), "{escape}");
    }
    let made = guest.on("path_mkdir", sandbox.inside.join("to-outside/made"), &[0o755]);
    assert_eq!(made, denied(Capability::Write));
    let chmod = guest.on("path_chmod", sandbox.inside.join("to-secret"), &[0o777]);
    assert_eq!(chmod, denied(Capability::Write));
    let created = guest.on("file_open", sandbox.inside.join("to-outside/new"), &[O_RDWR_CREATE, 0o644]);
    assert!(created < 0 && !sandbox.outside.join("new").exists());
    assert_eq!(guest.on("path_stat", sandbox.inside.join("to-secret"), &[0, ANSWER]), 0, "the link itself is inside");
}

#[test]
fn a_link_as_the_grants_root_is_followed_once_and_cannot_be_made_by_the_guest() {
    let sandbox = Sandbox::new();
    let root = sandbox.inside.parent().unwrap().join("current");
    symlink(&sandbox.inside, &root).unwrap();
    let scope = Scope::Some(vec![root.to_str().unwrap().to_owned()]);
    let mut guest = Guest::new(Grants { read: scope.clone(), write: scope, ..Grants::default() });
    assert_eq!(guest.read_all(root.join("own")).unwrap(), "own");
    assert_eq!(guest.on("path_unlink", &root, &[]), 0);
    assert_eq!(guest.on_two("path_symlink", &sandbox.outside, &root, &[]), denied(Capability::Write));
    assert!(std::fs::symlink_metadata(&root).is_err());
}

#[test]
fn a_link_cannot_be_moved_to_a_grants_root() {
    let sandbox = Sandbox::new();
    let file = sandbox.inside.parent().unwrap().join("config");
    let scope = Scope::Some([&sandbox.inside, &file].map(|path| path.to_str().unwrap().to_owned()).to_vec());
    let mut guest = Guest::new(Grants { read: scope.clone(), write: scope, ..Grants::default() });
    let link = sandbox.inside.join("link");
    assert_eq!(guest.on_two("path_symlink", sandbox.outside.join("secret"), &link, &[]), 0);
    assert_eq!(guest.on_two("path_rename", &link, &file, &[]), denied(Capability::Write));
    assert_eq!(guest.on_two("path_link", &link, &file, &[]), denied(Capability::Write));
    assert_eq!(guest.on_two("path_rename", sandbox.inside.join("own"), &file, &[]), 0, "an ordinary file may");
    assert_eq!(guest.read_all(&file).unwrap(), "own");
}

#[test]
fn a_grant_below_a_writable_one_cannot_be_replaced_by_a_link() {
    let sandbox = Sandbox::new();
    let sub = sandbox.inside.join("sub");
    std::fs::create_dir(&sub).unwrap();
    let text = |path: &Path| Scope::Some(vec![path.to_str().unwrap().to_owned()]);
    let mut guest = Guest::new(Grants { read: text(&sub), write: text(&sandbox.inside), ..Grants::default() });
    assert_eq!(guest.on("path_rmdir", &sub, &[]), 0);
    assert_eq!(guest.on_two("path_symlink", &sandbox.outside, &sub, &[]), 0);
    assert!(guest.read_all(sub.join("secret")).is_err());
    assert!(guest.on("path_list", &sub, &[ANSWER, ANSWER_BYTES]) < 0);
}

#[test]
fn names_cannot_be_moved_or_linked_across_the_grants_edge() {
    let sandbox = Sandbox::new();
    let mut guest = sandbox.guest();
    let (own, secret) = (sandbox.inside.join("own"), sandbox.outside.join("secret"));
    assert_eq!(guest.on_two("path_rename", &secret, sandbox.inside.join("a"), &[]), denied(Capability::Read));
    assert_eq!(guest.on_two("path_rename", &own, sandbox.outside.join("a"), &[]), denied(Capability::Write));
    assert_eq!(guest.on_two("path_link", &secret, sandbox.inside.join("a"), &[]), denied(Capability::Read));
    assert_eq!(guest.on_two("path_link", &own, sandbox.outside.join("a"), &[]), denied(Capability::Write));
    assert_eq!(guest.on_two("path_copy", &secret, sandbox.inside.join("a"), &[0]), denied(Capability::Read));
    assert_eq!(guest.on_two("path_rename", &own, sandbox.inside.join("renamed"), &[]), 0);
    assert_eq!(guest.read_all(sandbox.inside.join("renamed")).unwrap(), "own");
}

#[test]
fn real_paths_are_in_the_guests_terms() {
    let sandbox = Sandbox::new();
    symlink("own", sandbox.inside.join("link")).unwrap();
    let mut guest = sandbox.guest();
    let length = guest.on("path_realpath", sandbox.inside.join("link"), &[ANSWER, ANSWER_BYTES]);
    assert_eq!(guest.answer(length), sandbox.inside.join("own").to_str().unwrap().as_bytes());
}

#[test]
fn files_are_written_read_listed_and_described() {
    let sandbox = Sandbox::new();
    let mut guest = sandbox.guest();
    let path = sandbox.inside.join("new");
    let file = guest.on("file_open", &path, &[O_RDWR_CREATE, 0o600]);
    assert!(file >= 3);
    guest.memory.0[..5].copy_from_slice(b"hello");
    assert_eq!(guest.call("file_write", &[file, 0, 5, -1]), 5);
    assert_eq!(guest.call("file_read", &[file, ANSWER, 2, 1]), 2, "a short buffer gets a short read");
    assert_eq!(guest.answer(2), b"el");
    assert_eq!(guest.call("file_read", &[file, ANSWER, 100, 5]), 0);
    assert_eq!(guest.call("file_stat", &[file, ANSWER]), 0);
    assert_eq!(guest.answer(144)[8 * 8..][..8], 5_i64.to_le_bytes());
    assert_eq!(guest.call("file_close", &[file]), 0);
    assert_eq!(guest.call("file_close", &[file]), EBADF);
    assert_eq!(guest.call("file_read", &[file, ANSWER, 1, -1]), EBADF);
    let length = guest.on("path_list", &sandbox.inside, &[ANSWER, ANSWER_BYTES]);
    assert_eq!(guest.answer(length), b"\x08new\0\x08own\0");
    assert_eq!(guest.on("path_list", &sandbox.inside, &[ANSWER, 3]), length, "too small: the length, nothing written");
    assert_eq!(guest.on_two("path_copy", &path, sandbox.inside.join("copy"), &[1]), 0);
    assert_eq!(guest.on_two("path_copy", &path, sandbox.inside.join("copy"), &[1]), -17);
    assert_eq!(guest.read_all(sandbox.inside.join("copy")).unwrap(), "hello");
    assert_eq!(guest.on("path_stat", sandbox.inside.join("none"), &[1, ANSWER]), ENOENT);
}

#[test]
fn pointers_outside_memory_are_refused_as_such() {
    let end = 16384;
    for (name, args) in [
        ("random_fill", vec![end - 1, 2]),
        ("random_fill", vec![0xffff_ffff, 0xffff_ffff]),
        ("env_get", vec![-1, -1, 0, 0]),
        ("wait", vec![0, 0, 0x7fff_ffff]),
        ("stdio_write", vec![1, end, 1]),
        ("stream_write", vec![1, end - 4, 1]),
        ("path_stat", vec![0, 1, 0, end - 8]),
        ("tcp_connect", vec![3, end - ADDRESS_BYTES as i64 + 1]),
    ] {
        let mut guest = Guest::new(Grants::all());
        let answer = calls::dispatch(&mut guest.host, &mut guest.memory, name, &args).unwrap();
        assert_eq!(answer, Err(Refusal::OutOfBounds), "{name}");
    }
}

#[test]
fn variables_that_are_not_granted_are_unset() {
    let env = Scope::Some(vec!["PATH".to_owned(), "CARGO_*".to_owned()]);
    let mut guest = Guest::new(Grants { env, ..Grants::default() });
    assert!(guest.on("env_get", "PATH", &[ANSWER, ANSWER_BYTES]) > 0);
    assert!(guest.on("env_get", "CARGO_MANIFEST_DIR", &[ANSWER, ANSWER_BYTES]) > 0);
    assert_eq!(guest.on("env_get", "HOME", &[ANSWER, ANSWER_BYTES]), ENOENT);
    let length = guest.call("env_names", &[ANSWER, ANSWER_BYTES]);
    let names = String::from_utf8(guest.answer(length).to_vec()).unwrap();
    assert!(names.split_terminator('\0').all(|name| name == "PATH" || name.starts_with("CARGO_")), "{names}");
}

fn address(port: u16) -> [u8; ADDRESS_BYTES] {
    let mut bytes = [0; ADDRESS_BYTES];
    bytes[0] = 4;
    bytes[2..4].copy_from_slice(&port.to_le_bytes());
    bytes[8..12].copy_from_slice(&[127, 0, 0, 1]);
    bytes
}

fn net(entry: &str) -> Grants {
    Grants { net: Scope::Some(vec![entry.to_owned()]), ..Grants::default() }
}

#[test]
fn a_connection_is_made_accepted_and_read() {
    let mut guest = Guest::new(net("127.0.0.1"));
    let listener = guest.call("tcp_open", &[4]);
    guest.memory.0[..ADDRESS_BYTES].copy_from_slice(&address(0));
    assert_eq!(guest.call("tcp_bind", &[listener, 0, 0]), 0);
    assert_eq!(guest.call("socket_listen", &[listener, 10]), 0);
    assert_eq!(guest.call("socket_accept", &[listener]), EAGAIN);
    assert_eq!(guest.call("socket_name", &[listener, 0, 0]), 0);
    let client = guest.call("tcp_open", &[4]);
    let connected = guest.call("tcp_connect", &[client, 0]);
    assert!(connected == 0 || connected == -115, "{connected}");
    assert_eq!(guest.call("watch", &[listener, 1]), 0);
    assert_eq!(guest.call("watch", &[client, 2]), 0);
    let events = guest.wait(2000);
    assert!(events.contains(&(listener as u32, ready::READABLE)), "{events:?}");
    assert_eq!(guest.call("socket_error", &[client]), 0);
    let server = guest.call("socket_accept", &[listener]);
    assert!(server > 0);
    assert_eq!(guest.call("stream_read", &[server, ANSWER, 10]), EAGAIN);
    // Two vectors: "he" and "llo".
    guest.memory.0[100..105].copy_from_slice(b"hello");
    for (at, number) in [(200, 100_u32), (204, 2), (208, 102), (212, 3)] {
        guest.memory.0[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    assert_eq!(guest.call("stream_write", &[client, 200, 2]), 5);
    assert_eq!(guest.call("watch", &[client, 0]), 0);
    assert_eq!(guest.call("watch", &[listener, 0]), 0);
    assert_eq!(guest.call("watch", &[server, 1]), 0);
    assert_eq!(guest.wait(2000), [(server as u32, ready::READABLE)]);
    assert_eq!(guest.wait(0), [(server as u32, ready::READABLE)], "level triggered");
    assert_eq!(guest.call("stream_read", &[server, ANSWER, 10]), 5);
    assert_eq!(guest.answer(5), b"hello");
    assert_eq!(guest.wait(0), []);
    assert_eq!(guest.call("stream_close", &[client]), 0);
    assert_eq!(guest.call("stream_read", &[server, ANSWER, 10]), 0);
    assert_eq!(guest.call("stream_close", &[server]), 0);
    assert_eq!(guest.call("stream_read", &[server, ANSWER, 10]), EBADF);
}

#[test]
fn an_address_is_granted_by_number_or_by_the_name_it_was_resolved_from() {
    let mut guest = Guest::new(net("localhost:1"));
    guest.memory.0[..ADDRESS_BYTES].copy_from_slice(&address(1));
    let socket = guest.call("tcp_open", &[4]);
    assert_eq!(guest.call("tcp_connect", &[socket, 0]), denied(Capability::Net));
    assert_eq!(guest.on("resolve", "example.com", &[0, 0]), denied(Capability::Net));
    let request = guest.on("resolve", "localhost", &[4, 0]);
    assert_eq!(guest.wait(2000), [(request as u32, ready::RESOLVED)]);
    let length = guest.call("resolve_result", &[request, ANSWER, ANSWER_BYTES]);
    assert_eq!(guest.answer(length), address(0));
    guest.memory.0[..ADDRESS_BYTES].copy_from_slice(&address(1));
    let connected = guest.call("tcp_connect", &[socket, 0]);
    assert!([0, -111, -115].contains(&connected), "{connected}");
    guest.memory.0[..ADDRESS_BYTES].copy_from_slice(&address(2));
    assert_eq!(guest.call("tcp_connect", &[socket, 0]), denied(Capability::Net), "another port");
}

#[test]
fn a_name_that_nobody_knows_is_answered_by_a_thread() {
    let mut guest = Guest::new(Grants::all());
    let request = guest.on("resolve", "no-such-host.invalid", &[0, 0]);
    assert_eq!(guest.wait(20_000), [(request as u32, ready::RESOLVED)]);
    let answer = guest.call("resolve_result", &[request, ANSWER, ANSWER_BYTES]);
    assert!((-3010..=-3000).contains(&answer), "{answer}");
}

#[test]
fn unix_sockets_stay_in_the_grant() {
    let sandbox = Sandbox::new();
    let mut guest = sandbox.guest();
    let path = sandbox.inside.join("socket");
    let listener = guest.call("unix_open", &[]);
    // The path goes after the descriptor, so it is put in place by hand.
    let put = |guest: &mut Guest, path: &Path| {
        let text = path.to_str().unwrap();
        guest.memory.0[..text.len()].copy_from_slice(text.as_bytes());
        text.len() as i64
    };
    let length = put(&mut guest, &sandbox.outside.join("socket"));
    assert_eq!(guest.call("unix_bind", &[listener, 0, length]), denied(Capability::Write));
    let length = put(&mut guest, &path);
    assert_eq!(guest.call("unix_bind", &[listener, 0, length]), 0);
    assert_eq!(guest.call("socket_listen", &[listener, 5]), 0);
    let client = guest.call("unix_open", &[]);
    assert_eq!(guest.call("unix_connect", &[client, 0, length]), 0);
    assert!(guest.call("socket_accept", &[listener]) > 0);
}

#[test]
fn a_signal_is_an_event_and_then_again_the_default() {
    let mut guest = Guest::new(Grants::all());
    const SIGUSR2: i64 = 12;
    assert_eq!(guest.call("signal_watch", &[SIGUSR2, 1]), 0);
    assert_eq!(guest.call("signal_watch", &[11, 1]), -22, "the loader's own");
    let pid = guest.call("process_id", &[0]);
    assert_eq!(guest.call("kill", &[pid, SIGUSR2]), 0);
    assert_eq!(guest.wait(2000), [(SIGUSR2 as u32, ready::SIGNAL)]);
    assert_eq!(guest.wait(0), []);
    assert_eq!(guest.call("signal_watch", &[SIGUSR2, 0]), 0);
}

#[test]
fn relative_grants_are_below_the_launch_directory() {
    let read = Scope::Some(vec!["./src".to_owned()]);
    let mut guest = Guest::new(Grants { read, ..Grants::default() });
    assert!(guest.read_all("/app/src/lib.rs").unwrap().starts_with("//!"));
    assert_eq!(guest.read_all("/app/Cargo.toml"), Err(denied(Capability::Read)));
    assert_eq!(guest.on("cwd_set", "/app/src", &[]), 0);
    let length = guest.call("cwd_get", &[ANSWER, ANSWER_BYTES]);
    assert_eq!(guest.answer(length), b"/app/src");
    assert!(guest.read_all("/app/src/lib.rs").is_ok());
}

#[test]
fn facts_about_the_machine_have_the_tables_form() {
    let mut guest = Guest::new(Grants::all());
    let mut info = |kind| {
        let length = guest.call("system_info", &[kind, ANSWER, ANSWER_BYTES]);
        assert!(length >= 0, "kind {kind}: {length}");
        String::from_utf8(guest.answer(length.min(ANSWER_BYTES)).to_vec()).unwrap()
    };
    assert_eq!(info(1).split_terminator('\0').next(), Some("Linux"));
    assert!(info(2).lines().all(|line| line.split('\t').count() == 7));
    assert!(info(3).split_terminator('\0').all(|number| number.parse::<u64>().unwrap() > 0));
    assert_eq!(info(5).split_terminator('\0').count(), 3);
    assert!(info(6).lines().all(|line| line.split('\t').count() == 7));
    assert_eq!(info(7).split_terminator('\0').count(), 5);
    assert!(info(8).parse::<u32>().unwrap() > 0);
}
