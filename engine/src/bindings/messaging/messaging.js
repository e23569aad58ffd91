
// ---- DOMException ------------------------------------------------------------------------------------------------

binding.DOMException = shared.perContextExports.DOMException;

binding.exposeLazyDOMExceptionProperty = (target) => {
  ObjectDefineProperty(target, 'DOMException', {
    __proto__: null, value: binding.DOMException, writable: true, enumerable: false, configurable: true,
  });
};
