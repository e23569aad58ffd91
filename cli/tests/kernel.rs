//! Executables under kernels, filters and limits that refuse something: they run, or say one sentence and end.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Prints, reads the clock, sleeps, and calls what few programs call: the loader's calls, and those of the event loop.
const SCRIPT: &str = "console.log('up', Date.now() > 0);\n\
    setTimeout(() => console.log('later', require('zlib').brotliDecompressSync(Buffer.from(';')).length), 1);";
const PRINTED: &str = "up true\nlater 0\n";

fn app() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let (script, program) = (folder.path().join("app.js"), folder.path().join("app"));
    fs::write(&script, SCRIPT).expect("a file");
    let built = Command::new(env!("CARGO_BIN_EXE_edgepack")).arg("build").arg(&script).arg("-o").arg(&program).output();
    let built = built.expect("edgepack starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    (folder, program)
}

/// The calls of a boot and of the event loop, as far as something else than the C library's own start needs them.
const CALLS: &[(&str, libc::c_long)] = &[
    ("clock_gettime", libc::SYS_clock_gettime),
    ("close", libc::SYS_close),
    ("epoll_create1", libc::SYS_epoll_create1),
    ("epoll_ctl", libc::SYS_epoll_ctl),
    ("epoll_pwait", libc::SYS_epoll_pwait),
    ("eventfd2", libc::SYS_eventfd2),
    ("fcntl", libc::SYS_fcntl),
    ("fstat", libc::SYS_fstat),
    ("getpid", libc::SYS_getpid),
    ("ioctl", libc::SYS_ioctl),
    ("madvise", libc::SYS_madvise),
    ("memfd_create", libc::SYS_memfd_create),
    ("mincore", libc::SYS_mincore),
    ("mmap", libc::SYS_mmap),
    ("mprotect", libc::SYS_mprotect),
    ("munmap", libc::SYS_munmap),
    #[cfg(target_arch = "x86_64")]
    ("open", libc::SYS_open),
    ("openat", libc::SYS_openat),
    ("ppoll", libc::SYS_ppoll),
    ("prlimit64", libc::SYS_prlimit64),
    ("rt_sigaction", libc::SYS_rt_sigaction),
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask),
    ("sched_getaffinity", libc::SYS_sched_getaffinity),
    ("sigaltstack", libc::SYS_sigaltstack),
];

/// Without these nothing can be loaded; what the others do can be left out or done otherwise.
const NEEDED: &[&str] = &["clock_gettime", "fstat", "mmap", "open", "rt_sigaction"];

/// The program under a filter that answers some calls with an error.
fn filtered(program: &Path, calls: &[libc::c_long], errno: i32) -> Output {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code.try_into().expect("16 bits"), jt: 0, jf: 0, k };
    let errno = u32::try_from(errno).expect("a number");
    // The number of the call is the first thing in `seccomp_data`.
    let mut filter = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    for call in calls {
        let number = u32::try_from(*call).expect("a number");
        filter.push(libc::sock_filter { jf: 1, ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number) });
        filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno));
    }
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    let length = u16::try_from(filter.len()).expect("short");
    let mut command = Command::new(program);
    let install = move || {
        let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
        // SAFETY: takes no memory.
        let allowed = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        // SAFETY: the filter is live, and as long as it says.
        let filtered = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
        if (allowed, filtered) == (0, 0) { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: between fork and exec only two system calls are made.
    unsafe { command.pre_exec(install) };
    command.output().expect("it starts")
}

/// The program with a limit of so many bytes.
fn limited(program: &Path, resource: libc::__rlimit_resource_t, bytes: u64) -> Output {
    let mut command = Command::new(program);
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    let set = move || {
        // SAFETY: the limit is live.
        let result = unsafe { libc::setrlimit(resource, &raw const limit) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: between fork and exec only one system call is made.
    unsafe { command.pre_exec(set) };
    command.output().expect("it starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_refused_call_is_done_without_or_named() {
    let (_folder, program) = app();
    for (name, call) in CALLS {
        for errno in [libc::ENOSYS, libc::EPERM] {
            let output = filtered(&program, &[*call], errno);
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            let place = format!("{name} {errno}: {:?} {out}{err}", output.status);
            let code = output.status.code().expect(&place);
            if NEEDED.contains(name) {
                assert!([1, 134].contains(&code) && out.is_empty(), "{place}");
                assert!(err.starts_with("edgepack: ") && err.lines().count() == 1, "{place}");
            } else {
                // What the event loop cannot have is the app's to see.
                assert!((code == 0 && out == PRINTED) || (code != 0 && !err.is_empty()), "{place}");
            }
        }
    }
    let sentence = text(&filtered(&program, &[libc::SYS_rt_sigaction], libc::EPERM).stderr).to_owned();
    assert!(sentence.contains("refuses rt_sigaction, which is needed: Operation not permitted"), "{sentence}");
    let sentence = text(&filtered(&program, &[libc::SYS_clock_gettime], libc::EPERM).stderr).to_owned();
    assert!(sentence.contains("refuses clock_gettime, which is needed: Operation not permitted"), "{sentence}");
}

#[test]
fn code_that_is_decompressed_becomes_executable_in_one_way_or_another() {
    let (_folder, program) = app();
    let output = filtered(&program, &[libc::SYS_mprotect], libc::EACCES);
    assert_eq!((text(&output.stdout), text(&output.stderr)), (PRINTED, ""), "as a mapped file");
    let output = filtered(&program, &[libc::SYS_mprotect, libc::SYS_memfd_create], libc::EACCES);
    let sentence = "edgepack: the kernel, or a filter before it, lets no memory be made executable, into which the engine's \
        code is decompressed: Permission denied (os error 13)\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), sentence));
}

#[test]
fn too_little_memory_names_the_limit() {
    let (_folder, program) = app();
    // Enough for the executable itself, which the kernel maps, and a little more than what is reserved.
    for bytes in [100 << 20, 1 << 30, (8 << 30) + (2 << 20)] {
        let output = limited(&program, libc::RLIMIT_AS, bytes);
        let sentence = format!(
            "edgepack: 8192 MiB of address space are needed besides the program's own, and the limit is {} MiB (ulimit -v)\n",
            bytes >> 20
        );
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), sentence.as_str()));
    }
    assert_eq!(text(&limited(&program, libc::RLIMIT_AS, 9 << 30).stdout), PRINTED);
    let output = limited(&program, libc::RLIMIT_DATA, 1 << 20);
    let sentence = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{sentence}");
    assert!(sentence.ends_with("Out of memory (os error 12); the limit is 1 MiB (ulimit -d)\n"), "{sentence}");
    assert_eq!(text(&limited(&program, libc::RLIMIT_NOFILE, 3).stderr).lines().count(), 1);
}
