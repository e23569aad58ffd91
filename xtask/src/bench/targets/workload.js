// A fixed piece of work for the engine alone: what instruction counts of the translated and of the native engine are
// compared by. It prints one number, so that both can be seen to have done the same. Counted are the rounds after the
// first, in which the engine's memory is brought and the script is compiled.
'use strict';

function objects(count) {
  const list = [];
  for (let i = 0; i < count; i++) list.push({ id: i, name: `sensor-${i % 17}`, value: (i * 7919) % 1000 / 10 });
  const groups = new Map();
  for (const item of list) {
    const group = groups.get(item.name) ?? { count: 0, sum: 0 };
    group.count++;
    group.sum += item.value;
    groups.set(item.name, group);
  }
  return [...groups].map(([name, { count, sum }]) => name.length + sum / count).reduce((a, b) => a + b, 0);
}

function texts(count) {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const line = `temp=${i % 40}.5;hum=${i % 100};id=gw-${i}`;
    for (const [, key, value] of line.matchAll(/(\w+)=([^;]+)/g)) total += key.length + Number.parseInt(value, 10) || 1;
    total += line.split(';').join(',').toUpperCase().indexOf('GW-');
  }
  return total;
}

function json(count) {
  const value = { list: Array.from({ length: 50 }, (_, i) => ({ i, text: 'x'.repeat(i), nested: { even: i % 2 === 0 } })) };
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += JSON.stringify(JSON.parse(JSON.stringify(value))).length;
  return bytes;
}

function numbers(count) {
  const samples = new Float64Array(count);
  let seed = 42;
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    samples[i] = seed / 4294967296;
  }
  const sorted = Array.from(samples).sort((a, b) => a - b);
  return Math.round(1000 * (sorted[count >> 1] + Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0))));
}

class Account {
  #balance = 0;
  add(amount) { this.#balance += amount; return this; }
  get balance() { return this.#balance; }
}

function* countdown(from) { while (from > 0) yield from--; }

function calls(count) {
  const account = new Account();
  for (const n of countdown(count)) account.add(n % 3).add(((a) => a + n % 2)(1));
  const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
  return account.balance + fibonacci(9);
}

let result = 0;
for (let round = 0; round < ROUNDS; round++) result += objects(150) + texts(40) + json(2) + numbers(200) + calls(100);
(globalThis.console?.log ?? globalThis.print)(Math.round(result));
