'use strict';
// Name resolution as requests. The host knows addresses of names only: other queries are told that they are not
// implemented.
const { ArrayPrototypeFilter, ArrayPrototypePushApply, Error, StringPrototypeIncludes, globalThis } = primordials;
const { AsyncWrap, ReqWrap, defer, onResolved } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { UV_ENOSYS } = internalBinding('uv');
const { AI_ADDRCONFIG, AI_ALL, AI_V4MAPPED, DNS_ORDER_IPV4_FIRST, DNS_ORDER_IPV6_FIRST } = binding;

const HOST_ADDRCONFIG = 1;
const HOST_ALL = 2;
const HOST_V4MAPPED = 4;
const REFUSED = -10000;
const NOT_IMPLEMENTED = 'ENOTIMP';

class GetAddrInfoReqWrap extends ReqWrap {
  constructor() {
    super(Providers.GETADDRINFOREQWRAP);
  }
}

class GetNameInfoReqWrap extends ReqWrap {
  constructor() {
    super(Providers.GETNAMEINFOREQWRAP);
  }
}

class QueryReqWrap extends ReqWrap {
  constructor() {
    super(Providers.QUERYWRAP);
  }
}

const isV6 = (address) => StringPrototypeIncludes(address, ':');
const isV4 = (address) => !isV6(address);

const isAddress = (text) => text !== undefined && binding.canonicalizeIP(text) !== undefined;

function ordered(addresses, order) {
  if (order !== DNS_ORDER_IPV4_FIRST && order !== DNS_ORDER_IPV6_FIRST) return addresses;
  const isFirst = order === DNS_ORDER_IPV4_FIRST ? isV4 : isV6;
  const result = ArrayPrototypeFilter(addresses, isFirst);
  ArrayPrototypePushApply(result, ArrayPrototypeFilter(addresses, (address) => !isFirst(address)));
  return result;
}

// A refusal says what would grant it; from a number Node would make an error that does not.
function refuse(req, status) {
  const settle = req.reject ?? req.callback;
  if (typeof settle !== 'function') return status;
  const error = shared.accessDenied(status);
  defer(() => req.makeCallback(settle, error));
  return 0;
}

binding.getaddrinfo = function getaddrinfo(req, name, family, hints, order) {
  const flags = (hints & AI_ADDRCONFIG ? HOST_ADDRCONFIG : 0) | (hints & AI_ALL ? HOST_ALL : 0) |
    (hints & AI_V4MAPPED ? HOST_V4MAPPED : 0);
  const request = native.resolve(name, family, flags);
  if (request <= REFUSED) return refuse(req, request);
  if (request < 0) return request;
  onResolved(request, () => {
    const addresses = native.resolved(request);
    if (typeof addresses === 'number') req.makeCallback('oncomplete', addresses, null);
    else req.makeCallback('oncomplete', null, ordered(addresses, order));
  });
  return 0;
};

binding.getnameinfo = () => UV_ENOSYS;

class ChannelWrap extends AsyncWrap {
  // What c-ares takes where nothing is configured; the host's resolver goes by its own configuration.
  #servers = [['127.0.0.1', 53]];

  constructor() {
    super(Providers.DNSCHANNEL);
  }

  getServers() {
    return this.#servers;
  }

  setServers(servers) {
    this.#servers = [];
    for (let i = 0; i < servers.length; i++) this.#servers[i] = [servers[i][1], servers[i][2]];
    return 0;
  }

  setLocalAddress(first, second) {
    const isFirstV6 = first !== undefined && isV6(first);
    if (!isAddress(first) || (second !== undefined && (!isAddress(second) || isFirstV6 === isV6(second)))) {
      const error = new Error('Invalid IP address.');
      error.code = 'ERR_INVALID_ARG_VALUE';
      throw error;
    }
  }

  cancel() {}
}

function refuseQuery(req) {
  defer(() => req.makeCallback('oncomplete', NOT_IMPLEMENTED));
  return 0;
}

for (const name of ['getHostByAddr', 'queryA', 'queryAaaa', 'queryAny', 'queryCaa', 'queryCname', 'queryMx', 'queryNaptr',
                    'queryNs', 'queryPtr', 'querySoa', 'querySrv', 'queryTlsa', 'queryTxt']) {
  ChannelWrap.prototype[name] = refuseQuery;
}

binding.convertIpv6StringToBuffer = (text) => {
  const bytes = native.ipv6Bytes(text);
  return bytes === undefined ? undefined : globalThis.Buffer.from(bytes);
};
binding.strerror = () => 'DNS server returned general failure';
binding.GetAddrInfoReqWrap = GetAddrInfoReqWrap;
binding.GetNameInfoReqWrap = GetNameInfoReqWrap;
binding.QueryReqWrap = QueryReqWrap;
binding.ChannelWrap = ChannelWrap;
