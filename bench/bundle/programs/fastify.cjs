const app = require('fastify')();
app.get('/', async () => ({ ok: true }));
app.inject('/').then((response) => { console.log(response.payload); return app.close(); });
