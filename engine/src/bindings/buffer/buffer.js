// Remembers `Buffer.prototype`, so that other bindings can make Buffers.
'use strict';

binding.setBufferPrototype = (prototype) => {
  shared.bufferPrototype = prototype;
};
