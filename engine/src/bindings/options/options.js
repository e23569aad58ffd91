// Command-line options: node's defaults, since an executable takes none.
'use strict';

const values = { ...shared.options };
Object.assign(values, { '--expose-internals': false, '--no-expose-internals': true, '--warnings': true, '--no-warnings': false });
// ES modules from disk are not supported yet, so CommonJS must not resolve to them (condition `module-sync`).
Object.assign(values, { '--require-module': false, '--no-require-module': true });
binding.getCLIOptionsValues = () => values;
binding.getCLIOptionsInfo = () => ({ options: new Map(), aliases: new Map() });
binding.getOptionsAsFlags = () => [];
binding.getEmbedderOptions = () => shared.embedderOptions;
binding.getEnvOptionsInputType = () => new Map();
binding.getNamespaceOptionsInputType = () => new Map();
