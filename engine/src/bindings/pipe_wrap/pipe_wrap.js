'use strict';
// Unix sockets and servers, and standard streams that are pipes.
const { LibuvStreamWrap } = internalBinding('stream_wrap');
const { ReqWrap } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { UV_EAGAIN, UV_EBADF, UV_EINPROGRESS = -115, UV_EINVAL } = internalBinding('uv');
const { owner_symbol: kOwner } = internalBinding('symbols');

const SOCKET = 0;
const SERVER = 1;
const REFUSED = -10000;
const UV_READABLE = 1;
const UV_WRITABLE = 2;
// Read and write for all, as libuv lets others in.
const ALL_READ = 0o444;
const ALL_WRITE = 0o222;
const OWNER_ALL = 0o600;

class PipeConnectWrap extends ReqWrap {
  constructor() {
    super(Providers.PIPECONNECTWRAP);
  }
}

class Pipe extends LibuvStreamWrap {
  // The path that this socket has put into the file system.
  #boundPath;

  constructor(type) {
    super(type === SERVER ? Providers.PIPESERVERWRAP : Providers.PIPEWRAP);
  }

  #opened() {
    if (this.fd >= 0) return this.fd;
    const fd = native.open();
    if (fd >= 0) this._adopt(fd);
    return fd;
  }

  open(fd) {
    this._adopt(fd);
    return 0;
  }

  bind(path) {
    const fd = this.#opened();
    if (fd < 0) return fd;
    const status = native.bind(fd, path);
    if (status === 0) this.#boundPath = path;
    return status;
  }

  fchmod(mode) {
    if (this.#boundPath === undefined) return UV_EINVAL;
    const others = (mode & UV_READABLE ? ALL_READ : 0) | (mode & UV_WRITABLE ? ALL_WRITE : 0);
    return native.chmod(this.#boundPath, OWNER_ALL | others);
  }

  listen(backlog) {
    if (this.fd < 0) return UV_EBADF;
    const status = native.listen(this.fd, backlog);
    return status < 0 ? status : this._listening();
  }

  _accept() {
    while (this.fd >= 0) {
      const fd = native.accept(this.fd);
      if (fd === UV_EAGAIN) return;
      if (this._isOutOfHandles(fd)) {
        this._acceptLater();
        return;
      }
      if (fd < 0) {
        this.makeCallback(this.onconnection, fd, undefined);
        return;
      }
      const client = new Pipe(SOCKET);
      client._adopt(fd);
      this.makeCallback(this.onconnection, 0, client);
    }
  }

  connect(req, path) {
    const fd = this.#opened();
    if (fd < 0) return fd;
    const status = native.connect(fd, path);
    if (status === UV_EINPROGRESS) this._connecting(req);
    else if (status > REFUSED) this._connecting(req, status);
    else return this.#refuse(status);
    return 0;
  }

  #refuse(status) {
    const socket = this[kOwner];
    if (typeof socket?.destroy !== 'function') return status;
    socket.destroy(shared.accessDenied(status));
    return 0;
  }

  _connectStatus() {
    return native.error(this.fd);
  }

  _close() {
    if (this.#boundPath !== undefined) native.unlink(this.#boundPath);
    super._close();
  }
}

binding.Pipe = Pipe;
binding.PipeConnectWrap = PipeConnectWrap;
