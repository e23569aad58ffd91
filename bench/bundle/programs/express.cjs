const express = require('express');
const app = express();
app.get('/', (request, response) => response.json({ ok: true }));
const server = app.listen(0, () => {
  fetch(`http://localhost:${server.address().port}/`).then((r) => r.text()).then((text) => { console.log(text); server.close(); });
});
