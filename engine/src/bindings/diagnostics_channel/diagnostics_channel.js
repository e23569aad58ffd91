// Channels that C++ publishes to: none here.
'use strict';

binding.linkNativeChannel = () => {};
