//! Which reads of the clock at module scope are answered at build time, although boot would answer otherwise: those
//! that are known to decide nothing, and those an app declares so. Everything else stops the build.

use std::sync::Arc;

use crate::snapshot::{Position, Stop};

/// The source file of a position in the script, if it is known.
pub type SourceOf = Arc<dyn Fn(Position) -> Option<String> + Send + Sync>;

/// What may be frozen in one app.
#[derive(Clone, Default)]
pub struct Frozen {
    /// Every read of the clock: declared by `"snapshot": { "freeze": ["time"] }`.
    pub time: bool,
    /// Reads of the clock by these packages: declared by `"snapshot": { "packages": { NAME: ["time"] } }`.
    pub packages: Vec<String>,
    /// Tells which package a read belongs to.
    pub source_of: Option<SourceOf>,
}

/// A package that reads the clock at module scope for nothing that matters.
struct Harmless {
    package: &'static str,
    /// The function that calls the one which reads: only reads on the way of module initialisation are meant.
    callers: &'static [&'static str],
}

/// lodash rate-limits `setToString` and `setData` by the time of their last call (its `shortOut`): an old time stamp
/// makes the counter start anew, which it does by itself after 16 ms.
const HARMLESS: &[Harmless] = &[
    Harmless { package: "lodash", callers: LODASH_CALLERS },
    Harmless { package: "lodash-es", callers: LODASH_CALLERS },
];

const LODASH_CALLERS: &[&str] =
    &["baseRest", "flatRest", "setWrapToString", "createWrap", "createHybrid", "createRecurry"];

/// 2024-01-01T00:00:00Z in nanoseconds: a time that nothing will take for the present, nor for a clock that is not set.
pub(crate) const REALTIME_NS: i64 = 1_704_067_200_000_000_000;
/// One second after an arbitrary start, so that nothing divides by an uptime of zero.
pub(crate) const MONOTONIC_NS: i64 = 1_000_000_000;

impl Frozen {
    /// The answer to a clock call that may be frozen where `stop` says.
    pub(crate) fn answer(&self, stop: &Stop) -> Option<i64> {
        let answer = match &*stop.call {
            "clock_realtime" => REALTIME_NS,
            "clock_monotonic" => MONOTONIC_NS,
            _ => return None,
        };
        (self.time || self.covers(stop)).then_some(answer)
    }

    fn covers(&self, stop: &Stop) -> bool {
        let source_of = self.source_of.as_ref();
        let Some(source) = stop.positions.first().and_then(|position| source_of?(*position)) else { return false };
        let within = |package: &str| source.contains(&format!("node_modules/{package}/"));
        if self.packages.iter().any(|package| within(package)) {
            return true;
        }
        let caller = stop.backtrace.lines().nth(1).and_then(function_name).unwrap_or_default();
        HARMLESS.iter().any(|known| within(known.package) && known.callers.contains(&caller))
    }
}

/// `baseRest` of `    at baseRest (/app/index.js:1:82744)`.
fn function_name(line: &str) -> Option<&str> {
    line.trim().strip_prefix("at ")?.split(" (").next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(call: &'static str, caller: &str) -> Stop {
        let backtrace = format!("    at <anonymous> (/app/index.js:1:7)\n    at {caller} (/app/index.js:1:3)\n");
        Stop {
            call: call.to_owned(),
            reason: String::new(),
            positions: vec![Position { line: 1, column: 7 }],
            backtrace,
        }
    }

    fn lodash() -> Frozen {
        Frozen { source_of: Some(Arc::new(|_| Some("node_modules/lodash/lodash.js".to_owned()))), ..Frozen::default() }
    }

    #[test]
    fn only_the_known_way_to_the_clock_is_harmless() {
        assert_eq!(lodash().answer(&stop("clock_realtime", "baseRest")), Some(REALTIME_NS));
        assert_eq!(lodash().answer(&stop("clock_realtime", "now")), None);
        assert_eq!(lodash().answer(&stop("random_fill", "baseRest")), None);
        assert_eq!(Frozen::default().answer(&stop("clock_realtime", "baseRest")), None);
    }

    #[test]
    fn a_declared_package_may_read_the_clock_anywhere() {
        let declared = Frozen { packages: vec!["lodash".to_owned()], ..lodash() };
        assert_eq!(declared.answer(&stop("clock_monotonic", "now")), Some(MONOTONIC_NS));
        let all = Frozen { time: true, ..Frozen::default() };
        assert_eq!(all.answer(&stop("clock_realtime", "f")), Some(REALTIME_NS));
    }
}
