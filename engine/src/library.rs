//! Node's own modules and the engine's scripts: compiled while the engine is started, so that none of their text is left
//! in the base image.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use rquickjs::{Ctx, Exception, Function, Persistent, Result};

use crate::script;

thread_local! {
    static SOURCES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    // Never dropped: the process ends with the engine alive.
    static COMPILED: ManuallyDrop<RefCell<BTreeMap<String, Persistent<Function<'static>>>>> =
        const { ManuallyDrop::new(RefCell::new(BTreeMap::new())) };
}

/// The parameters node gives its modules.
const PARAMETERS: &[&str] = &["exports", "require", "module", "process", "internalBinding", "primordials"];

/// Takes the sources, by id.
pub(crate) fn provide(files: &[(&str, &[u8])]) {
    SOURCES.with_borrow_mut(|sources| {
        for (id, source) in files {
            sources.insert((*id).to_owned(), String::from_utf8_lossy(source).into_owned());
        }
    });
}

/// What the ids of the engine's own scripts start with.
const OWN: &str = "edgepack/";

/// The text of one of them, which is needed once.
pub(crate) fn take_own(name: &str) -> Option<String> {
    SOURCES.with_borrow_mut(|sources| sources.remove(&format!("{OWN}{name}")))
}

/// The function of module `id`.
pub(crate) fn compile<'js>(ctx: &Ctx<'js>, id: &str, parameters: &[&str]) -> Result<Function<'js>> {
    if let Some(compiled) = COMPILED.with(|compiled| compiled.borrow_mut().remove(id)) {
        return compiled.restore(ctx);
    }
    let Some(source) = SOURCES.with_borrow_mut(|sources| take(sources, id)) else {
        return Err(Exception::throw_message(ctx, &format!("not supported yet: node's internal module '{id}'")));
    };
    script::compile_own(ctx, &format!("node:{id}"), parameters, &source)
}

/// `os` is compiled twice: the app gets an instance of its own (see prepare.js).
fn take(sources: &mut BTreeMap<String, String>, id: &str) -> Option<String> {
    if id == "os" { sources.get(id).cloned() } else { sources.remove(id) }
}

/// Compiles every module that nothing has required so far, and lets go of the text.
pub(crate) fn compile_rest(ctx: &Ctx<'_>) -> Result<()> {
    let sources = SOURCES.take();
    if let Some(id) = sources.keys().find(|id| id.starts_with(OWN)) {
        return Err(Exception::throw_message(ctx, &format!("nothing has loaded {id}, and its text is not kept")));
    }
    for (id, source) in sources {
        let function = script::compile_own(ctx, &format!("node:{id}"), PARAMETERS, &source)?;
        COMPILED.with(|compiled| compiled.borrow_mut().insert(id, Persistent::save(ctx, function)));
    }
    Ok(())
}
