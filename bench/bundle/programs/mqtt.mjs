import mqtt from 'mqtt';
const client = mqtt.connect('mqtt://127.0.0.1:1', { reconnectPeriod: 0, connectTimeout: 50 });
client.on('error', (error) => { console.log(error.code || error.message); client.end(true); });
