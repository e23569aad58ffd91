//! `types`: what kind of object a value is, by the engine's own class and not by its prototype.

use crate::bindings::{Binding, Exports};
use crate::js::values::{Kind, kind};
use crate::js::{Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "types", init };

macro_rules! kind_tests {
    ($exports:ident, $($name:literal: $($kind:ident)|+;)*) => {
        $({
            fn test<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
                call.ret(matches!(kind(&call.arg(0)), $(Kind::$kind)|+))
            }
            $exports.function($name, 0, test)?;
        })*
    };
}

fn init(exports: &Exports<'_>) -> Result<()> {
    // No value of this engine is a V8 `External`.
    exports.function("isExternal", 0, never)?;
    kind_tests! { exports,
        "isArgumentsObject": Arguments;
        "isArrayBuffer": ArrayBuffer;
        "isAsyncFunction": AsyncFunction | AsyncGeneratorFunction;
        "isBigIntObject": BigInt;
        "isBooleanObject": Boolean;
        "isDate": Date;
        "isGeneratorFunction": GeneratorFunction | AsyncGeneratorFunction;
        "isGeneratorObject": Generator;
        "isMap": Map;
        "isMapIterator": MapIterator;
        "isModuleNamespaceObject": Namespace;
        "isNativeError": Error;
        "isNumberObject": Number;
        "isPromise": Promise;
        "isProxy": Proxy;
        "isRegExp": RegExp;
        "isSet": Set;
        "isSetIterator": SetIterator;
        "isSharedArrayBuffer": SharedArrayBuffer;
        "isStringObject": String;
        "isSymbolObject": Symbol;
        "isWeakMap": WeakMap;
        "isWeakSet": WeakSet;
        "isAnyArrayBuffer": ArrayBuffer | SharedArrayBuffer;
        "isBoxedPrimitive": Number | String | Boolean | BigInt | Symbol;
    }
    Ok(())
}

fn never<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(false)
}
