// Writes what node's own HTTPParser makes of many inputs, one JSON line a case: the oracle for ours.
//
//   node --expose-internals record.js > recorded.jsonl
//   node --expose-internals record.js SEED COUNT > other.jsonl    (mutations of the same messages, split at random)
'use strict';

const { internalBinding } = require('internal/test/binding');
const { HTTPParser } = internalBinding('http_parser');
const messages = require('./messages.js');

/** A case: type, lenient flags, size limit, the answer to the fields, and the parts of the input. */
function run({ type, lenient, max, answer, parts }) {
  const seen = [];
  const parser = new HTTPParser();
  parser.initialize(type, {}, max, lenient);
  parser[HTTPParser.kOnMessageBegin] = () => { seen.push('begin'); };
  parser[HTTPParser.kOnHeaders] = (headers, url) => { seen.push(`flush ${JSON.stringify([headers, url])}`); };
  parser[HTTPParser.kOnHeadersComplete] = (...fields) => {
    seen.push(`headers ${JSON.stringify(fields.map((field) => field ?? null))}`);
    return answer;
  };
  parser[HTTPParser.kOnBody] = (body) => {
    const text = body.latin1Slice();
    if (seen.at(-1)?.startsWith('body ')) seen[seen.length - 1] += text;
    else seen.push(`body ${text}`);
  };
  parser[HTTPParser.kOnMessageComplete] = () => { seen.push('complete'); };
  let before = 0;
  for (const part of parts) {
    const bytes = Buffer.from(part, 'latin1');
    const result = parser.execute(bytes);
    if (typeof result !== 'number') {
      seen.push(`error ${result.code} ${result.reason} ${before + result.bytesParsed}`);
      return seen;
    }
    if (result !== bytes.length) {
      seen.push(`read ${before + result}`);
      break;
    }
    before += bytes.length;
  }
  const end = parser.finish();
  seen.push(end === undefined ? 'end' : `end ${end.code} ${end.reason}`);
  return seen;
}

const FLAGS = [0, 1023, 1024, ...Array.from({ length: 10 }, (_, bit) => 1 << bit)];

/** node 24.21 never returns from a NUL in a value under kLenientHeaderValueRelaxed alone. */
const hangs = ({ lenient, parts }) => (lenient & 1025) === 1024 && parts.join('').includes('\0');

function* everyMessage() {
  for (const [type, texts] of [[HTTPParser.REQUEST, messages.requests], [HTTPParser.RESPONSE, messages.responses]]) {
    for (const text of texts) {
      for (const lenient of FLAGS) yield { type, lenient, max: 16384, answer: 0, parts: [text] };
      for (const answer of [1, 2]) yield { type, lenient: 0, max: 16384, answer, parts: [text] };
      yield { type, lenient: 0, max: 40, answer: 0, parts: [text] };
    }
  }
}

function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = ['\r', '\n', '\r\n', ' ', '\t', ':', ',', ';', '=', '"', '\\', '\0', '\x7f', '\xff', '/', '?', '#', '@', '0', '9', 'a',
                'G', 'chunked', 'close', 'keep-alive', 'upgrade', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n',
                'Connection: close\r\n', 'Transfer-Encoding: gzip\r\n', '\r\n\r\n', 'HTTP/1.1', '\x0c', '-', '_', '.'];

function mutate(text, pick) {
  for (let count = pick(4); count > 0; count--) {
    const at = pick(text.length + 1);
    const removed = pick(3) === 0 ? pick(6) : pick(2);
    text = text.slice(0, at) + (pick(4) === 0 ? '' : PIECES[pick(PIECES.length)]) + text.slice(at + removed);
  }
  return text;
}

function split(text, pick) {
  const parts = [];
  while (text.length > 0) {
    const length = 1 + pick(pick(2) === 0 ? 3 : text.length);
    parts.push(text.slice(0, length));
    text = text.slice(length);
  }
  return parts;
}

function* mutations(seed, count) {
  const pick = random(seed);
  for (let index = 0; index < count; index++) {
    const isRequest = pick(2) === 0;
    const texts = isRequest ? messages.requests : messages.responses;
    yield {
      type: isRequest ? HTTPParser.REQUEST : HTTPParser.RESPONSE,
      lenient: pick(3) === 0 ? 0 : pick(2048),
      max: pick(8) === 0 ? 20 + pick(60) : 16384,
      answer: pick(6) === 0 ? pick(3) : 0,
      parts: split(mutate(texts[pick(texts.length)], pick), pick),
    };
  }
}

const [seed, count] = process.argv.slice(2).map(Number);
const lines = [];
for (const input of count > 0 ? mutations(seed, count) : everyMessage()) {
  if (!hangs(input)) lines.push(JSON.stringify({ ...input, seen: run(input) }));
}
require('fs').writeFileSync(1, `${lines.join('\n')}\n`);
