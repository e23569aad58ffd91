'use strict';
// A terminal as a stream.
const { LibuvStreamWrap } = internalBinding('stream_wrap');
const { Providers } = internalBinding('async_wrap');
const { UV_EINVAL } = internalBinding('uv');

class TTY extends LibuvStreamWrap {
  constructor(fd, context) {
    super(Providers.TTYWRAP);
    if (binding.isTTY(fd)) {
      this._adopt(fd);
    } else {
      context.errno = UV_EINVAL;
      context.code = 'EINVAL';
      context.message = 'invalid argument';
      context.syscall = 'uv_tty_init';
    }
  }

  getWindowSize(target) {
    return native.size(this.fd, target);
  }

  setRawMode(mode) {
    return native.setMode(this.fd, mode);
  }
}

binding.TTY = TTY;
