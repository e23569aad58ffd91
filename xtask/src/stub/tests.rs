//! The whole way of a small guest: translated, linked, packed with images that node captured, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use edgepack_format::code::CODE_SECTION;
use edgepack_format::container::{Assumption, ELF_SECTION, Effect, FRAMES_SECTION, Guard, Hash};
use edgepack_format::elf::Elf;
use edgepack_format::limits::PAGE_BYTES;
use edgepack_format::manifest::Manifest;
use edgepack_format::policy::{Grants, Scope};
use edgepack_format::targets::{Target, find};
use edgepack_packer::{CompressedPackage, Contents, Engine, Memory, Started, container, executable};

use crate::dist::Guest;
use crate::project::Project;
use crate::run::{command, run};

const STACK_POINTER: u32 = 1 << 20;
/// As many pages of the guest's ballast are mapped; the rest is cold.
const HOT_BALLAST: u32 = 8;

static BUILDING: Mutex<()> = Mutex::new(());

/// What the packer needs, and where to put what it makes.
struct Bench {
    machine: Machine,
    folder: PathBuf,
    stub: Vec<u8>,
    engine: Hash,
    base: Vec<u8>,
    mapped_pages: Vec<u32>,
    /// The first page of what the guest checks byte by byte.
    ballast: u32,
    loaded: Vec<u8>,
    started: Vec<u8>,
}

/// A target, and what runs it here.
#[derive(Clone, Copy)]
struct Machine {
    target: &'static Target,
    /// qemu's arguments; none if it is this machine.
    qemu: Option<&'static [&'static str]>,
}

/// With pages larger than this machine's one program in twenty finds no memory under qemu 7.2, which does not align all
/// that it maps for the C library. It is another one each time.
const QEMU_RUNS_MAX: usize = 5;

/// What a program gives, if need be the next time.
fn output(command: &mut Command) -> Output {
    let is_qemus_fault = |output: &Output| output.stderr == b"edgepack: there is no memory left for the loader\n";
    let mut last = command.output().unwrap();
    for _ in 1..QEMU_RUNS_MAX {
        if !is_qemus_fault(&last) {
            break;
        }
        last = command.output().unwrap();
    }
    last
}

impl Machine {
    fn command(self, program: &Path) -> Command {
        let Some(args) = self.qemu else { return Command::new(program) };
        let mut command = Command::new(format!("qemu-{}-static", self.target.host_arch));
        // A stack of the size that the loader asks for: qemu's does not grow with the limit.
        command.args(["-s", "67108864"]).args(args).arg(program);
        command
    }

    /// Exit code, standard output and error, without the effect that the started image replays.
    fn ran(self, program: &Path, args: &[&str]) -> (i32, String, String) {
        let mut command = self.command(program);
        let Output { status, stdout, stderr } = output(command.args(args).env("HOME", "/home/x").stdin(Stdio::null()));
        // Standard output may be a table; a byte that is no text counts as one.
        let text = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect::<String>();
        (status.code().unwrap_or(-1), text(stdout), text(stderr))
    }
}

/// What a container starts from: the guest as it was started at build time or as it was loaded, or the package.
#[derive(Clone, Copy, PartialEq)]
enum Image {
    Started,
    Loaded,
    None,
}

impl Bench {
    fn new(machine: Machine) -> Bench {
        // What is being built is named by the process, which tests may share.
        let _one_at_a_time = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let project = Project::open().unwrap();
        let inputs = ["stub-runtime/tests/guest"];
        let folder = project.cached("test-guest", &inputs, "", |folder| {
            let source = project.root.join("stub-runtime/tests/guest/guest.c");
            let flags = ["--target=wasm32-wasi", "-Wno-deprecated", "--no-wasm-opt", "-O2", "-mexec-model=reactor"];
            let linker = ["-Wl,-z,stack-size=1048576", "-Wl,--stack-first", "-Wl,--export=__stack_pointer", "-o"];
            let mut clang = command("clang-22", flags.iter().chain(&linker), &project.root);
            run(clang.arg(folder.join("guest.wasm")).arg(source))?;
            let mut node = command("node", ["stub-runtime/tests/guest/capture.mjs"], &project.root);
            run(node.arg(folder.join("guest.wasm")).arg(folder))
        });
        let folder = folder.unwrap();
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        let ballast: u32 = fs::read_to_string(folder.join("ballast")).unwrap().parse().unwrap();
        let heat = folder.join("heat");
        let lines: String = (ballast..ballast + HOT_BALLAST).map(|page| format!("{page} 100\n")).collect();
        fs::write(&heat, lines).unwrap();
        let entered = folder.join("entered");
        fs::write(&entered, "0 1\n2 1\n").unwrap();
        let (wasm, base) = (folder.join("guest.wasm"), folder.join("base.img"));
        let mapped = super::mapped(&project, &base, &heat).unwrap();
        let mapped_pages = super::pages(&fs::read(&mapped).unwrap()).into_iter().collect();
        let guest = Guest { wasm, base, heat, mapped, entered };
        let stub = super::build(&project, &guest, machine.target).unwrap();
        let base = read("base.img").split_off(4096);
        Bench {
            machine,
            stub: fs::read(stub).unwrap(),
            engine: edgepack_packer::engine_hash(&read("guest.wasm"), &base),
            loaded: read("loaded.mem"),
            started: read("started.mem"),
            base,
            mapped_pages,
            ballast,
            folder: tempfile::tempdir().unwrap().keep(),
        }
    }

