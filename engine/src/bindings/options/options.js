// Command-line options: node's defaults, since an executable takes none.
'use strict';

const values = { ...shared.options };
Object.assign(values, { '--expose-internals': false, '--no-expose-internals': true, '--warnings': true, '--no-warnings': false });
binding.getCLIOptionsValues = () => values;
binding.getCLIOptionsInfo = () => ({ options: new Map(), aliases: new Map() });
binding.getOptionsAsFlags = () => [];
binding.getEmbedderOptions = () => shared.embedderOptions;
binding.getEnvOptionsInputType = () => new Map();
binding.getNamespaceOptionsInputType = () => new Map();
