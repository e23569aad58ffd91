//! A failed host call becomes the error that Node throws for it.

use core::cell::RefCell;

use edgepack_format::policy::Capability;

use super::numbers::{message, name};
use crate::host::{Answer, Failure};
use crate::js::{Ctx, Error, ErrorClass, Object, Result, new_error};

/// What an error says about the call that failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Failed<'a> {
    /// The system call, as Node names it.
    pub(crate) syscall: &'a str,
    /// The path as the app gave it.
    pub(crate) path: Option<&'a str>,
    /// The second path as the app gave it.
    pub(crate) dest: Option<&'a str>,
    /// What a refusal was about, if that is not the path.
    pub(crate) resource: Option<&'a str>,
}

thread_local! {
    /// What the last refused call was about.
    static REFUSED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The answer, or a thrown error.
pub(crate) fn settle<T>(ctx: &Ctx<'_>, answer: Answer<T>, failed: Failed<'_>) -> Result<T> {
    answer.map_err(|failure| failed.throw(ctx, failure))
}

/// Remembers what a refused call was about, for errors that Node's library makes from the number alone.
pub(crate) fn note_refusal<T>(answer: Answer<T>, resource: impl FnOnce() -> String) -> Answer<T> {
    if let Err(failure) = &answer
        && failure.refused().is_some()
    {
        REFUSED.set(resource());
    }
    answer
}

/// The message for a number that Node's library found in its error map.
pub(super) fn refusal_message(number: i32) -> String {
    match Capability::refused_by(number) {
        Some(capability) => REFUSED.with_borrow(|resource| access_denied(capability, resource)),
        None => message(number),
    }
}

/// An error for the last refusal with that number.
pub(super) fn refusal_error<'js>(ctx: &Ctx<'js>, number: i32) -> Result<Object<'js>> {
    let resource = REFUSED.with_borrow(Clone::clone);
    let failed = Failed { resource: Some(&resource), ..Failed::default() };
    match Capability::refused_by(number) {
        Some(capability) => failed.denied(ctx, capability),
        None => failed.exception(ctx, number),
    }
}

/// In the words of Node's permission model, with our flag.
pub(crate) fn access_denied(capability: Capability, resource: &str) -> String {
    let equals = if resource.is_empty() { "" } else { "=" };
    format!(
        "Access to this API has been restricted. Use {}{equals}{resource} to manage permissions.",
        capability.flag()
    )
}

/// The name of the permission in Node's permission model.
fn permission(capability: Capability) -> &'static str {
    match capability {
        Capability::Net => "Net",
        Capability::Read => "FileSystemRead",
        Capability::Write => "FileSystemWrite",
        Capability::Env => "Env",
        Capability::Run => "ChildProcess",
        Capability::Sys => "System",
    }
}

impl Failed<'_> {
    /// Throws the error for this failure.
    pub(crate) fn throw(self, ctx: &Ctx<'_>, failure: Failure) -> Error {
        let made = match failure.refused() {
            Some(capability) => self.denied(ctx, capability),
            None => self.exception(ctx, failure.number()),
        };
        match made {
            Ok(error) => ctx.throw(error.into_value()),
            Err(error) => error,
        }
    }

    fn exception<'js>(self, ctx: &Ctx<'js>, number: i32) -> Result<Object<'js>> {
        let code = name(number);
        let mut text = format!("{code}: {}, {}", message(number), self.syscall);
        if let Some(path) = self.path {
            text = format!("{text} '{path}'");
        }
        if let Some(dest) = self.dest {
            text = format!("{text} -> '{dest}'");
        }
        let error = new_error(ctx, ErrorClass::Plain, &text)?;
        error.set("errno", number)?;
        error.set("code", code)?;
        error.set("syscall", self.syscall)?;
        if let Some(path) = self.path {
            error.set("path", path)?;
        }
        if let Some(dest) = self.dest {
            error.set("dest", dest)?;
        }
        Ok(error)
    }

    fn denied<'js>(self, ctx: &Ctx<'js>, capability: Capability) -> Result<Object<'js>> {
        let resource = self.resource.or(if capability == Capability::Write { self.dest } else { None }).or(self.path);
        let resource = resource.unwrap_or_default();
        let error = new_error(ctx, ErrorClass::Plain, &access_denied(capability, resource))?;
        error.set("code", "ERR_ACCESS_DENIED")?;
        error.set("permission", permission(capability))?;
        error.set("resource", resource)?;
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_flag_that_would_grant_it() {
        assert_eq!(
            access_denied(Capability::Read, "/etc/passwd"),
            "Access to this API has been restricted. Use --allow-read=/etc/passwd to manage permissions."
        );
    }
}
