//! Rust values that a JS object owns: dropped when the object is collected.

use core::any::Any;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use std::rc::Rc;

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// The class of all owning objects, 0 until the first is made.
static CLASS: AtomicU32 = AtomicU32::new(0);

/// Makes an object that owns `value` and has nothing else. `value` holds no JS values: the collector would not see
/// them.
pub(crate) fn own<'js, T: 'static>(ctx: &Ctx<'js>, value: T) -> Result<Value<'js>> {
    let class = class(ctx)?;
    // SAFETY: the context is alive and the class registered.
    let raw = unsafe { qjs::JS_NewObjectClass(ctx.as_raw().as_ptr(), class) };
    // SAFETY: the value is a new reference, or an exception.
    let object = unsafe { Value::from_raw(ctx.clone(), raw) };
    if object.is_exception() {
        return Err(Error::Exception);
    }
    let held: Box<Rc<dyn Any>> = Box::new(Rc::new(value));
    // SAFETY: the object is new and of our class; the finalizer takes the box back.
    unsafe { qjs::JS_SetOpaque(raw, Box::into_raw(held).cast()) };
    Ok(object)
}

/// What `object` owns, if it is a `T`.
pub(crate) fn owned<T: 'static>(object: &Value<'_>) -> Option<Rc<T>> {
    // SAFETY: the value is alive; the result is null for anything that is not of the class.
    let opaque = unsafe { qjs::JS_GetOpaque(object.as_raw(), CLASS.load(Ordering::Relaxed)) };
    if opaque.is_null() {
        return None;
    }
    // SAFETY: what is not null was made by `own` and lives as long as the object.
    let held = unsafe { &*opaque.cast::<Rc<dyn Any>>() };
    Rc::clone(held).downcast().ok()
}

fn class(ctx: &Ctx<'_>) -> Result<qjs::JSClassID> {
    let known = CLASS.load(Ordering::Relaxed);
    if known != 0 {
        return Ok(known);
    }
    // SAFETY: asks for the runtime of a live context.
    let runtime = unsafe { qjs::JS_GetRuntime(ctx.as_raw().as_ptr()) };
    let mut class = 0;
    // SAFETY: the runtime is alive; the output is valid for writes.
    unsafe { qjs::JS_NewClassID(runtime, &raw mut class) };
    let definition = qjs::JSClassDef {
        class_name: c"Owned".as_ptr(),
        finalizer: Some(finalize),
        gc_mark: None,
        call: None,
        exotic: core::ptr::null_mut(),
    };
    // SAFETY: the definition is read during the call only; its name is copied.
    if unsafe { qjs::JS_NewClass(runtime, class, &raw const definition) } != 0 {
        return Err(Error::Exception);
    }
    CLASS.store(class, Ordering::Relaxed);
    Ok(class)
}

unsafe extern "C" fn finalize(_runtime: *mut qjs::JSRuntime, object: qjs::JSValue) {
    // SAFETY: QuickJS calls this once for an object of our class.
    let opaque: *mut c_void = unsafe { qjs::JS_GetOpaque(object, CLASS.load(Ordering::Relaxed)) };
    if !opaque.is_null() {
        // SAFETY: `own` made the box; nobody else takes it back.
        drop(unsafe { Box::from_raw(opaque.cast::<Rc<dyn Any>>()) });
    }
}
