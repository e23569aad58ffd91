// HTTP/1 messages, good and bad, one string a connection.
'use strict';

const many = (count) => Array.from({ length: count }, (_, index) => `X-${index}: value ${index}\r\n`).join('');
const request = (fields, rest = '') => `POST /path HTTP/1.1\r\n${fields}\r\n${rest}`;
const response = (fields, rest = '') => `HTTP/1.1 200 OK\r\n${fields}\r\n${rest}`;
const chunked = 'Transfer-Encoding: chunked\r\n';

exports.requests = [
  // Lines.
  'GET / HTTP/1.1\r\n\r\n',
  '\r\n\n\r\nGET /a?b=c#d HTTP/1.1\r\nHost: example.org\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n',
  'GET /\r\n\r\n', 'GET /\n\n', 'GET / HTTP/0.9\r\n\r\n', 'GET / HTTP/2.0\r\n\r\n', 'GET / HTTP/1.2\r\n\r\n',
  'GET / HTTP/11.1\r\n\r\n', 'GET / HTTP/x.1\r\n\r\n', 'GET / HTTP/1x1\r\n\r\n', 'GET / HTTP/1.x\r\n\r\n',
  'GET / HTTP/1.1 \r\n\r\n', 'GET / HTTP/1.1\n\n', 'GET / HTTP/1.1\r\r\n\r\n', 'GET / HTTP/1.1\r\n\n', 'GET / HTTP/1.1\n\r\n',
  'GET  /two-spaces   HTTP/1.1\r\n\r\n', 'GET\t/ HTTP/1.1\r\n\r\n', 'GETX / HTTP/1.1\r\n\r\n', 'get / HTTP/1.1\r\n\r\n',
  'GET_ / HTTP/1.1\r\n\r\n', 'GET_PARAMETER / RTSP/1.0\r\n\r\n', 'OPTIONS rtsp://h/ RTSP/1.0\r\n\r\n', 'GET / RTSP/1.0\r\n\r\n',
  'SOURCE /mount ICE/1.0\r\n\r\n', 'GET / ICE/1.0\r\n\r\n', 'PLAY / HTTP/1.1\r\n\r\n', 'HEAD / RTSP/1.0\r\n\r\n', 'GET / HTTQ/1.1\r\n\r\n',
  'GET / HTTP-1.1\r\n\r\n', 'GET / XTTP/1.1\r\n\r\n', 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n',
  'QUERY / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab', 'PROPFIND / HTTP/1.1\r\n\r\n', 'MKCALENDAR /c HTTP/1.1\r\n\r\n', 'UNSUBSCRIBE / HTTP/1.1\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n', 'PRI * HTTP/1.1\r\nA: b\r\n\r\n', 'SET_PARAMETER / RTSP/1.0\r\n\r\n',
  // Targets.
  'GET http://user:pw@host:80/p?q#f HTTP/1.1\r\n\r\n', 'GET http://a@b@c/ HTTP/1.1\r\n\r\n', 'GET http://a@@c/ HTTP/1.1\r\n\r\n',
  'GET http://[::1]:80 HTTP/1.1\r\n\r\n', 'GET http://host?q HTTP/1.1\r\n\r\n', 'GET http:/host HTTP/1.1\r\n\r\n', 'GET h1ttp://x HTTP/1.1\r\n\r\n',
  'GET http HTTP/1.1\r\n\r\n', 'GET * HTTP/1.1\r\n\r\n', 'GET ?a HTTP/1.1\r\n\r\n', 'GET /a\tb HTTP/1.1\r\n\r\n', 'GET /a\x0cb HTTP/1.1\r\n\r\n',
  'GET /\xe4\xf6 HTTP/1.1\r\n\r\n', 'GET /a??b#c#d?e HTTP/1.1\r\n\r\n', 'GET /a\0b HTTP/1.1\r\n\r\n', 'GET /a?\x7f HTTP/1.1\r\n\r\n',
  'GET /#\xff HTTP/1.1\r\n\r\n', 'GET /"<>{}|\\^`[] HTTP/1.1\r\n\r\n', 'GET http://ho st/ HTTP/1.1\r\n\r\n', 'GET http://h\xf6st/ HTTP/1.1\r\n\r\n',
  'CONNECT host:443 HTTP/1.1\r\n\r\nbinary \0', 'CONNECT /host HTTP/1.1\r\n\r\n', 'CONNECT host HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc',
  'GET /a \t HTTP/1.1\r\n\r\n', 'GET /a\r\r\n', 'GET /a\rb', 'GET /a\n\tb: c\n',
  // Fields.
  request('Host: a\r\nX:  spaces both \t \r\nEmpty:\r\nEmpty2:  \r\nEnd: x\r\n'), request('X : a\r\n'), request('Connection : close\r\n'),
  request(': a\r\n'), request(' X: a\r\n'), request('X: a\r\n folded\r\n'), request('X:\r\n folded\r\n'), request('X: a\r\n\tfolded\r\nY: b\r\n'),
  request('X\r\n'), request('X: a\nY: b\r\n'), request('X: a\rb\r\n'), request('X: a\0b\r\n'), request('X: a\x01b\r\n'), request('X: a\x7fb\r\n'),
  request('X: \xe4\xff\r\n'), request('X\xe4: a\r\n'), request('X(: a\r\n'), request('X: a\r\r\n'), request('X:\rb\r\n'), request('X:\nY: b\r\n'),
  request('!#$%&\'*+-.^_`|~09az: ok\r\n'), request('Connection-Duration: 5\r\nContent-LengthX: 9\r\nUpgrades: x\r\n'), request('X: "a\\b"\r\n\r'),
  request(many(31)), request(many(32)), request(many(33)), request(many(70)), request(many(31) + chunked, `0\r\n${many(40)}\r\n`) + request('A: b\r\n'),
  request('conteNT-lenGTH: 1\r\n', 'a'), request('Proxy-Connection: keep-alive, close\r\n'), 'GET / HTTP/1.1\r\nX: a\r\n\rGET / HTTP/1.1\r\n\r\n',
  // Connection and upgrade.
  request('Connection: close\r\n', 'GET / HTTP/1.1\r\n\r\n'), request('Connection: close\r\n', '\r\n\r\n'), request('Connection: close-me\r\n', request('A: b\r\n')),
  request('Connection: a, CLOSE ,b\r\n', 'X'), request('Connection: keep-alive,close\r\nConnection: x\r\n', 'X'), request('Connection:\r\n'),
  request('Connection: clo, upgrade\r\nUpgrade: ws\r\n', 'data'), request('Connection: upgrade\r\n', 'POST'), request('Upgrade: h2c\r\n', request('')),
  request('Connection: Upgrade\r\nUpgrade: ws\r\nContent-Length: 3\r\n', 'abcdef'), request(`Connection: Upgrade\r\nUpgrade: ws\r\n${chunked}`, '3\r\nabc\r\n0\r\n\r\nrest'),
  request('Connection: close\tx\r\n'), request('Connection: close\t\r\n', 'X'), request('Connection: \x01close\r\n'), request('Connection: close\n'),
  request('Connection: keep-alive keep-alive\r\n'), request('Connection: upgrade, keep-alive, close\r\nUpgrade:\r\n', 'x'),
  // Length.
  request('Content-Length: 3\r\n', 'abc') + request('Content-Length: 0\r\n') + 'GET / HTTP/1.1\r\n\r\n', request('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'),
  request('Content-Length:\r\n'), request('Content-Length: \r\n'), request('Content-Length: 3 \t\r\n', 'abc'), request('Content-Length: 3 4\r\n', 'abc'),
  request('Content-Length: +3\r\n', 'abc'), request('Content-Length: -1\r\n'), request('Content-Length: 0x3\r\n', 'abc'), request('Content-Length: 3, 3\r\n', 'abc'),
  request('Content-Length: 18446744073709551615\r\n', 'abc'), request('Content-Length: 18446744073709551616\r\n', 'abc'), request('Content-Length: 99999999999999999999999\r\n'),
  request('Content-Length: 03\r\n', 'abc'), request('Content-Length: 3\n', 'abc'), request('Content-Length: 3\r\n 4\r\n', 'abc'), request('Content-Length: 10\r\n', 'abc'),
  // Transfer coding.
  request(chunked, '5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n') + request('Content-Length: 1\r\n', 'x'), request(chunked, '0\r\nTrailer: x\r\nOther: y \r\n\r\n'),
  request(`Content-Length: 3\r\n${chunked}`, '0\r\n\r\n'), request(`${chunked}Content-Length: 3\r\n`, '0\r\n\r\n'), request('Transfer-Encoding: gzip\r\n', 'abc'),
  request('Transfer-Encoding: gzip, chunked\r\n', '1\r\na\r\n0\r\n\r\n'), request('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), request('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  request(`${chunked}${chunked}`, '0\r\n\r\n'), request('Transfer-Encoding: chunkedx\r\n', '0\r\n\r\n'), request('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
  request('Transfer-Encoding: CHUNKED \r\n', '0\r\n\r\n'), request('Transfer-Encoding: chunked\t\r\n', '0\r\n\r\n'), request('Transfer-Encoding:\r\n', '0\r\n\r\n'),
  request('Transfer-Encoding:  chunked\r\n', '0\r\n\r\n'), request('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), request('Transfer-Encoding: chunked\n', '0\r\n\r\n'),
  request('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'), request('Transfer-Encoding: gzip,\t chunked\r\n', '0\r\n\r\n'), request('Transfer-Encoding: chunked\r\n ,gzip\r\n', '0\r\n\r\n'),
  request('Transfer-Encoding: identity\r\nContent-Length: 3\r\n', 'abc'), request('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'),
  // Chunks.
  request(chunked, '\r\n'), request(chunked, 'g\r\n'), request(chunked, '3 \r\nabc\r\n0\r\n\r\n'), request(chunked, '3\t\r\nabc\r\n0\r\n\r\n'), request(chunked, '3\nabc\n0\n\n'),
  request(chunked, '3\rabc'), request(chunked, '3\r\nabcd\r\n'), request(chunked, '3\r\nabc0\r\n\r\n'), request(chunked, '3\r\nabc\n0\r\n\r\n'), request(chunked, '3\r\nabc\rx'),
  request(chunked, '0000000000000003\r\nabc\r\n00\r\n\r\n'), request(chunked, 'fffffffffffffffff\r\n'), request(chunked, 'FFFFFFFFFFFFFFFF\r\nabc'), request(chunked, 'aB\r\n0123456789abcdef'),
  request(chunked, '3;a\r\nabc\r\n0\r\n\r\n'), request(chunked, '3;a;b=c;d="e f\\"g";h=\r\nabc\r\n0\r\n\r\n'), request(chunked, '3; a=b\r\nabc\r\n'), request(chunked, '3;\r\nabc\r\n'),
  request(chunked, '3;a=b c\r\nabc\r\n'), request(chunked, '3;a b\r\nabc\r\n'), request(chunked, '3;a="b\x01"\r\nabc\r\n'), request(chunked, '3;a="b\\\x01"\r\nabc\r\n'), request(chunked, '3;a="b"c\r\nabc\r\n'),
  request(chunked, '3;a\nabc\r\n'), request(chunked, '3;a=b\nabc\r\n'), request(chunked, '3;a="b"\nabc\r\n'), request(chunked, '3;a="b";c\r\nabc\r\n0;x=y\r\n\r\n'), request(chunked, '3;=a\r\nabc\r\n'),
  request(chunked, `1;${'e'.repeat(16384)}\r\na\r\n0\r\n\r\n`), request(chunked, `1;${'e'.repeat(16385)}\r\na\r\n`), request(chunked, '0\r\n\n'), request(chunked, '0\r\n\r\r'), request(chunked, '0\r\nContent-Length: 3\r\n\r\n'),
  request(chunked, '0\r\nTransfer-Encoding: chunked\r\n\r\n'), request(chunked, '3\r\nabc\r\n0\r\nX : y\r\n\r\n'), request(chunked, '-3\r\n'), request(chunked, ' 3\r\n'), request(chunked, '3;a=""\r\nabc\r\n0\r\n\r\n'),
  `GET /${'u'.repeat(16400)} HTTP/1.1\r\n\r\n`, request(`X: ${'v'.repeat(16400)}\r\n`), request(`${'n'.repeat(16400)}: v\r\n`), request(chunked, `0\r\nX: ${'t'.repeat(16400)}\r\n\r\n`),
];

exports.responses = [
  // Lines.
  'HTTP/1.1 200 OK\r\n\r\nuntil the end', 'HTTP/1.1 200\r\n\r\n', 'HTTP/1.1 200 \r\n\r\n', 'HTTP/1.1 200\n\n', 'HTTP/1.1 200 OK\n\n', 'HTTP/1.1 20 OK\r\n\r\n', 'HTTP/1.1 2000 OK\r\n\r\n', 'HTTP/1.1 2x0 OK\r\n\r\n',
  'HTTP/1.1  200 OK\r\n\r\n', 'HTTP/1.1 200\tOK\r\n\r\n', 'HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 \xc4rger \t!\r\nA: b\r\n\r\n', 'HTTP/1.1 200 OK\rX\r\n\r\n', 'HTTP/1.1 200\rX\r\n\r\n', 'HTTP/2.0 200 OK\r\n\r\n', 'HTTP/3.0 200 OK\r\n\r\n',
  'HTTP/1 200 OK\r\n\r\n', 'http/1.1 200 OK\r\n\r\n', 'HTTPX/1.1 200 OK\r\n\r\n', 'RTSP/1.0 200 OK\r\n\r\n', 'ICE/1.0 200 OK\r\n\r\n', 'ICY 200 OK\r\n\r\n', 'HTTP/0.9 200 OK\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 000 x\r\n\r\n', 'HTTP/1.1 999 x\r\n\r\n',
  'HTTP/1.1 200 OK\0\x01\r\n\r\n', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\n X: a\r\n\r\n', `HTTP/1.1 200 ${'r'.repeat(16400)}\r\n\r\n`,
  // Bodies.
  response('Content-Length: 3\r\n', 'abc') + response('Content-Length: 0\r\n') + response('', 'rest'), response('Content-Length: 3\r\nConnection: close\r\n', 'abcdef'), response('Content-Length: 5\r\n', 'abc'),
  response(chunked, '3\r\nabc\r\n0\r\nTrailer: t\r\n\r\n') + response(chunked, '0\r\n\r\n'), response('Transfer-Encoding: gzip\r\n', 'abc'), response('Transfer-Encoding: chunked, gzip\r\n', 'abc'), response('Transfer-Encoding: gzip, chunked\r\n', '1\r\na\r\n0\r\n\r\n'),
  response(`${chunked}Content-Length: 3\r\n`, '0\r\n\r\n'), response(`Content-Length: 3\r\n${chunked}`, '0\r\n\r\n'), response(`${chunked}${chunked}`, '0\r\n\r\n'), response(`${chunked}Transfer-Encoding: gzip\r\n`, 'abc'), response('Connection: keep-alive\r\n', 'abc'),
  'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc', 'HTTP/1.1 199 Other\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nxy', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nxHTTP/1.0 200 OK\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\nConnection: upgrade\r\n\r\nframes', 'HTTP/1.1 101 Switching Protocols\r\n\r\nframes', 'HTTP/1.1 101 S\r\nUpgrade: ws\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nabcdef', 'HTTP/1.1 200 OK\r\nUpgrade: ws\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1',
  'HTTP/1.1 304 N\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789\r\n\r\n', response('Content-Length: x\r\n'), response('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'),
  response('X: a\r\n b\r\n'), response('X: a\x01\r\n'), response('X : a\r\n'), response(many(40)), response('Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n'), 'HTTP/1.1 200 OK\r\nA: b\n\r\n', 'HTTP/1.1 200 OK\nA: b\n\nbody', response(chunked, '3;x="y"\r\nabc\r\n0\r\n\r\nHTTP'),
];
