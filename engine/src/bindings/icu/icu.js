// Bytes that were transcoded become a Buffer.
'use strict';

const { ObjectSetPrototypeOf } = primordials;

binding.transcode = (source, from, to) => {
  const result = native.transcode(source, from, to);
  return typeof result === 'number' ? result : ObjectSetPrototypeOf(result, shared.bufferPrototype);
};
