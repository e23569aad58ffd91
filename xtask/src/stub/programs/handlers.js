(function*({ b: require }) {
  const { Buffer } = require('buffer');
  const crypto = require('crypto');
  const { EventEmitter } = require('events');
  const fs = require('fs');
  const http = require('http');
  const path = require('path');
  const { Readable, Transform } = require('stream');
  const { StringDecoder } = require('string_decoder');
  const url = require('url');
  const util = require('util');
  const zlib = require('zlib');

  // A small framework, as there are many: prototypes that are set per request, layers with patterns, settings, helpers.
  const slice = Array.prototype.slice;
  const own = Object.prototype.hasOwnProperty;
  const request = Object.create(http.IncomingMessage.prototype);
  const response = Object.create(http.ServerResponse.prototype);
  const getter = (target, name, get) => Object.defineProperty(target, name, { configurable: true, enumerable: true, get });
  getter(request, 'protocol', function protocol() { return this.connection.encrypted ? 'https' : (this.get('X-Forwarded-Proto') || 'http').split(',', 1)[0].trim(); });
  getter(request, 'secure', function secure() { return this.protocol === 'https'; });
  getter(request, 'host', function host() {
    const value = this.get('Host') ?? '';
    const colon = value.indexOf(':', value.charAt(0) === '[' ? value.indexOf(']') + 1 : 0);
    return colon === -1 ? value : value.substring(0, colon);
  });
  getter(request, 'fresh', function fresh() {
    const { method } = this;
    if (method !== 'GET' && method !== 'HEAD') return false;
    const none = this.headers['if-none-match'];
    return none !== undefined && none.split(',').map((tag) => tag.replace(/^\s*W\//, '')).includes(this.res.get('ETag'));
  });
  request.get = function get(name) {
    const lower = name.toLowerCase();
    return lower === 'referer' ? this.headers.referrer || this.headers.referer : this.headers[lower];
  };
  request.accepts = function accepts(types) {
    const ranges = (this.get('Accept') || '*/*').split(',').map((range, index) => {
      const [type, ...options] = range.trim().split(/ *; */);
      const quality = options.map((option) => /^q=([0-9.]+)$/.exec(option)).find(Boolean);
      return { type, index, quality: quality ? parseFloat(quality[1]) : 1 };
    });
    ranges.sort((a, b) => b.quality - a.quality || a.index - b.index);
    return types.find((type) => ranges.some((range) => range.type === '*/*' || type.startsWith(range.type.split('/')[0]))) || false;
  };
  response.status = function status(code) {
    if (!Number.isInteger(code) || code < 100 || code > 999) throw new RangeError(`Invalid status code: ${JSON.stringify(code)}`);
    this.statusCode = code;
    return this;
  };
  response.get = function get(name) { return this.getHeader(name); };
  response.header = response.set = function header(field, value) {
    if (arguments.length === 2) {
      let text = Array.isArray(value) ? value.map(String) : String(value);
      if (field.toLowerCase() === 'content-type' && !/;\s*charset\s*=/.test(text)) text += `; charset=${'UTF-8'.toLowerCase()}`;
      this.setHeader(field, text);
    } else {
      for (const key in field) this.header(key, field[key]);
    }
    return this;
  };
  response.vary = function vary(field) {
    const before = String(this.getHeader('Vary') || '');
    if (!before.split(/ *, */).includes(field)) this.setHeader('Vary', before ? `${before}, ${field}` : field);
    return this;
  };
  response.json = function json(value) {
    if (!this.get('Content-Type')) this.set('Content-Type', 'application/json');
    return this.send(JSON.stringify(value, this.app.settings.replacer, this.app.settings.spaces));
  };
  response.send = function send(body) {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, 'utf8');
    const generate = this.app.settings['etag fn'];
    this.set('Content-Length', Buffer.byteLength(bytes));
    if (typeof generate === 'function' && this.get('ETag') === undefined) this.set('ETag', generate(bytes));
    if (this.req.fresh) this.status(304);
    if (this.statusCode === 204 || this.statusCode === 304) for (const name of ['Content-Type', 'Content-Length']) this.removeHeader(name);
    if (this.req.method === 'HEAD') this.end();
    else this.end(bytes);
    return this;
  };
  response.links = function links(all) {
    return this.set('Link', Object.keys(all).map((rel) => `<${all[rel]}>; rel="${rel}"`).join(', '));
  };
  const etag = (entity) => {
    const hash = crypto.createHash('sha1').update(entity).digest('base64').substring(0, 27);
    return `W/"${entity.length.toString(16)}-${hash}"`;
  };
  class Layer {
    constructor(path_, options, handle) {
      this.keys = [];
      this.name = handle.name || '<anonymous>';
      this.handle = handle;
      this.fast = { star: path_ === '*', slash: path_ === '/' && options.end === false };
      const source = path_.replace(/\/:([A-Za-z_]\w*)/g, (_, name) => { this.keys.push({ name }); return '/([^/]+?)'; });
      this.pattern = new RegExp(`^${source === '/' ? '' : source}${options.end ? '\\/?$' : '(?:\\/(?=$))?(?=\\/|$)'}`, 'i');
    }

    match(pathname) {
      if (this.fast.slash || this.fast.star) {
        this.params = {};
        this.path = '';
        return true;
      }
      const found = this.pattern.exec(pathname);
      if (!found) return false;
      [this.path] = found;
      this.params = Object.create(null);
      for (let i = 1; i < found.length; i++) {
        const value = found[i];
        if (value !== undefined || !own.call(this.params, this.keys[i - 1].name)) this.params[this.keys[i - 1].name] = decodeURIComponent(value);
      }
      return true;
    }

    run(error, req, res, next) {
      const { handle } = this;
      if ((error !== undefined) !== (handle.length === 4)) return next(error);
      try {
        const result = error === undefined ? handle(req, res, next) : handle(error, req, res, next);
        if (util.types.isPromise(result)) result.then(null, (reason) => next(reason || new Error('Rejected promise')));
      } catch (thrown) {
        next(thrown);
      }
    }
  }
  function createApp() {
    const app = function(req, res) { app.handle(req, res); };
    for (const key of Reflect.ownKeys(EventEmitter.prototype)) {
      if (key !== 'constructor') Object.defineProperty(app, key, Object.getOwnPropertyDescriptor(EventEmitter.prototype, key));
    }
    app.request = Object.create(request, { app: { configurable: true, enumerable: true, writable: true, value: app } });
    app.response = Object.create(response, { app: { configurable: true, enumerable: true, writable: true, value: app } });
    app.settings = { 'etag fn': etag, 'views': path.resolve('/srv', 'views'), 'spaces': undefined };
    app.locals = Object.assign(Object.create(null), { settings: app.settings });
    app.stack = [];
    app.use = function use(...args) {
      const [first] = args;
      const at = typeof first === 'string' ? first : '/';
      for (const handle of slice.call(args, at === first ? 1 : 0).flat(Infinity)) app.stack.push(new Layer(at, { end: false }, handle));
      return app;
    };
    for (const method of http.METHODS.map((name) => name.toLowerCase())) {
      app[method] = (at, ...handles) => {
        const layer = new Layer(at, { end: true }, (req, res, next) => handles.reduceRight((then, handle) => () => handle(req, res, then), next)());
        layer.method = method;
        app.stack.push(layer);
        return app;
      };
    }
    app.handle = (req, res) => {
      let index = 0;
      Object.setPrototypeOf(req, app.request);
      Object.setPrototypeOf(res, app.response);
      [req.res, res.req, req.next, req.originalUrl] = [res, req, next, req.originalUrl || req.url];
      res.locals = res.locals || Object.create(null);
      function next(error) {
        const { pathname } = url.parse(req.url);
        let layer;
        while (index < app.stack.length) {
          layer = app.stack[index++];
          if ((layer.method === undefined || layer.method === req.method.toLowerCase()) && layer.match(pathname)) break;
          layer = undefined;
        }
        if (layer === undefined) {
          setImmediate(finish, error);
          return;
        }
        req.params = Object.assign({}, req.params, layer.params);
        layer.run(error, req, res, next);
      }
      function finish(error) {
        const code = error ? error.status || error.statusCode || 500 : 404;
        const text = error ? error.stack || util.inspect(error) : `Cannot ${req.method} ${encodeURI(req.originalUrl)}`;
        const escaped = text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`).replaceAll('\n', '<br>');
        res.status(code).set({ 'Content-Security-Policy': "default-src 'none'", 'X-Content-Type-Options': 'nosniff', 'Content-Type': 'text/html' });
        res.send(`<!DOCTYPE html>\n<pre>${escaped}</pre>\n`);
      }
      next();
    };
    app.listen = (...args) => http.createServer(app).listen(...args);
    return app;
  }

  // What is usual in front of handlers.
  const ended = (message, listener) => {
    const done = () => { message.removeListener('end', done).removeListener('close', done); listener(null, message); };
    message.on('end', done).on('close', done);
  };
  const compress = (options) => (req, res, next) => {
    const { end, write, writeHead } = res;
    const coding = /\bgzip\b/.test(req.headers['accept-encoding'] || '') ? 'gzip' : 'identity';
    res.writeHead = function(...args) {
      const length = Number(res.getHeader('Content-Length'));
      const isText = /^text\/|\+(?:json|text|xml)$|\bjson\b/i.test(String(res.getHeader('Content-Type')));
      if (isText) res.vary('Accept-Encoding');
      if (isText && Number.isFinite(length) && length >= options.threshold && coding === 'gzip') res.removeHeader('Content-Length');
      return Reflect.apply(writeHead, this, args);
    };
    res.end = function(chunk, encoding, callback) {
      const whole = coding === 'gzip' && chunk !== undefined ? zlib.gzipSync(chunk) : chunk;
      return end.call(this, whole, encoding, callback);
    };
    res.write = function(chunk, encoding) { return write.call(this, chunk, encoding); };
    next();
  };
  const jsonBody = (req, res, next) => {
    const type = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)/.exec(req.headers['content-type'] || '');
    if (type === null || req.headers['transfer-encoding'] === undefined && isNaN(req.headers['content-length'])) return next();
    const decoder = new StringDecoder('utf8');
    let text = '';
    req.on('data', (chunk) => { text += decoder.write(chunk); });
    ended(req, () => {
      try {
        req.body = JSON.parse(text + decoder.end());
        next();
      } catch (error) {
        next(Object.assign(error, { status: 400, expose: true }));
      }
    });
  };
  const files = (root) => (req, res, next) => {
    const wanted = path.normalize(path.join(root, decodeURIComponent(url.parse(req.url).pathname)));
    if (!wanted.startsWith(root) || wanted.includes('\0')) return next();
    fs.stat(wanted, (error, stat) => {
      if (error) return next();
      res.set({ 'Content-Length': stat.size, 'Last-Modified': stat.mtime.toUTCString(), 'Cache-Control': `public, max-age=${Math.floor(3600)}` });
      return fs.createReadStream(wanted).pipe(res);
    });
  };

  const app = createApp();
  const rows = new Map([['boiler', [{ at: 1709078400000, value: 61.25 }]], ['meter', [{ at: 1709078460000, value: 1204 }]]]);
  app.use(compress({ threshold: 1024 }), jsonBody);
  app.use('/files', files(path.join('/srv', 'public')));
  app.use((req, res, next) => {
    const start = process.hrtime.bigint();
    res.once('finish', () => app.emit('served', { method: req.method, path: req.originalUrl, ms: Number(process.hrtime.bigint() - start) / 1e6 }));
    next();
  });
  app.get('/', (req, res) => {
    const found = [...rows].map(([name, [{ at, value }]]) => ({ name, at: new Date(at).toISOString(), value: value.toFixed(1) }));
    const query = new URLSearchParams(url.parse(req.url).search || '');
    const limit = Math.min(Math.max(parseInt(query.get('limit') || '10', 10) || 0, 1), 100);
    const body = { host: req.host, secure: req.secure, type: req.accepts(['text/html', 'application/json']), rows: found.slice(0, limit) };
    res.links({ self: `${req.protocol}://${req.host}/` }).status(200).json(body);
  });
  app.get('/rows/:name', async (req, res, next) => {
    const row = rows.get(req.params.name);
    if (row === undefined) return next(Object.assign(new Error(`no row ${req.params.name}`), { status: 404 }));
    return Readable.from(row).pipe(new Transform({ objectMode: true, transform: (item, _, done) => done(null, `${JSON.stringify(item)}\n`) })).pipe(res);
  });
  app.use((error, req, res, next) => { if (res.headersSent) next(error); else res.status(error.status ?? 500).json({ error: error.message }); });
  app.on('served', ({ method, path: at, ms }) => { if (process.env.DEBUG) console.error('%s %s %dms', method, at, ms); });
  const server = app.listen(Number(process.env.PORT || 0), '127.0.0.1', function listening() {
    const { address, port } = this.address();
    console.log(`listening on http://${address}:${port}`);
  });
  const stop = (signal) => { server.close(() => console.log('closed', signal)); };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
})
