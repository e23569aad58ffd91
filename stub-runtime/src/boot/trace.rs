//! `EDGEPACK_TRACE=boot`: how long each phase of the boot took, what it started from and why, and when the program did
//! what people wait for, on standard error; `EDGEPACK_TRACE=pages`: which pages of memory were touched when the app ends.

use edgepack_format::container::{Assumption, Guard};
use rustix::time::ClockId;

use super::pages;
use crate::moments::{self, microseconds};

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
        if subject == Subject::Boot {
            moments::trace();
            // What the process has used of a processor by now: the kernel's exec, and the C library's start.
            trace.say(&format!("exec {} us", microseconds(ClockId::ProcessCPUTime)));
        }
        trace.phase("start");
        trace
    }

    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// A phase has ended.
    pub(crate) fn phase(&mut self, name: &'static str) {
        if self.subject == Subject::Boot {
            self.phases.push((name, microseconds(ClockId::Monotonic)));
        }
    }

    /// What the boot starts from: under which assumption, or which guard does not hold.
    pub(crate) fn image(&self, has_image: bool, start: &Result<&Assumption, Option<&Guard>>) {
        if self.subject != Subject::Boot {
            return;
        }
        match (has_image, start) {
            (true, Ok(assumption)) if assumption.patches.is_empty() => self.say("from the snapshot"),
            (true, Ok(assumption)) => {
                let places = assumption.patches.len();
                self.say(&format!("from the snapshot, with {places} places of it as they are at a terminal"));
            }
            (true, Err(Some(Guard { call, args, result }))) => {
                self.say(&format!("from the package, as {call}{args:?} was {result} at build time and is not now"));
            }
            (false, _) | (true, Err(None)) => self.say("from the package, as there is no snapshot"),
        }
    }

    pub(crate) fn print(&self) {
        let took = self.phases.windows(2).filter_map(|pair| match pair {
            [(_, before), (name, after)] => Some(format!("{name} {} us", after - before)),
            _ => None,
        });
        if self.subject == Subject::Boot {
            self.say(&took.collect::<Vec<_>>().join(", "));
        }
    }

    fn say(&self, what: &str) {
        // Only a trace.
        let _ = rustix::io::write(rustix::stdio::stderr(), format!("edgepack: boot: {what}\n").as_bytes());
    }
}

extern "C" fn print_pages() {
    use std::io::Write;
    // Only a trace.
    let _ = std::io::stderr().write_all(pages::list().as_bytes());
}
