//! package.json's `"edgepack": { "snapshot": … }` → which reads of the clock may be answered at build time.

use std::sync::Arc;

use edgepack_snapshots::{Frozen, Position};
use serde_json::Value;
use sourcemap::SourceMap;

use crate::failure::Failure;
use crate::positions;

/// What the app declares, and how a position tells its package.
pub(crate) fn frozen(edgepack: &Value, source_map: &str) -> Result<Frozen, Failure> {
    let declared = &edgepack["snapshot"];
    let mut frozen = Frozen { time: names_time(&declared["freeze"], "freeze")?, ..Frozen::default() };
    match &declared["packages"] {
        Value::Null => {}
        Value::Object(packages) => {
            for (package, what) in packages {
                if names_time(what, package)? {
                    frozen.packages.push(package.clone());
                }
            }
        }
        _ => return Err(malformed("\"packages\" must be an object of package names")),
    }
    if let Ok(map) = SourceMap::from_slice(source_map.as_bytes()) {
        let source_of = move |position: Position| Some(positions::in_map(&map, position)?.file);
        frozen.source_of = Some(Arc::new(source_of));
    }
    Ok(frozen)
}

/// `["time"]`; nothing else can be frozen.
fn names_time(list: &Value, of: &str) -> Result<bool, Failure> {
    let Some(entries) = list.as_array() else {
        return if list.is_null() { Ok(false) } else { Err(malformed(&format!("\"{of}\" must be a list"))) };
    };
    match entries.iter().find(|entry| entry.as_str() != Some("time")) {
        Some(other) => Err(malformed(&format!("{other} cannot be frozen: only \"time\" can"))),
        None => Ok(!entries.is_empty()),
    }
}

fn malformed(what: &str) -> Failure {
    Failure::new(format!("\"snapshot\" in package.json is malformed: {what}."))
        .hint("It looks like this: \"edgepack\": { \"snapshot\": { \"packages\": { \"lodash\": [\"time\"] } } }")
}
