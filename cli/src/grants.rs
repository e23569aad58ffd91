//! Capability flags and package.json's `"edgepack": { "allow": … }` → the app's grants. Both add up.

use edgepack_format::policy::{Grants, Scope};
use serde_json::Value;

use crate::args::AllowArgs;
use crate::failure::Failure;

/// The grants of an app: what its package.json asks for, and what the flags add.
pub(crate) fn grants(flags: &AllowArgs, edgepack: &Value) -> Result<Grants, Failure> {
    let declared = match edgepack {
        Value::Null => Grants::default(),
        Value::Object(fields) => declared(fields.get("allow").unwrap_or(&Value::Null))?,
        _ => return Err(malformed("\"edgepack\" must be an object")),
    };
    if flags.allow_all {
        return Ok(Grants::all());
    }
    Ok(Grants {
        net: merge(declared.net, flags.allow_net.as_deref()),
        read: merge(declared.read, flags.allow_read.as_deref()),
        write: merge(declared.write, flags.allow_write.as_deref()),
        env: merge(declared.env, flags.allow_env.as_deref()),
        run: merge(declared.run, flags.allow_run.as_deref()),
        sys: merge(declared.sys, flags.allow_sys.as_deref()),
    })
}

fn merge(declared: Scope, flag: Option<&[String]>) -> Scope {
    match (declared, flag) {
        (declared, None) => declared,
        (Scope::All, _) | (_, Some([])) => Scope::All,
        (Scope::None, Some(entries)) => Scope::Some(entries.to_vec()),
        (Scope::Some(mut all), Some(entries)) => {
            all.extend(entries.iter().filter(|entry| !all.contains(entry)).cloned().collect::<Vec<_>>());
            Scope::Some(all)
        }
    }
}

fn declared(allow: &Value) -> Result<Grants, Failure> {
    let fields = match allow {
        Value::Null => return Ok(Grants::default()),
        Value::Bool(true) => return Ok(Grants::all()),
        Value::Object(fields) => fields,
        _ => return Err(malformed("\"allow\" must be an object, or true for everything")),
    };
    let mut grants = Grants::default();
    for (name, value) in fields {
        let scope = scope(name, value)?;
        match name.as_str() {
            "net" => grants.net = scope,
            "read" => grants.read = scope,
            "write" => grants.write = scope,
            "env" => grants.env = scope,
            "run" => grants.run = scope,
            "sys" => grants.sys = scope,
            other => {
                return Err(malformed(&format!("\"{other}\" is no capability: net, read, write, env, run, sys are")));
            }
        }
    }
    Ok(grants)
}

fn scope(name: &str, value: &Value) -> Result<Scope, Failure> {
    let wrong = || malformed(&format!("\"{name}\" must be true, false or a list of texts"));
    match value {
        Value::Bool(true) => Ok(Scope::All),
        Value::Bool(false) => Ok(Scope::None),
        Value::Array(entries) => {
            let texts: Option<Vec<String>> = entries.iter().map(|entry| entry.as_str().map(str::to_owned)).collect();
            texts.map(Scope::Some).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn malformed(what: &str) -> Failure {
    Failure::new(format!("the \"edgepack\" field of package.json is wrong: {what}"))
        .hint("for example: \"edgepack\": { \"allow\": { \"env\": [\"PORT\"], \"net\": true } }")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn some(entries: &[&str]) -> Scope {
        Scope::Some(entries.iter().map(|entry| (*entry).to_owned()).collect())
    }

    #[test]
    fn flags_and_package_json_add_up() {
        let flags = AllowArgs {
            allow_env: Some(vec!["PORT".into(), "HOST".into()]),
            allow_net: Some(vec![]),
            ..AllowArgs::default()
        };
        let edgepack = json!({ "allow": { "env": ["HOST", "MODE"], "read": true, "sys": ["hostname"] } });
        let grants = grants(&flags, &edgepack).expect("grants");
        assert_eq!(grants.env, some(&["HOST", "MODE", "PORT"]));
        assert_eq!((grants.net, grants.read, grants.write), (Scope::All, Scope::All, Scope::None));
        assert_eq!(grants.sys, some(&["hostname"]));
    }

    #[test]
    fn what_is_malformed_is_named() {
        let sentence = |edgepack| grants(&AllowArgs::default(), &edgepack).expect_err("wrong").to_string();
        assert!(sentence(json!({ "allow": { "nett": true } })).contains("\"nett\" is no capability"));
        assert!(sentence(json!({ "allow": { "net": "x" } })).contains("\"net\" must be true, false or a list"));
        assert!(sentence(json!([])).contains("\"edgepack\" must be an object"));
    }
}
