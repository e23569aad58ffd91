'use strict';
// Watching files needs what no host offers yet.
const { HandleWrap } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { UV_ENOSYS } = internalBinding('uv');

class FSEvent extends HandleWrap {
  constructor() {
    super(Providers.FSEVENTWRAP);
  }

  get initialized() {
    return false;
  }

  start() {
    return UV_ENOSYS;
  }
}

binding.FSEvent = FSEvent;
