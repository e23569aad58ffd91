(function*({ b: require }) {
  const crypto = require('crypto');
  const http = require('http');
  const path = require('path');
  const querystring = require('querystring');
  const application = (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://localhost');
    const query = querystring.parse(search.slice(1));
    const found = { path: path.posix.join('/', pathname), query, agent: request.headers.accept, at: request.socket.remoteAddress };
    const body = Buffer.from(JSON.stringify(found));
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('ETag', `W/"${body.length.toString(16)}-${crypto.createHash('sha1').update(body).digest('base64')}"`);
    response.on('finish', () => { found.finished = response.statusCode; });
    response.statusCode = request.method === 'HEAD' ? 204 : 200;
    response.end(body);
  };
  const server = http.createServer(application);
  server.on('error', (error) => console.error(error));
  process.on('SIGTERM', () => server.close());
  server.listen(0, '127.0.0.1', () => console.log('listening on %s', `http://127.0.0.1:${server.address().port}`));
})
