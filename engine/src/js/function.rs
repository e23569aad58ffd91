//! Turns a plain Rust function into a JS function without a box: the function's type alone makes the C entry point.

use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::ffi::CString;

use rquickjs::function::IntoArgs;
use rquickjs::{Ctx, Error, Exception, FromJs, Function, IntoJs, Object, Result, Value, qjs};

use super::{Bytes, Text};

/// One call of a native function: `this` and the arguments. A missing argument reads as `undefined`.
pub(crate) struct Call<'a, 'js> {
    /// The context the call runs in.
    pub(crate) ctx: Ctx<'js>,
    this: qjs::JSValue,
    args: &'a [qjs::JSValue],
}

/// What a binding function looks like.
pub(crate) trait Native: for<'a, 'js> Fn(&Call<'a, 'js>) -> Result<Value<'js>> + Copy + 'static {}
impl<F> Native for F where F: for<'a, 'js> Fn(&Call<'a, 'js>) -> Result<Value<'js>> + Copy + 'static {}

impl<'js> Call<'_, 'js> {
    /// How many arguments were passed.
    pub(crate) fn len(&self) -> usize {
        self.args.len()
    }

    /// `this`.
    pub(crate) fn this(&self) -> Value<'js> {
        value(&self.ctx, self.this)
    }

    /// Argument `index`, or `undefined`.
    pub(crate) fn arg(&self, index: usize) -> Value<'js> {
        match self.args.get(index) {
            Some(&raw) => value(&self.ctx, raw),
            None => Value::new_undefined(self.ctx.clone()),
        }
    }

    /// Argument `index` converted by the rules of `T` (strict: no JS coercion of other types).
    pub(crate) fn get<T: FromJs<'js>>(&self, index: usize) -> Result<T> {
        T::from_js(&self.ctx, self.arg(index))
    }

    /// Argument `index` as an object.
    pub(crate) fn object(&self, index: usize) -> Result<Object<'js>> {
        self.get(index)
    }

    /// Argument `index` as a function.
    pub(crate) fn function(&self, index: usize) -> Result<Function<'js>> {
        self.get(index)
    }

    /// Argument `index` as a UTF-8 string; lone surrogates become U+FFFD.
    pub(crate) fn string(&self, index: usize) -> Result<String> {
        Ok(self.text(index)?.to_string_lossy())
    }

    /// Argument `index` as the units of a string.
    pub(crate) fn text(&self, index: usize) -> Result<Text<'js>> {
        Text::from_value(&self.arg(index))
    }

    /// Argument `index` as a number; anything else is 0, as `ToInteger` of undefined.
    pub(crate) fn f64(&self, index: usize) -> f64 {
        let value = self.arg(index);
        value.as_number().unwrap_or_else(|| value.as_bool().map_or(0.0, f64::from))
    }

    /// Argument `index` as `i32`: numbers are truncated and wrapped as by `ToInt32`.
    pub(crate) fn i32(&self, index: usize) -> i32 {
        let value = self.arg(index);
        match value.as_int() {
            Some(number) => number,
            None => to_int32(self.f64(index)),
        }
    }

    /// Argument `index` as `u32` by `ToUint32`.
    pub(crate) fn u32(&self, index: usize) -> u32 {
        self.i32(index).cast_unsigned()
    }

    /// Argument `index` as a length or offset: negative and NaN are 0, saturating.
    pub(crate) fn usize(&self, index: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant")]
        let number = self.f64(index) as usize;
        number
    }

    /// Argument `index` as an `i64` from a number or a BigInt; anything else is `None`.
    pub(crate) fn i64(&self, index: usize) -> Option<i64> {
        let value = self.arg(index);
        if let Some(big) = value.as_big_int() {
            return big.clone().to_i64().ok();
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturating is meant")]
        value.as_number().map(|number| number as i64)
    }

    /// Argument `index` by truthiness.
    pub(crate) fn bool(&self, index: usize) -> bool {
        let value = self.arg(index);
        if let Some(known) = value.as_bool() {
            return known;
        }
        !(value.is_undefined()
            || value.is_null()
            || value.as_number().is_some_and(|number| number == 0.0 || number.is_nan()))
    }

    /// Argument `index` as bytes of an `ArrayBuffer` or a view of one.
    pub(crate) fn bytes(&self, index: usize) -> Result<Bytes<'js>> {
        Bytes::from_value(&self.arg(index))
    }

    /// `undefined`.
    pub(crate) fn undefined(&self) -> Result<Value<'js>> {
        Ok(Value::new_undefined(self.ctx.clone()))
    }

    /// Any convertible value.
    pub(crate) fn ret<T: IntoJs<'js>>(&self, value: T) -> Result<Value<'js>> {
        value.into_js(&self.ctx)
    }

    /// Throws a `TypeError`.
    pub(crate) fn type_error<T>(&self, message: &str) -> Result<T> {
        Err(Exception::throw_type(&self.ctx, message))
    }

    /// Throws a `RangeError`.
    pub(crate) fn range_error<T>(&self, message: &str) -> Result<T> {
        Err(Exception::throw_range(&self.ctx, message))
    }

    /// Throws an `Error` with a `code` property.
    pub(crate) fn coded_error<T>(&self, code: &str, message: &str) -> Result<T> {
        let error = Exception::from_message(self.ctx.clone(), message)?;
        error.as_object().set("code", code)?;
        Err(error.throw())
    }

    /// Calls `callee` with `this`.
    pub(crate) fn call_this<A: IntoArgs<'js>, R: FromJs<'js>>(&self, callee: &Function<'js>, args: A) -> Result<R> {
        callee.call(args)
    }
}

