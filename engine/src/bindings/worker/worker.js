// There is one thread, the main one.
'use strict';

binding.getEnvMessagePort = () => undefined;
binding.isMainThread = true;
