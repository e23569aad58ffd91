(function*({ b: require }) {
  const { Buffer } = require('buffer');
  const { EventEmitter } = require('events');
  const fs = require('fs');
  const http = require('http');
  const net = require('net');
  const path = require('path');
  const querystring = require('querystring');
  const { PassThrough } = require('stream');
  const url = require('url');
  const util = require('util');
  function Failure(status, message) {
    Error.captureStackTrace(this, Failure);
    this.status = status;
    this.message = message;
  }
  util.inherits(Failure, Error);
  const proto = Object.create(http.ServerResponse.prototype, {
    app: { configurable: true, enumerable: true, writable: true, value: null },
  });
  proto.get = function get(name) { return this.getHeader(name); };
  proto.set = function set(name, value) { return this.setHeader(name, Array.isArray(value) ? value.map(String) : String(value)); };
  proto.send = function send(body) {
    if (!this.get('Content-Type')) this.set('Content-Type', 'text/html; charset=utf-8');
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    this.set('Content-Length', bytes.length);
    if (this.statusCode === 304 || this.statusCode === 204) this.removeHeader('Content-Type');
    if (this.req.method === 'HEAD') this.end();
    else this.end(bytes, 'utf8');
    return this;
  };
  const stack = [];
  const app = Object.assign((request, response) => {
    const finished = (error) => response.emit('finished', error);
    response.once('finish', finished).once('close', finished);
    request.once('end', finished);
    Object.setPrototypeOf(response, proto);
    response.setHeader('X-Powered-By', 'middleware');
    let index = 0;
    const next = (error) => {
      const layer = stack[index++];
      if (layer !== undefined) return layer(request, response, next);
      setImmediate(() => {
        if (response.headersSent) return request.socket.destroy();
        response.statusCode = error?.status ?? 404;
        response.setHeader('Content-Security-Policy', "default-src 'none'");
        response.setHeader('X-Content-Type-Options', 'nosniff');
        return response.end(http.STATUS_CODES[response.statusCode]);
      });
    };
    next();
  }, EventEmitter.prototype, { settings: Object.create(null) });
  app.settings.env = process.env.NODE_ENV || 'development';
  stack.push((request, response, next) => {
    const parsed = url.parse(request.url);
    request.query = querystring.parse(parsed.query ?? '');
    request.file = path.normalize(path.join('/srv', decodeURIComponent(parsed.pathname)));
    next();
  });
  stack.push((request, response, next) => {
    const log = util.format('%s %s %d %j', request.method, request.url, response.statusCode, request.headers);
    if (net.isIP(request.socket.remoteAddress ?? '') === 0) process.stderr.write(`${log}\n`);
    process.nextTick(next);
  });
  stack.push((request, response, next) => {
    fs.stat(request.file, (error, stat) => {
      if (error) return response.status === 0 ? next(new Failure(404, error.message)) : response.send(`<p>${log(error)}</p>`);
      const stream = new PassThrough();
      stream.pipe(response);
      return stream.end(String(stat.size));
    });
  });
  const log = (error) => new Failure(500, error.code).stack.split('\n', 2).join(' ');
  app.on('mount', () => {});
  app.emit('mount');
  const server = http.createServer(app);
  server.keepAliveTimeout = 5000;
  server.once('error', (error) => { throw error; });
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
})
