'use strict';
// TCP sockets and servers.
const { LibuvStreamWrap } = internalBinding('stream_wrap');
const { ReqWrap } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { UV_EAGAIN, UV_EBADF, UV_ECONNREFUSED, UV_EINPROGRESS = -115, UV_ENOTCONN, UV_ENOTSUP } = internalBinding('uv');
const { owner_symbol: kOwner } = internalBinding('symbols');

const SOCKET = 0;
const SERVER = 1;
const OWN = 0;
const PEER = 1;
const REFUSED = -10000;

class TCPConnectWrap extends ReqWrap {
  constructor() {
    super(Providers.TCPCONNECTWRAP);
  }
}

class TCP extends LibuvStreamWrap {
  #noDelay = false;
  #keepAliveDelay = -1;

  constructor(type) {
    super(type === SERVER ? Providers.TCPSERVERWRAP : Providers.TCPWRAP);
  }

  #opened(family) {
    if (this.fd >= 0) return this.fd;
    const fd = native.open(family);
    if (fd >= 0) this._adopt(fd);
    return fd;
  }

  // Options that were set before there was a socket.
  _adopt(fd) {
    super._adopt(fd);
    if (this.#noDelay) native.setNoDelay(fd, 1);
    if (this.#keepAliveDelay >= 0) native.setKeepAlive(fd, this.#keepAliveDelay);
  }

  open(fd) {
    this._adopt(fd);
    return 0;
  }

  #bind(family, address, port, flags) {
    const fd = this.#opened(family);
    return fd < 0 ? fd : native.bind(fd, address, port, flags);
  }

  bind(address, port, flags = 0) {
    return this.#bind(4, address, port, flags);
  }

  bind6(address, port, flags = 0) {
    return this.#bind(6, address, port, flags);
  }

  listen(backlog) {
    const status = this.fd < 0 ? this.#bind(4, '0.0.0.0', 0, 0) : 0;
    if (status < 0) return status;
    const listening = native.listen(this.fd, backlog);
    return listening < 0 ? listening : this._listening();
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
      const client = new TCP(SOCKET);
      client._adopt(fd);
      this.makeCallback(this.onconnection, 0, client);
    }
  }

  #connect(family, req, address, port) {
    const fd = this.#opened(family);
    if (fd < 0) return fd;
    const status = native.connect(fd, address, port);
    if (status === UV_EINPROGRESS) this._connecting(req);
    else if (status === 0 || status === UV_ECONNREFUSED) this._connecting(req, status);
    else if (status <= REFUSED) return this.#refuse(status);
    else return status;
    return 0;
  }

  // The socket gets an error that says what would grant the connection; from a number Node would make one without.
  #refuse(status) {
    const socket = this[kOwner];
    if (typeof socket?.destroy !== 'function') return status;
    socket.destroy(shared.accessDenied(status));
    return 0;
  }

  // An event may be about an earlier socket of the same number: then there is neither an error nor a peer.
  _connectStatus() {
    const status = native.error(this.fd);
    return status === 0 && native.name(this.fd, PEER) === UV_ENOTCONN ? undefined : status;
  }

  connect(req, address, port) {
    return this.#connect(4, req, address, port);
  }

  connect6(req, address, port) {
    return this.#connect(6, req, address, port);
  }

  #name(end, out) {
    if (this.fd < 0) return UV_EBADF;
    const name = native.name(this.fd, end);
    if (typeof name === 'number') return name;
    out.address = name[0];
    out.family = name[1];
    out.port = name[2];
    return 0;
  }

  getsockname(out) {
    return this.#name(OWN, out);
  }

  getpeername(out) {
    return this.#name(PEER, out);
  }

  setNoDelay(enable) {
    this.#noDelay = !!enable;
    return this.fd < 0 ? 0 : native.setNoDelay(this.fd, enable ? 1 : 0);
  }

  setKeepAlive(enable, delay) {
    this.#keepAliveDelay = enable ? delay : -1;
    return this.fd < 0 ? 0 : native.setKeepAlive(this.fd, this.#keepAliveDelay);
  }

  setTypeOfService() {
    return UV_ENOTSUP;
  }

  getTypeOfService() {
    return 0;
  }

  reset(callback) {
    this.close(callback);
    return 0;
  }
}

binding.TCP = TCP;
binding.TCPConnectWrap = TCPConnectWrap;
