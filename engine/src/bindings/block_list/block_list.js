// The two handle classes.
'use strict';

internalBinding('messaging');
const { kCloneHandle } = shared.structured;
const { AF_INET, AF_INET6 } = binding;

let handleOf;

class SocketAddress {
  #handle;
  #port;
  #flowlabel;

  static {
    handleOf = (address) => address.#handle;
  }

  constructor(address, port, family, flowlabel) {
    this.#handle = native.parse(address, family);
    if (this.#handle === undefined) {
      const error = new primordials.Error('Invalid socket address');
      error.code = 'ERR_INVALID_ADDRESS';
      throw error;
    }
    this.#port = port;
    this.#flowlabel = family === AF_INET6 ? flowlabel >>> 0 : 0;
  }

  detail(target) {
    const { 0: address, 1: isV6 } = native.text(this.#handle);
    target.address = address;
    target.port = this.#port;
    target.family = isV6 ? AF_INET6 : AF_INET;
    target.flowlabel = this.#flowlabel;
    return target;
  }

  legacyDetail() {
    const { 0: address, 1: isV6 } = native.text(this.#handle);
    return { address, family: isV6 ? 'IPv6' : 'IPv4', port: this.#port };
  }

  flowlabel() {
    return this.#flowlabel;
  }

  [kCloneHandle]() {
    return () => this;
  }
}

class BlockList {
  #rules = native.list();

  addAddress(address) {
    native.addAddress(this.#rules, handleOf(address));
  }

  addAddresses(addresses) {
    for (let i = 0; i < addresses.length; i++) this.addAddress(addresses[i]);
  }

  addRange(first, last) {
    return native.addRange(this.#rules, handleOf(first), handleOf(last));
  }

  addSubnet(network, prefix) {
    native.addSubnet(this.#rules, handleOf(network), prefix);
  }

  removeAddress(address) {
    native.removeAddress(this.#rules, handleOf(address));
  }

  removeRange(first, last) {
    native.removeRange(this.#rules, handleOf(first), handleOf(last));
  }

  removeSubnet(network, prefix) {
    native.removeSubnet(this.#rules, handleOf(network), prefix);
  }

  check(address) {
    return native.check(this.#rules, handleOf(address));
  }

  checkString(text, family) {
    const address = native.parse(text, family);
    return address !== undefined && native.check(this.#rules, address);
  }

  getRules() {
    return native.rules(this.#rules);
  }

  getSize() {
    return native.size(this.#rules);
  }

  clear() {
    native.clear(this.#rules);
  }

  [kCloneHandle]() {
    return () => this;
  }
}

binding.SocketAddress = SocketAddress;
binding.BlockList = BlockList;
