//! Host names to addresses: at once where /etc/hosts knows, else on threads, as the C library only waits.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::EventfdFlags;
use rustix::io::Errno;

use crate::capability::{GrantedName, canonical};
use crate::host::{Answer, Host, Refusal};
use crate::memory::fill;
use crate::sockets::encode_ip;
use crate::sys::names;

/// Lookups at one time; libuv's number.
const THREADS_MAX: usize = 4;

/// Enough for musl's getaddrinfo, which keeps its answers on the stack.
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// Addresses, or libuv's number for the reason why not.
pub(crate) type Resolution = Result<Vec<IpAddr>, i32>;

/// One question.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) family: i32,
    pub(crate) flags: i32,
}

/// Questions under way and answers not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    next_request: i32,
    names: BTreeMap<i32, String>,
    answers: BTreeMap<i32, Resolution>,
    unreported: VecDeque<u32>,
    shared: Option<Arc<Shared>>,
}

/// What the threads share with the app's.
#[derive(Debug)]
struct Shared {
    notifier: OwnedFd,
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    questions: VecDeque<(i32, Question)>,
    answers: Vec<(i32, Resolution)>,
    threads: usize,
}

impl Shared {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers questions until there is none left.
    fn serve(&self) {
        loop {
            let (request, question) = {
                let mut work = self.work();
                match work.questions.pop_front() {
                    Some(next) => next,
                    None => {
                        work.threads -= 1;
                        return;
                    }
                }
            };
            let answer = names::resolve(&question);
            self.work().answers.push((request, answer));
            // Only fails if the counter is full, and then the app is already to be woken.
            let _ = rustix::io::write(&self.notifier, &1_u64.to_ne_bytes());
        }
    }
}

impl Resolver {
    pub(crate) fn next_unreported(&mut self) -> Option<u32> {
        self.unreported.pop_front()
    }

    pub(crate) fn report_again(&mut self, request: u32) {
        self.unreported.push_front(request);
    }

    /// Takes the threads' answers after their notification.
    pub(crate) fn acknowledge(&mut self) {
        let Some(shared) = self.shared.clone() else { return };
        let mut counter = [0; 8];
        // Non-blocking; an empty counter means that an earlier call took the answers already.
        let _ = rustix::io::read(&shared.notifier, &mut counter);
        let answers = std::mem::take(&mut shared.work().answers);
        for (request, answer) in answers {
            self.finish(request, answer);
        }
    }

    fn finish(&mut self, request: i32, answer: Resolution) {
        self.answers.insert(request, answer);
        self.unreported.push_back(request.cast_unsigned());
    }
}

pub(crate) fn start(host: &mut Host, name: GrantedName, family: i32, flags: i32) -> Answer {
    let question = Question { name: name.into_string(), family, flags };
    let request = host.resolver.next_request;
    host.resolver.next_request = request.checked_add(1).unwrap_or_default();
    host.resolver.names.insert(request, question.name.clone());
    match at_once(&question) {
        Some(answer) => host.resolver.finish(request, answer),
        None => on_thread(host, request, question)?,
    }
    Ok(request)
}

fn on_thread(host: &mut Host, request: i32, question: Question) -> Result<(), Errno> {
    if host.resolver.shared.is_none() {
        let notifier = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        host.readiness.watch_resolver(notifier.as_fd())?;
        host.resolver.shared = Some(Arc::new(Shared { notifier, work: Mutex::default() }));
    }
    let shared = host.resolver.shared.clone().ok_or(Errno::AGAIN)?;
    let mut work = shared.work();
    work.questions.push_back((request, question));
    if work.threads < THREADS_MAX {
        work.threads += 1;
        drop(work);
        let server = Arc::clone(&shared);
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES).name("resolver".to_owned());
        if thread.spawn(move || server.serve()).is_err() {
            let mut work = shared.work();
            work.threads -= 1;
            work.questions.retain(|(queued, _)| *queued != request);
            return Err(Errno::AGAIN);
        }
    }
    Ok(())
}

pub(crate) fn result(host: &mut Host, request: i32, buffer: &mut [u8]) -> Answer {
    let resolver = &mut host.resolver;
    let answer = resolver.answers.get(&request).ok_or(Errno::AGAIN)?;
    let addresses = match answer {
        Ok(addresses) => addresses.clone(),
        Err(number) => {
            let number = *number;
            resolver.answers.remove(&request);
            resolver.names.remove(&request);
            return Err(Refusal::Name(number));
        }
    };
    let bytes: Vec<u8> = addresses.iter().flat_map(|address| encode_ip(*address)).collect();
    if bytes.len() <= buffer.len() {
        resolver.answers.remove(&request);
        if let Some(name) = resolver.names.remove(&request) {
            remember(host, &addresses, &name);
        }
    }
    fill(buffer, &bytes)
}

/// From now on a connection to these addresses counts as one to the name.
fn remember(host: &mut Host, addresses: &[IpAddr], name: &str) {
    for address in addresses {
        let names = host.resolved_names.entry(canonical(*address)).or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
}

/// What needs no server: numbers, `localhost` and /etc/hosts.
fn at_once(question: &Question) -> Option<Resolution> {
    if let Ok(address) = question.name.parse::<IpAddr>() {
        return fits(address, question.family).then(|| Ok(vec![address]));
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut addresses: Vec<IpAddr> =
        in_hosts(&hosts, &question.name).filter(|address| fits(*address, question.family)).collect();
    addresses.dedup();
    let bare = question.name.trim_end_matches('.');
    if addresses.is_empty() && (bare.eq_ignore_ascii_case("localhost") || bare.ends_with(".localhost")) {
        let loopback = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
        addresses = loopback.into_iter().filter(|address| fits(*address, question.family)).collect();
    }
    (!addresses.is_empty()).then_some(Ok(addresses))
}

fn fits(address: IpAddr, family: i32) -> bool {
    match family {
        4 => address.is_ipv4(),
        6 => address.is_ipv6(),
        _ => true,
    }
}

fn in_hosts<'a>(hosts: &'a str, name: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
    hosts.lines().filter_map(move |line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::in_hosts;

    #[test]
    fn hosts_file_names_are_found_without_case_and_comments_are_not() {
        let hosts = "127.0.0.1 localhost\n# 10.0.0.1 gone\n10.0.0.2 a Broker # broker2\n";
        let found: Vec<_> = in_hosts(hosts, "broker").map(|address| address.to_string()).collect();
        assert_eq!(found, ["10.0.0.2"]);
        assert_eq!(in_hosts(hosts, "broker2").count(), 0);
        assert_eq!(in_hosts(hosts, "gone").count(), 0);
    }
}
