//! The manifest: what people and tools want to know about an app, as canonical JSON (keys sorted, no spaces), so
//! that the same app has the same bytes. Boot reads the index instead.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::container::{Assumption, Guard, Hash};
use crate::policy::{Grants, Scope};

/// What an app is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// From package.json, or the entry's name.
    pub name: String,
    /// From package.json, or empty.
    pub version: String,
    /// The entry's virtual path.
    pub entry: String,
    /// What the app may do.
    pub grants: Grants,
    /// Why start-up stopped at build time; empty if it was not tried.
    pub stop_reason: String,
    /// Bytes of linear memory that the app may have.
    pub memory_bytes_max: u64,
}

/// What the packer adds.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    /// The engine's hash.
    pub engine: &'a Hash,
    /// What was assumed of the world of the started image.
    pub assumptions: &'a [Assumption],
    /// How many effects are replayed at boot.
    pub deferred_count: usize,
    /// Named sizes in bytes.
    pub sizes: &'a [(&'a str, usize)],
}

impl Manifest {
    /// The manifest section's content.
    #[must_use]
    pub fn encode(&self, packed: &Packed<'_>) -> String {
        let grants = &self.grants;
        let scopes = [
            ("env", scope(&grants.env)),
            ("net", scope(&grants.net)),
            ("read", scope(&grants.read)),
            ("run", scope(&grants.run)),
            ("sys", scope(&grants.sys)),
            ("write", scope(&grants.write)),
        ];
        let mut assumptions = packed.assumptions.iter();
        let image = assumptions.next().map(|assumption| guards(&assumption.guards)).unwrap_or_default();
        let others = assumptions.map(|assumption| {
            let bytes: usize = assumption.patches.iter().map(|patch| patch.bytes.len()).sum();
            let guards = guards(&assumption.guards);
            object([("guards", format!("[{guards}]")), ("patched_bytes", bytes.to_string())])
        });
        let others: Vec<String> = others.collect();
        let mut sizes: Vec<(&str, String)> =
            packed.sizes.iter().map(|(name, size)| (*name, size.to_string())).collect();
        sizes.sort();
        let hex: String = packed.engine.iter().map(|byte| format!("{byte:02x}")).collect();
        object([
            ("capabilities", object(scopes)),
            ("deferred", packed.deferred_count.to_string()),
            ("engine", string(&hex)),
            ("entry", string(&self.entry)),
            ("guards", format!("[{image}]")),
            ("limits", object([("memory_bytes_max", self.memory_bytes_max.to_string())])),
            ("name", string(&self.name)),
            ("other_guards", format!("[{}]", others.join(","))),
            ("sizes", object(sizes)),
            ("stop_reason", string(&self.stop_reason)),
            ("version", string(&self.version)),
        ])
    }
}

fn guards(guards: &[Guard]) -> String {
    let guard = |guard: &Guard| {
        let args: Vec<String> = guard.args.iter().map(ToString::to_string).collect();
        object([
            ("args", format!("[{}]", args.join(","))),
            ("call", string(&guard.call)),
            ("result", guard.result.to_string()),
        ])
    };
    guards.iter().map(guard).collect::<Vec<_>>().join(",")
}

/// Pairs must come sorted.
fn object<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{}:{value}", string(key))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::None => "false".to_string(),
        Scope::All => "true".to_string(),
        Scope::Some(entries) => {
            let entries: Vec<String> = entries.iter().map(|entry| string(entry)).collect();
            format!("[{}]", entries.join(","))
        }
    }
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::{Manifest, Packed};
    use crate::policy::{Grants, Scope};

    #[test]
    fn keys_are_sorted_and_texts_escaped() {
        let grants = Grants { net: Scope::Some([":80".into()].into()), sys: Scope::All, ..Grants::default() };
        let manifest = Manifest { name: "a\"b\n".into(), grants, ..Manifest::default() };
        let packed = Packed { engine: &[0xab; 32], assumptions: &[], deferred_count: 2, sizes: &[("z", 1), ("a", 2)] };
        let text = manifest.encode(&packed);
        assert!(text.starts_with(r#"{"capabilities":{"env":false,"net":[":80"],"read":false,"run":false,"sys":true,"#));
        assert!(text.contains(r#""name":"a\"b\u000a","other_guards":[],"sizes":{"a":2,"z":1}"#), "{text}");
    }
}
