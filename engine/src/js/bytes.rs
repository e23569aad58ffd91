//! The bytes behind an `ArrayBuffer`, `SharedArrayBuffer` or any view of one, without a copy.

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

unsafe extern "C" {
    fn edge_is_buffer(value: qjs::JSValue) -> core::ffi::c_int;
}

/// Bytes of a buffer that the held value keeps alive. The slice is taken anew at each use, because JS code that runs
/// between two uses may detach or resize the buffer.
pub(crate) struct Bytes<'js> {
    buffer: Value<'js>,
    offset: usize,
    length: usize,
}

impl<'js> Bytes<'js> {
    /// The bytes of `value`, or a type error.
    pub(crate) fn from_value(value: &Value<'js>) -> Result<Bytes<'js>> {
        Bytes::try_from_value(value).ok_or_else(|| Error::new_from_js(value.type_name(), "ArrayBuffer or view"))
    }

    /// The bytes of `value` if it is a buffer or a view.
    pub(crate) fn try_from_value(value: &Value<'js>) -> Option<Bytes<'js>> {
        let object = value.as_object()?;
        if let Some((_, length)) = raw_buffer(value) {
            return Some(Bytes { buffer: value.clone(), offset: 0, length });
        }
        view(value.ctx(), object)
    }

    /// How many bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The bytes. Empty if the buffer was detached or has shrunk below the view.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self.range() {
            // SAFETY: the buffer is alive and the range lies in it; no JS runs while the slice is borrowed, since
            // running JS needs the context and ends the borrow of whoever follows the rule above.
            Some(start) => unsafe { core::slice::from_raw_parts(start, self.length) },
            None => &[],
        }
    }

    /// The bytes, to be written.
    #[expect(clippy::mut_from_ref, reason = "the bytes belong to the JS heap, not to this handle")]
    pub(crate) fn as_mut_slice(&self) -> &mut [u8] {
        match self.range() {
            // SAFETY: as for `as_slice`; callers hold one mutable slice of a buffer at a time.
            Some(start) => unsafe { core::slice::from_raw_parts_mut(start, self.length) },
            None => &mut [],
        }
    }

    /// The address of the first byte and the length, for host calls.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.range().unwrap_or(core::ptr::dangling_mut())
    }

    /// Copies `count` bytes from `start` to `target` at `target_start`, as much as lies in both. They may overlap.
    pub(crate) fn copy_within(&self, start: usize, target: &Bytes<'js>, target_start: usize, count: usize) {
        let (Some(from), Some(to)) = (self.range(), target.range()) else { return };
        let count = count.min(self.length.saturating_sub(start)).min(target.length.saturating_sub(target_start));
        if count == 0 {
            return;
        }
        // SAFETY: `start + count` is at most the length of the source.
        let from = unsafe { from.add(start) };
        // SAFETY: `target_start + count` is at most the length of the target.
        let to = unsafe { to.add(target_start) };
        // SAFETY: both ranges lie in live buffers; `copy` allows overlap.
        unsafe { core::ptr::copy(from, to, count) };
    }

    fn range(&self) -> Option<*mut u8> {
        let (start, total) = raw_buffer(&self.buffer)?;
        let end = self.offset.checked_add(self.length)?;
        // SAFETY: `offset` is at most `total`, the size of the allocation.
        (end <= total && self.length > 0).then(|| unsafe { start.add(self.offset) })
    }
}

fn raw_buffer(value: &Value<'_>) -> Option<(*mut u8, usize)> {
    // Asked by class: JS_GetArrayBuffer makes an error, stack and all, for anything that is no buffer.
    // SAFETY: looks at a live value only.
    if unsafe { edge_is_buffer(value.as_raw()) } == 0 {
        return None;
    }
    let mut size = qjs::size_t::default();
    // SAFETY: the value is alive; `JS_GetArrayBuffer` throws for anything that is no buffer, and that was asked.
    let start = unsafe { qjs::JS_GetArrayBuffer(value.ctx().as_raw().as_ptr(), &raw mut size, value.as_raw()) };
    if start.is_null() {
        clear_exception(value.ctx());
        return Some((core::ptr::dangling_mut(), 0));
    }
    Some((start, usize::try_from(size).unwrap_or(0)))
}

fn clear_exception(ctx: &Ctx<'_>) {
    if ctx.has_exception() {
        drop(ctx.catch());
    }
}

/// A typed array through the engine; a `DataView` through its properties.
fn view<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> Option<Bytes<'js>> {
    // SAFETY: asks for the class of a live value only.
    let kind = unsafe { qjs::JS_GetTypedArrayType(object.as_raw()) };
    if kind < 0 {
        return data_view(object);
    }
    let (mut offset, mut length, mut element) = Default::default();
    // SAFETY: the value is a live typed array; the three outputs are valid for writes.
    let raw = unsafe {
        qjs::JS_GetTypedArrayBuffer(
            ctx.as_raw().as_ptr(),
            object.as_raw(),
            &raw mut offset,
            &raw mut length,
            &raw mut element,
        )
    };
    // SAFETY: the result is a new reference, or an exception.
    let buffer = unsafe { Value::from_raw(ctx.clone(), raw) };
    if buffer.is_exception() {
        clear_exception(ctx);
        return Some(Bytes { buffer: Value::new_undefined(ctx.clone()), offset: 0, length: 0 });
    }
    Some(Bytes { buffer, offset: usize::try_from(offset).ok()?, length: usize::try_from(length).ok()? })
}

fn data_view<'js>(object: &Object<'js>) -> Option<Bytes<'js>> {
    let buffer: Value<'js> = object.get("buffer").ok()?;
    raw_buffer(&buffer)?;
    Some(Bytes { buffer, offset: object.get("byteOffset").ok()?, length: object.get("byteLength").ok()? })
}
