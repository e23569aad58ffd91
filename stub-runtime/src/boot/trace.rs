//! `EDGEPACK_TRACE=boot`: how long each phase of the boot took, on standard error; `EDGEPACK_TRACE=pages`: which pages
//! of memory were touched when the app ends. Those of every boot are the hot ones, stored so that they are mapped.

use rustix::time::{ClockId, clock_gettime};

use super::pages;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Nothing,
    Boot,
    Pages,
}

/// Collects phases; does nothing unless asked to.
#[derive(Debug)]
pub(crate) struct Trace {
    subject: Subject,
    phases: Vec<(&'static str, i64)>,
}

fn microseconds() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
}

impl Trace {
    pub(crate) fn start() -> Trace {
        let subject = match std::env::var_os("EDGEPACK_TRACE") {
            Some(asked) if asked == "boot" => Subject::Boot,
            Some(asked) if asked == "pages" => Subject::Pages,
            _ => Subject::Nothing,
        };
        if subject == Subject::Pages {
            // SAFETY: the function may run at exit; a failure means one list less.
            unsafe { libc::atexit(print_pages) };
        }
        let mut trace = Trace { subject, phases: Vec::new() };
        trace.phase("start");
        trace
    }

    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// A phase has ended.
    pub(crate) fn phase(&mut self, name: &'static str) {
        if self.subject == Subject::Boot {
            self.phases.push((name, microseconds()));
        }
    }

    pub(crate) fn print(&self) {
        if self.subject != Subject::Boot {
            return;
        }
        let mut text = String::from("edgepack: boot");
        for pair in self.phases.windows(2) {
            if let [(_, before), (name, after)] = pair {
                text.push_str(&format!(" {name} {} us", after - before));
            }
        }
        text.push('\n');
        // Only a trace.
        let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
    }
}

extern "C" fn print_pages() {
    use std::io::Write;
    // Only a trace.
    let _ = std::io::stderr().write_all(pages::list().as_bytes());
}
