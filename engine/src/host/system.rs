//! Information about the machine and its user.

use edgepack_format::host_calls::system_info;
use edgepack_format::targets::{self, Target};

use super::answer::{Answer, Failure, filled, list};
use super::raw;

/// What can be asked; the answers are texts, laid out as `edgepack_format::host_calls::system_info` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Hostname = system_info::HOSTNAME as isize,
    Kernel = system_info::KERNEL as isize,
    Cpus = system_info::CPUS as isize,
    Memory = system_info::MEMORY as isize,
    Uptime = system_info::UPTIME as isize,
    Load = system_info::LOAD as isize,
    Interfaces = system_info::INTERFACES as isize,
    User = system_info::USER as isize,
    Parallelism = system_info::PARALLELISM as isize,
    Groups = system_info::GROUPS as isize,
    Priority = system_info::PRIORITY as isize,
}

impl Topic {
    /// The `--allow-sys` name that grants it.
    pub(crate) fn grant(self) -> &'static str {
        usize::try_from(self as i32).ok().and_then(|index| system_info::NAMES.get(index)).copied().unwrap_or_default()
    }
}

/// The answer as one text.
pub(crate) fn text(topic: Topic) -> Answer<String> {
    // SAFETY: the buffer is valid for writes of its length.
    let bytes = filled(|buffer, capacity| unsafe { raw::system_info(topic as i32, buffer, capacity) })?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
}

/// The answer as a list of texts.
pub(crate) fn texts(topic: Topic) -> Answer<Vec<String>> {
    // SAFETY: the buffer is valid for writes of its length.
    let bytes = filled(|buffer, capacity| unsafe { raw::system_info(topic as i32, buffer, capacity) })?;
    Ok(list(&bytes))
}

/// The answer as lines of tab-separated fields.
pub(crate) fn table(topic: Topic) -> Answer<Vec<Vec<String>>> {
    let text = text(topic)?;
    Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// The answer as a decimal number.
pub(crate) fn decimal(topic: Topic) -> Answer<f64> {
    text(topic)?.trim().parse().map_err(|_| Failure::INVAL)
}

/// What this runs on.
pub(crate) fn target() -> Option<&'static Target> {
    // SAFETY: takes nothing.
    let machine = unsafe { raw::target_machine() };
    u16::try_from(machine).ok().and_then(targets::find_machine)
}
