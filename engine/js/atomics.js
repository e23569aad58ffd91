// `Atomics` for an engine built without threads, as the guest is: with one thread, reading and writing one after the
// other is atomic. (QuickJS leaves the object out there.)
(function defineAtomics() {
  'use strict';

  if (globalThis.Atomics !== undefined) return;

  const INTEGERS = new Set([
    Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array,
  ].map((constructor) => constructor.name));
  const kind = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag).get;
  const isBig = (array) => kind.call(array).startsWith('Big');
  const MILLISECONDS_MAX = 2 ** 31;

  function validate(array, index) {
    if (!INTEGERS.has(kind.call(array))) throw new TypeError('[object Array] is not an integer typed array.');
    const integer = Math.trunc(Number(index)) || 0;
    if (integer < 0 || integer >= array.length) throw new RangeError('Invalid atomic access index');
    return integer;
  }

  const convert = (array, value) => (isBig(array) ? BigInt(value) : Math.trunc(Number(value)) || 0);

  function change(compute) {
    return (array, index, value) => {
      const at = validate(array, index);
      const operand = convert(array, value);
      const old = array[at];
      array[at] = compute(old, operand);
      return old;
    };
  }

  function waitable(array, index) {
    const name = kind.call(array);
    if (name !== 'Int32Array' && name !== 'BigInt64Array') {
      throw new TypeError('[object Array] is not an int32 or BigInt64 typed array.');
    }
    return validate(array, index);
  }

  const methods = {
    add: change((a, b) => a + b),
    and: change((a, b) => a & b),
    compareExchange(array, index, expected, replacement) {
      const at = validate(array, index);
      const scratch = new array.constructor([convert(array, expected)]);
      const value = convert(array, replacement);
      const old = array[at];
      if (old === scratch[0]) array[at] = value;
      return old;
    },
    exchange: change((_, b) => b),
    isLockFree(size) {
      const bytes = Math.trunc(Number(size));
      return bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8;
    },
    load(array, index) {
      return array[validate(array, index)];
    },
    notify(array, index) {
      waitable(array, index);
      return 0;
    },
    or: change((a, b) => a | b),
    store(array, index, value) {
      const at = validate(array, index);
      const stored = convert(array, value);
      array[at] = stored;
      return stored;
    },
    sub: change((a, b) => a - b),
    // Nobody else can wake this thread: it waits its time out.
    wait(array, index, expected, timeout = Infinity) {
      const at = waitable(array, index);
      if (array[at] !== convert(array, expected)) return 'not-equal';
      const milliseconds = Math.max(0, Number(timeout));
      if (!(milliseconds < MILLISECONDS_MAX)) throw new Error('Atomics.wait would wait for ever: there is one thread');
      for (const end = Date.now() + milliseconds; Date.now() < end;);
      return 'timed-out';
    },
    xor: change((a, b) => a ^ b),
  };

  const Atomics = {};
  for (const name of Object.keys(methods)) {
    Object.defineProperty(Atomics, name, { value: methods[name], writable: true, configurable: true });
  }
  Object.defineProperty(Atomics, Symbol.toStringTag, { value: 'Atomics', configurable: true });
  Object.defineProperty(globalThis, 'Atomics', { value: Atomics, writable: true, configurable: true });
});
