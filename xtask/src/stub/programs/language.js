(function*({ b: require }) {
  const { Buffer } = require('buffer');
  // What the machine is asked for ends start-up: all that follows is the boot's.
  const level = process.env.LEVEL ?? 'info';
  class Shape {
    #name;
    static count = 0;
    constructor(name) {
      this.#name = name;
      Shape.count++;
    }
    get name() { return this.#name; }
    set name(value) { this.#name = value; }
    toString() { return `${this.#name}:${this.area().toFixed(2)}`; }
  }
  class Circle extends Shape {
    constructor(radius) {
      super('circle');
      this.radius = radius;
    }
    area() { return Math.PI * this.radius ** 2; }
    toString() { return `<${super.toString()}>`; }
  }
  class Refused extends TypeError {
    constructor(message, options) {
      super(message, options);
      this.name = 'Refused';
      this.code = 'E_REFUSED';
    }
  }
  const shapes = [3, 1, 2].map((radius) => new Circle(radius)).sort((a, b) => a.radius - b.radius);
  shapes[0].name = level;

  // Routes: patterns that are made of text, and what they find.
  const routes = ['/', '/items/:id', '/items/:id/parts/:part'].map((path) => {
    const names = [];
    const text = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:(\w+)/g, (_, name) => (names.push(name), '([^/]+?)'));
    return { names, pattern: new RegExp(`^${text}/?$`, 'i') };
  });
  const find = (path) => {
    for (const { names, pattern } of routes) {
      const found = pattern.exec(path);
      if (found !== null) return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1])]));
    }
    return null;
  };
  const params = find('/items/a%20b/Parts/7');
  const date = /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)$/.exec('2024-02-28').groups;
  const words = [...'the quick brown fox'.matchAll(/\b(\w)(\w*)/g)].map(([, first, rest]) => first.toUpperCase() + rest);
  const type = 'text/html; charset=utf-8'.split(/\s*;\s*/).map((part) => part.trim().toLowerCase());

  // Collections, and ways over them.
  const counts = new Map();
  for (const word of words.concat(type, ['the'])) counts.set(word, (counts.get(word) ?? 0) + 1);
  const seen = new Set([...counts.keys()].filter((word) => !word.includes('/')));
  const weak = new WeakMap([[shapes[0], 1]]);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const { year, ...rest } = date;
  const merged = { ...rest, year: Number.parseInt(year, 10), nested: { list: [1, [2, [3]]].flat(2), none: null, when: new Date(0) } };
  Object.defineProperty(merged, 'hidden', { get: () => weak.get(shapes[0]), enumerable: false, configurable: true });
  const entries = Object.entries(merged).filter(([key]) => Object.hasOwn(merged, key));
  const keys = Object.getOwnPropertyNames(Object.freeze(Object.assign(Object.create(null), merged)));
  const list = Array.from({ length: 5 }, (_, index) => index * 1.5);
  list.splice(1, 2, -0, NaN);
  list.unshift(list.pop());
  const parts = [list.indexOf(0), list.findLast((value) => value > 0), list.slice(-2).join('-'), list.some(Number.isNaN), list.reverse().length];
  const view = new Proxy(merged, { get: (target, key, self) => Reflect.get(target, key, self) ?? String(key) });
  function* numbers(end) {
    for (let number = 0; number < end; number++) yield number;
  }
  async function* later() {
    yield* numbers(2);
  }

  // Text, numbers and dates.
  const text = JSON.stringify({ params, date, words, entries, keys, parts, total, seen: [...seen], missing: view.missing }, null, 2);
  const again = JSON.parse(text, (key, value) => (typeof value === 'number' ? value + 1 : value));
  const padded = `${(255).toString(16).padStart(4, '0')} ${(1234.5678).toFixed(1)} ${parseFloat('3.25e2')} ${10n ** 20n} ${1e21} ${0.1 + 0.2}`;
  const dates = [new Date(Date.UTC(2024, 1, 29)).toISOString(), new Date('2024-02-28T12:00:00Z').toUTCString(), new Date(2024, 0, 1).getDay()];
  const cut = 'a,b;c'.split(/[,;]/).at(-1) + 'abc'.repeat(2).lastIndexOf('b') + 'x'.localeCompare('y') + 'é'.normalize('NFD').length;
  const bytes = Buffer.concat([Buffer.from('6869', 'hex'), Buffer.alloc(2, '!'), Buffer.from(cut)]);
  bytes.writeUInt16BE(bytes.readUInt16LE(0), 0);
  const encoded = bytes.toString('base64') + bytes.subarray(1).toString('latin1') + encodeURIComponent(padded) + escape(cut);
  const floats = new Float64Array([1.5, 2.5]).map((value) => value * 2);
  let failure;
  try {
    JSON.parse('{"a": tru');
  } catch (error) {
    failure = new Refused(`not JSON: ${error.message}`, { cause: error });
  } finally {
    counts.clear();
  }
  const done = async () => {
    for await (const number of later()) list.push(number);
    const results = await Promise.allSettled([Promise.reject(failure), new Promise((resolve) => { setImmediate(resolve, text.length); })]);
    const [{ reason }, { value }] = results;
    console.log('%s %d %o', reason.stack.split('\n')[0], value, again?.date);
    console.error(shapes.join(), padded, dates, encoded, floats, typeof structuredClone, Shape.count);
  };
  const timer = setTimeout(() => {}, 5000);
  queueMicrotask(() => clearTimeout(timer));
  done().catch((error) => console.error(error));
})
