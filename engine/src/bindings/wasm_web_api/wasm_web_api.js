// `WebAssembly.compileStreaming` has no WebAssembly to serve.
'use strict';

binding.setImplementation = () => {};
