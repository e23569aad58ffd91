//! `process.env`: the host's variables, read when they are asked for, under what the app has written itself.

use core::cell::RefCell;

use super::{Binding, Exports};
use crate::host::process;
use crate::js::{Call, Result, Value, internals, values};

pub(crate) const BINDING: Binding = Binding { name: "process_env", init };

thread_local! {
    /// What the app has set (`Some`) or deleted (`None`), in that order.
    static WRITTEN: RefCell<Vec<(String, Option<String>)>> = const { RefCell::new(Vec::new()) };
}

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("passForPlain", 1, pass_for_plain)?;
    exports.helper("get", 1, js_get)?;
    exports.helper("set", 2, js_set)?;
    exports.helper("delete", 1, js_delete)?;
    exports.helper("listsNames", 0, lists_names)?;
    exports.helper("names", 0, js_names)
}

/// The value of a variable.
pub(crate) fn get(name: &str) -> Option<String> {
    let written =
        WRITTEN.with_borrow(|all| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
    written.unwrap_or_else(|| process::env(name).ok())
}

fn write(name: String, value: Option<String>) {
    WRITTEN.with_borrow_mut(|all| match all.iter_mut().find(|(known, _)| *known == name) {
        Some(slot) => slot.1 = value,
        None => all.push((name, value)),
    });
}

/// The names of all variables: the host's first.
fn names() -> Vec<String> {
    let mut names = process::env_names().unwrap_or_default();
    WRITTEN.with_borrow(|all| {
        for (name, value) in all {
            match (value, names.iter().position(|known| known == name)) {
                (Some(_), None) => names.push(name.clone()),
                (None, Some(index)) => {
                    names.remove(index);
                }
                _ => {}
            }
        }
    });
    names
}

fn pass_for_plain<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    values::pass_for_plain(&call.arg(0));
    call.undefined()
}

fn lists_names<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(internals::lists_names(&call.ctx))
}

fn js_get<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(get(&call.string(0)?))
}

/// A name that no environment can hold is dropped, as setenv(3) does.
fn js_set<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (name, value) = (call.string(0)?, call.string(1)?);
    if !name.is_empty() && !name.contains('=') {
        write(name, Some(value));
    }
    call.undefined()
}

fn js_delete<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    write(call.string(0)?, None);
    call.undefined()
}

fn js_names<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(names())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_hides_the_host() {
        write("EDGE_TEST".into(), Some("1".into()));
        assert_eq!(get("EDGE_TEST").as_deref(), Some("1"));
        write("EDGE_TEST".into(), None);
        assert_eq!(get("EDGE_TEST"), None);
    }
}
