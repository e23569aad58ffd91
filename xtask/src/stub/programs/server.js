(function*($env) {
  const http = $env.require('http');
  const server = http.createServer((request, response) => {
    const body = JSON.stringify({ url: request.url, agent: request.headers.accept });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    http.get({ host: '127.0.0.1', port, path: '/status', headers: { accept: '*/*' } }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => {
        console.log(response.statusCode, JSON.parse(text));
        server.close();
      });
    });
  });
})
