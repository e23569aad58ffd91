//! Names on the command line → targets.

use edgepack_format::targets::{TARGETS, Target, find};

use crate::failure::Failure;

/// Stands for every target.
const ALL: &str = "all";

/// The targets of these names, each once; this machine's if there are no names.
pub(crate) fn named_all(names: &[String]) -> Result<Vec<&'static Target>, Failure> {
    let mut targets: Vec<&'static Target> = Vec::new();
    for name in names {
        let more = if name == ALL { TARGETS.iter().collect() } else { vec![named(name)?] };
        targets.extend(more);
    }
    if targets.is_empty() {
        targets.push(own()?);
    }
    let mut seen = Vec::new();
    targets.retain(|target| {
        !seen.contains(target) && {
            seen.push(*target);
            true
        }
    });
    Ok(targets)
}

/// The target of that name; this machine's if there is none.
pub(crate) fn named_one(name: Option<&str>) -> Result<&'static Target, Failure> {
    name.map_or_else(own, named)
}

/// Whether this machine runs it by itself.
pub(crate) fn is_own(target: &Target) -> bool {
    target.host_arch == std::env::consts::ARCH
}

fn named(name: &str) -> Result<&'static Target, Failure> {
    find(name).ok_or_else(|| {
        let meant = nearest(name).map_or_else(String::new, |nearest| format!("did you mean {nearest}? "));
        Failure::usage(format!("there is no target {name}")).hint(format!("{meant}`edgepack targets` lists them"))
    })
}

fn own() -> Result<&'static Target, Failure> {
    TARGETS
        .iter()
        .find(|target| is_own(target))
        .or(TARGETS.first())
        .ok_or_else(|| Failure::new("no target is built in"))
}

/// Less like a name than this, and it was hardly meant.
const LIKENESS_MIN: f64 = 0.7;

/// The name that looks most like it.
fn nearest(name: &str) -> Option<&'static str> {
    let names = TARGETS.iter().flat_map(|target| [target.short, target.triple, target.host_arch]).chain([ALL]);
    let alike = names.map(|known| (known, strsim::jaro_winkler(known, name)));
    let best = alike.filter(|(_, likeness)| *likeness > LIKENESS_MIN).max_by(|one, other| one.1.total_cmp(&other.1));
    let (best, _) = best?;
    Some(TARGETS.iter().find(|target| target.host_arch == best).map_or(best, |target| target.short))
}
