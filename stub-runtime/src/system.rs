//! Facts about the machine, read from the kernel's own files.

use edgepack_format::host_calls::system_info;
use edgepack_format::policy::Request;
use edgepack_format::targets::TARGETS;
use rustix::io::Errno;

use crate::host::{Answer, Host, Refusal};
use crate::memory::{fill, fill_numbers};
use crate::program::list;
use crate::sys::interfaces;

pub(crate) fn info(host: &mut Host, kind: i32, buffer: &mut [u8]) -> Answer {
    let name = usize::try_from(kind).ok().and_then(|index| system_info::NAMES.get(index)).ok_or(Errno::INVAL)?;
    host.require(Request::Sys(name))?;
    let text = match kind {
        system_info::HOSTNAME => rustix::system::uname().nodename().to_bytes().to_vec(),
        system_info::KERNEL => kernel(),
        system_info::CPUS => cpus().into_bytes(),
        system_info::MEMORY => {
            let memory = MemoryInfo::read();
            list([memory.total.to_string(), memory.available.to_string()])
        }
        system_info::UPTIME => first_word(&read("/proc/uptime")).as_bytes().to_vec(),
        system_info::LOAD => list(read("/proc/loadavg").split_whitespace().take(3)),
        system_info::INTERFACES => interfaces::describe()?.into_bytes(),
        system_info::USER => user()?,
        system_info::PARALLELISM => {
            let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            processors.to_string().into_bytes()
        }
        system_info::GROUPS => {
            let groups = rustix::process::getgroups()?;
            list(groups.into_iter().map(|group| group.as_raw().to_string()))
        }
        system_info::PRIORITY => rustix::process::getpriority_process(None)?.to_string().into_bytes(),
        _ => return Err(Refusal::Errno(Errno::INVAL)),
    };
    fill(buffer, &text)
}

/// ELF's number of the machine this code is for.
pub(crate) fn target_machine() -> i32 {
    TARGETS.iter().find(|target| target.host_arch == std::env::consts::ARCH).map_or(0, |target| target.machine.into())
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn kernel() -> Vec<u8> {
    let uname = rustix::system::uname();
    list([uname.sysname(), uname.release(), uname.version(), uname.machine()].map(|text| text.to_bytes().to_vec()))
}

/// Times in /proc/stat are in hundredths of a second on every Linux.
fn cpus() -> String {
    const MS_PER_TICK: u64 = 10;
    let (models, speeds) = models_and_speeds(&read("/proc/cpuinfo"));
    let stat = read("/proc/stat");
    let rows = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let mut text = String::new();
    for (index, row) in rows.enumerate() {
        let mut ticks = row.split_whitespace().skip(1).map(|word| word.parse().unwrap_or(0_u64) * MS_PER_TICK);
        let mut next = || ticks.next().unwrap_or(0);
        let (user, nice, sys, idle, _io, irq) = (next(), next(), next(), next(), next(), next());
        let model = models.get(index).or(models.last()).map_or("unknown", String::as_str);
        let speed = speeds.get(index).copied().unwrap_or(0);
        text.push_str(&format!("{model}\t{speed}\t{user}\t{nice}\t{sys}\t{idle}\t{irq}\n"));
    }
    text
}

fn models_and_speeds(cpuinfo: &str) -> (Vec<String>, Vec<u64>) {
    let (mut models, mut speeds) = (Vec::new(), Vec::new());
    for line in cpuinfo.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim() {
            "model name" | "Model" => models.push(value.trim().to_owned()),
            "cpu MHz" => speeds.push(first_word(value).split('.').next().and_then(|mhz| mhz.parse().ok()).unwrap_or(0)),
            _ => {}
        }
    }
    (models, speeds)
}

/// Bytes of memory of the machine.
struct MemoryInfo {
    total: i64,
    available: i64,
}

impl MemoryInfo {
    fn read() -> MemoryInfo {
        let text = read("/proc/meminfo");
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| first_word(line).parse::<i64>().ok()).unwrap_or(0) * 1024
        };
        MemoryInfo { total: field("MemTotal"), available: field("MemAvailable") }
    }
}

pub(crate) fn memory_usage(_: &mut Host, answer: &mut [u8]) -> Answer {
    let memory = MemoryInfo::read();
    let page = i64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let resident = read("/proc/self/statm").split_whitespace().nth(1).and_then(|pages| pages.parse().ok());
    let limit = read("/sys/fs/cgroup/memory.max").trim().parse().unwrap_or(0);
    fill_numbers(answer, &[resident.unwrap_or(0_i64) * page, memory.total, memory.available, limit]);
    Ok(0)
}

/// A static executable has no name service: /etc/passwd is all that musl would ask as well.
fn user() -> Result<Vec<u8>, Refusal> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let gid = rustix::process::getgid().as_raw().to_string();
    let passwd = read("/etc/passwd");
    let row = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let row = row.filter(|fields| fields.len() == 7).find(|fields| fields.get(2) == Some(&uid.as_str()));
    let row = row.ok_or(Errno::NOENT)?;
    let field = |index: usize| row.get(index).copied().unwrap_or_default();
    Ok(list([field(0), &uid, &gid, field(6), field(5)]))
}
