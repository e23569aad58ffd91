// What this build of the engine has.
'use strict';

Object.assign(binding, {
  hasInspector: false,
  hasTracing: false,
  hasNodeOptions: false,
  fipsMode: false,
  bits: 64,
  getDefaultLocale: () => 'en-US',
});
