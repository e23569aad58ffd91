//! `EDGEPACK_TRACE=boot`: how long each phase of the boot took, on standard error; `EDGEPACK_TRACE=chunks`: which chunks
//! of memory are fetched, as they are: those of every boot are the hot ones that the packer can store raw.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::time::{ClockId, clock_gettime};

static CHUNKS: AtomicBool = AtomicBool::new(false);

/// Tells that a chunk is fetched, if asked to.
pub(crate) fn fetched(chunk: u32) {
    if CHUNKS.load(Ordering::Relaxed) {
        // Only a trace.
        let _ = rustix::io::write(rustix::stdio::stderr(), format!("edgepack: chunk {chunk}\n").as_bytes());
    }
}

/// Collects phases; does nothing unless asked to.
#[derive(Debug)]
pub(crate) struct Trace {
    phases: Option<Vec<(&'static str, i64)>>,
}

fn microseconds() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
}

impl Trace {
    pub(crate) fn start() -> Trace {
        let asked = std::env::var_os("EDGEPACK_TRACE").unwrap_or_default();
        CHUNKS.store(asked == "chunks", Ordering::Relaxed);
        Trace { phases: (asked == "boot").then(|| vec![("start", microseconds())]) }
    }

    /// A phase has ended.
    pub(crate) fn phase(&mut self, name: &'static str) {
        if let Some(phases) = &mut self.phases {
            phases.push((name, microseconds()));
        }
    }

    pub(crate) fn print(&self) {
        let Some(phases) = &self.phases else { return };
        let mut text = String::from("edgepack: boot");
        for pair in phases.windows(2) {
            if let [(_, before), (name, after)] = pair {
                text.push_str(&format!(" {name} {} us", after - before));
            }
        }
        text.push('\n');
        // Only a trace.
        let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
    }
}
