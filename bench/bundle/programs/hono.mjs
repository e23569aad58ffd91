import { Hono } from 'hono';
const app = new Hono();
app.get('/hello/:name', (c) => c.json({ hello: c.req.param('name') }));
const response = await app.request('/hello/ada');
console.log(response.status, await response.text());