fn to_int32(number: f64) -> i32 {
    if !number.is_finite() {
        return 0;
    }
    let wrapped = number.trunc().rem_euclid(4_294_967_296.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range after rem_euclid")]
    let bits = wrapped as u32;
    bits.cast_signed()
}

/// Makes a JS function of a Rust function item or a closure that captures nothing.
pub(crate) fn function<'js, F: Native>(ctx: &Ctx<'js>, name: &str, length: i32, native: F) -> Result<Function<'js>> {
    const { assert!(size_of::<F>() == 0, "a native function captures nothing") };
    let _ = native;
    let name = CString::new(name).map_err(|_| Error::Unknown)?;
    // SAFETY: the context is alive; the name is copied by QuickJS; `enter::<F>` matches the C signature.
    let raw = unsafe {
        qjs::JS_NewCFunction2(
            ctx.as_raw().as_ptr(),
            Some(enter::<F>),
            name.as_ptr(),
            length,
            qjs::JSCFunctionEnum_JS_CFUNC_generic,
            0,
        )
    };
    // SAFETY: the value is new and owned by us; exceptions are handled by the conversion below.
    let function = unsafe { Value::from_raw(ctx.clone(), raw) };
    Function::from_value(function)
}

unsafe extern "C" fn enter<F: Native>(
    raw_ctx: *mut qjs::JSContext,
    this: qjs::JSValue,
    count: core::ffi::c_int,
    args: *mut qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: QuickJS passes its live context; it outlives the call.
    let ctx = unsafe { Ctx::from_raw(NonNull::new_unchecked(raw_ctx)) };
    let count = usize::try_from(count).unwrap_or(0);
    let args = if count == 0 {
        &[][..]
    } else {
        // SAFETY: QuickJS passes `count` values at `args`, alive during the call.
        unsafe { core::slice::from_raw_parts(args, count) }
    };
    // SAFETY: `F` has size 0 (asserted where the function is made), so there is nothing to initialise.
    let native: F = unsafe { MaybeUninit::uninit().assume_init() };
    let call = Call { ctx: ctx.clone(), this, args };
    match native(&call) {
        Ok(result) => {
            let raw = result.as_raw();
            core::mem::forget(result);
            drop_ctx(call);
            raw
        }
        Err(error) => throw(&ctx, &error),
    }
}

fn drop_ctx(call: Call<'_, '_>) {
    drop(call);
}

fn throw(ctx: &Ctx<'_>, error: &Error) -> qjs::JSValue {
    if !error.is_exception() {
        let _ = Exception::throw_type(ctx, &error.to_string());
    }
    qjs::JS_EXCEPTION
}

fn value<'js>(ctx: &Ctx<'js>, raw: qjs::JSValue) -> Value<'js> {
    // SAFETY: the value is alive during the call.
    let owned = unsafe { qjs::JS_DupValue(ctx.as_raw().as_ptr(), raw) };
    // SAFETY: `owned` is a reference of our own, released when the `Value` is dropped.
    unsafe { Value::from_raw(ctx.clone(), owned) }
}
