// Compiling functions for Node's CommonJS loader. Contexts (`vm`) are not supported yet.
'use strict';

binding.compileFunctionForCJSLoader = (content, filename, isMain, asModule) => {
  const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
  return {
    __proto__: null,
    cachedDataRejected: false,
    sourceMapURL: undefined,
    sourceURL: undefined,
    canParseAsESM: false,
    function: native.compileUser(content, filename, parameters),
  };
};
binding.compileFunction = (content, filename, lineOffset, columnOffset, cachedData, produce, context, extensions, parameters) => ({
  function: native.compileUser(content, filename, parameters ?? []),
  sourceMapURL: undefined,
});
binding.containsModuleSyntax = () => false;
binding.startSigintWatchdog = () => {};
binding.stopSigintWatchdog = () => false;
