// The Express app as a device has it: reached from outside.
'use strict';

const { createApp } = require('./src/app');

const server = createApp().listen(Number(process.env.PORT), '0.0.0.0', () => console.log('listening'));

process.on('SIGTERM', () => {
  server.close(() => console.log('closed'));
  server.closeAllConnections();
});