    fn container(&self, grants: Grants, image: Image, guards: &[Guard], hot_pages: &[u32]) -> Vec<u8> {
        let assumptions = [Assumption { guards: guards.to_vec(), patches: Vec::new() }];
        let assumptions = assumptions.as_slice();
        let memory = |bytes| Memory { bytes, stack_pointer: STACK_POINTER };
        let manifest = Manifest { grants, memory_bytes_max: 256 << 20, ..Manifest::default() };
        let effects = [Effect::Write { handle: 1, bytes: b"started\n".to_vec() }];
        let started = match image {
            Image::None => None,
            Image::Loaded => Some(Started { memory: memory(&self.loaded), assumptions, effects: &[] }),
            Image::Started => Some(Started { memory: memory(&self.started), assumptions, effects: &effects }),
        };
        let contents = Contents {
            manifest: &manifest,
            engine: Engine { hash: self.engine, base_memory: &self.base, mapped_pages: &self.mapped_pages },
            started,
            package: &CompressedPackage::new(b"a package".to_vec(), 0..0).unwrap(),
            source_map: "",
            licences: "",
            hot_pages,
        };
        container(&contents).unwrap()
    }

    fn program(&self, name: &str, container: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, executable(&self.stub, container).unwrap()).unwrap();
        make_runnable(&path);
        path
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A folder left behind in /tmp is not worth a failed test.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn make_runnable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// One test for each machine, because building the stub takes minutes and is done once.
fn boots_and_ends_as_it_should(machine: Machine) {
    let bench = Bench::new(machine);
    images_agree(&bench);
    pages_come_from_everywhere(&bench);
    touched_pages_are_listed(&bench);
    ends(&bench);
    grants_hold(&bench);
    damage_is_refused(&bench);
    what_boots_need_comes_first(&bench);
    damaged_code_is_not_run(&bench);
}

#[test]
#[ignore = "builds a stub: `cargo xtask test` runs it"]
fn a_guest_boots_from_every_image_and_ends_as_it_should() {
    let machine = Machine { target: find("x64").unwrap(), qemu: None };
    boots_and_ends_as_it_should(machine);
    // Binutils knows this machine's executables only.
    strip_keeps_the_app(&Bench::new(machine));
}

#[test]
#[ignore = "builds a stub: `cargo xtask test` runs it"]
fn the_same_on_arm64_with_pages_of_every_size_and_39_bits_of_addresses() {
    let target = find("arm64").unwrap();
    boots_and_ends_as_it_should(Machine { target, qemu: Some(&["-R", "0x8000000000"]) });
    for qemu in [["-p", "16384"].as_slice(), &["-p", "65536"]] {
        let bench = Bench::new(Machine { target, qemu: Some(qemu) });
        images_agree(&bench);
        pages_come_from_everywhere(&bench);
        ends(&bench);
    }
}

#[test]
#[ignore = "builds a stub: `cargo xtask test` runs it"]
fn the_same_on_armv7() {
    boots_and_ends_as_it_should(Machine { target: find("armv7").unwrap(), qemu: Some(&[]) });
}

fn images_agree(bench: &Bench) {
    let all: Vec<u32> = (0..u32::try_from(bench.started.len() / 4096).unwrap()).collect();
    let wrong = [Guard { call: "stdio_kind".to_owned(), args: vec![1], result: 99 }];
    let right = [Guard { call: "stdio_kind".to_owned(), args: vec![1], result: 1 }];
    for (name, image, guards, hot_pages) in [
        ("started", Image::Started, &[][..], &[][..]),
        ("guarded", Image::Started, &right, &[]),
        ("unguarded", Image::Started, &wrong, &[]),
        ("hot", Image::Started, &[], &all),
        ("some-hot", Image::Started, &[], &[300, 301, 700]),
        ("loaded", Image::Loaded, &[], &[]),
        ("package", Image::None, &[], &[]),
    ] {
        let container = bench.container(Grants::default(), image, guards, hot_pages);
        let program = bench.program(name, &container);
        let sum = "started\nsum 3207571072\n".to_owned();
        assert_eq!(bench.machine.ran(&program, &[]), (0, sum.clone(), String::new()), "{name}");
        let file = bench.folder.join("app.epk");
        fs::write(&file, container).unwrap();
        let stub = bench.folder.join("stub");
        fs::write(&stub, &bench.stub).unwrap();
        make_runnable(&stub);
        assert_eq!(
            bench.machine.ran(&stub, &[file.to_str().unwrap()]),
            (0, sum.clone(), String::new()),
            "{name} as a file"
        );
        let script = [format!("#!{}\n", stub.display()).into_bytes(), fs::read(&file).unwrap()].concat();
        fs::write(&file, script).unwrap();
        make_runnable(&file);
        if bench.machine.qemu.is_none() {
            assert_eq!(bench.machine.ran(&file, &[]), (0, sum, String::new()), "{name} as a script");
        }
        let (code, written, _) = bench.machine.ran(&program, &["write-cold"]);
        assert_eq!((code, written.trim_start_matches("started\n").chars().count()), (0, 2 * 65_536), "{name}");
        let (_, written, _) = bench.machine.ran(&program, &["fill"]);
        assert!(written.ends_with("filled\n"), "{name}: the kernel wrote into cold memory");
    }
}

/// The base image's pages and the app's, each mapped or compressed, in every combination.
fn pages_come_from_everywhere(bench: &Bench) {
    let ballast = |pages: &[u32]| pages.iter().map(|page| bench.ballast + page).collect::<Vec<_>>();
    for (name, image, hot_pages) in [
        ("cold", Image::Started, vec![]),
        ("app-hot-over-base-hot", Image::Started, ballast(&[3])),
        ("app-hot-over-base-cold", Image::Started, ballast(&[9, 20])),
        ("app-hot", Image::Loaded, ballast(&[3, 9, 10, 20])),
        ("base-only", Image::None, vec![]),
    ] {
        let container = bench.container(Grants::default(), image, &[], &hot_pages);
        let program = bench.program(name, &container);
        let (code, written, error) = bench.machine.ran(&program, &["ballast"]);
        assert_eq!((code, written.trim_start_matches("started\n"), &*error), (0, "ballast right\n", ""), "{name}");
        let traced = output(bench.machine.command(&program).arg("ballast").env("EDGEPACK_TRACE", "pages"));
        assert!(traced.stdout.ends_with(b"ballast right\n"), "{name}, page by page");
    }
}

fn touched_pages_are_listed(bench: &Bench) {
    let program = bench.program("traced", &bench.container(Grants::default(), Image::Loaded, &[], &[]));
    let touched = |command: &str| {
        let output = bench.machine.command(&program).arg(command).env("EDGEPACK_TRACE", "pages").output().unwrap();
        let list = String::from_utf8(output.stderr).unwrap();
        let pages = list.lines().map(|line| line.strip_prefix("edgepack: page ").unwrap().parse::<u32>().unwrap());
        pages.filter(|page| (bench.ballast..bench.ballast + 64).contains(page)).count()
    };
    assert_eq!((touched("hello"), touched("ballast")), (0, 64));
}

fn ends(bench: &Bench) {
    let program = bench.program("ends", &bench.container(Grants::default(), Image::Loaded, &[], &[]));
    let stopped = |sentence: &str| (134, String::new(), format!("edgepack: the engine stopped: {sentence}\n"));
    assert_eq!(bench.machine.ran(&program, &["exit"]).0, 7);
    assert_eq!(bench.machine.ran(&program, &["trap"]), stopped("unreachable code"));
    assert_eq!(bench.machine.ran(&program, &["outside"]), stopped("memory access out of bounds"));
    assert_eq!(bench.machine.ran(&program, &["recurse"]), stopped("stack overflow"));
    assert_eq!(bench.machine.ran(&program, &["pointer"]), stopped("a host call's pointer is out of bounds"));
    assert_eq!(bench.machine.ran(&program, &["indirect"]), stopped("wrong indirect call"));
    assert_eq!(bench.machine.ran(&program, &["deep"]).1, "500000\n", "more than the usual limit of 8 MiB");
    assert_eq!(bench.machine.ran(&program, &["grow"]), (0, "2157024\n".to_owned(), String::new()));
    assert_eq!(bench.machine.ran(&program, &["wait"]).1, "waited\n");
}

fn grants_hold(bench: &Bench) {
    let program = bench.program("denied", &bench.container(Grants::default(), Image::Loaded, &[], &[]));
    assert_eq!(bench.machine.ran(&program, &["env"]).1, "unset\n");
    assert_eq!(bench.machine.ran(&program, &["read"]).1, "refused 10001\n");
    let env = Scope::Some(vec!["HOME".to_owned()]);
    let grants = Grants { env, read: Scope::All, ..Grants::default() };
    let program = bench.program("granted", &bench.container(grants, Image::Loaded, &[], &[]));
    assert_eq!(bench.machine.ran(&program, &["env"]).1, "/home/x");
    assert_eq!(bench.machine.ran(&program, &["read"]).1, fs::read_to_string("/etc/hostname").unwrap());
}

fn damage_is_refused(bench: &Bench) {
    let whole = bench.container(Grants::default(), Image::Loaded, &[], &[]);
    let refused = |bytes: &[u8]| {
        let (code, _, error) = bench.machine.ran(&bench.program("damaged", bytes), &[]);
        assert_eq!(code, 1, "{error}");
        error
    };
    let mut damaged = whole.clone();
    damaged[whole.len() - 10] ^= 4;
    assert!(refused(&damaged).contains("chunk "), "seen at the first touch");
    let cut = refused(&whole[..whole.len() - 1]);
    assert_eq!(cut, "edgepack: the container is cut short\n");
    assert_eq!(refused(b"something else"), "edgepack: not an edgepack container\n");
    let other = Bench {
        engine: [1; 32],
        machine: bench.machine,
        stub: bench.stub.clone(),
        base: bench.base.clone(),
        mapped_pages: bench.mapped_pages.clone(),
        ballast: bench.ballast,
        loaded: bench.loaded.clone(),
        started: bench.started.clone(),
        folder: tempfile::tempdir().unwrap().keep(),
    };
    let error = refused(&other.container(Grants::default(), Image::Loaded, &[], &[]));
    assert!(
        error.starts_with("edgepack: the container was made for engine 0101010101010101, this executable has engine ")
    );
}

/// Storage is read from the beginning: headers in the first page, cold pages of the base image and cold code last.
fn what_boots_need_comes_first(bench: &Bench) {
    let path = bench.program("laid-out", &bench.container(Grants::default(), Image::Loaded, &[], &[]));
    let bytes = fs::read(&path).unwrap();
    let elf = Elf::parse(&bytes).unwrap();
    let [app, frames, code] = [ELF_SECTION, FRAMES_SECTION, CODE_SECTION].map(|name| elf.section(name).unwrap());
    assert!(app.end <= frames.start && frames.end <= code.start, "{app:?} {frames:?} {code:?}");
    assert_eq!(code.end, bytes.len(), "nothing comes after them");
    for name in [FRAMES_SECTION, CODE_SECTION] {
        let mut bytes = bytes.clone();
        let text = format!("{name}\0");
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
        assert!(at < PAGE_BYTES, "the names of the sections are at {at}");
        bytes[at + 1] = b'x';
        fs::write(&path, bytes).unwrap();
        let (code, _, error) = bench.machine.ran(&path, &[]);
        let sentence = format!("this executable is damaged: it has no section {name}, which is a part of the engine");
        assert_eq!((code, error), (1, format!("edgepack: {sentence}\n")));
    }
}

/// Code that is no frame ends the program when it is called, with a sentence.
fn damaged_code_is_not_run(bench: &Bench) {
    let path = bench.program("damaged-code", &bench.container(Grants::default(), Image::Loaded, &[], &[]));
    let mut bytes = fs::read(&path).unwrap();
    let code = Elf::parse(&bytes).unwrap().section(CODE_SECTION).unwrap();
    bytes[code].fill(0x55);
    fs::write(&path, bytes).unwrap();
    let (code, _, error) = bench.machine.ran(&path, &["hello"]);
    assert_eq!((code, error.lines().count()), (1, 1), "{error}");
    assert!(error.contains("a frame of the engine's code"), "{error}");
}

fn strip_keeps_the_app(bench: &Bench) {
    let program = bench.program("stripped", &bench.container(Grants::default(), Image::Loaded, &[], &[3]));
    let status = Command::new("strip").arg(&program).status().unwrap();
    assert!(status.success());
    assert_eq!(bench.machine.ran(&program, &["hello"]).1, "hello\n");
}
