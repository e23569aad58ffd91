// The standard outputs of a program that is started before it is known what they are connected to
// (docs/decisions/standard-output.md). Such an output is made as the stream of a pipe, with a prototype that asks the
// host when something is looked at that a terminal's stream has otherwise. At boot the same object becomes what it is: a
// terminal's stream at once, a pipe's when it is first used.
(function makeStandardOutputs(native, shared) {
  'use strict';

  const { process, internalBinding, require } = shared;
  const net = require('net');
  const tty = require('tty');
  const { isTTY } = internalBinding('tty_wrap');
  const { owner_symbol: kOwner } = internalBinding('symbols');
  const pipe = net.Socket.prototype;
  const terminal = tty.WriteStream.prototype;
  // What only a terminal that is there can answer.
  const needsTerminal = (key) =>
    key === 'columns' || key === 'rows' || key === 'getWindowSize' || key === '_refreshSize' ||
    (typeof key === 'string' && key.startsWith('readable'));
  // Streams by the number of their handle.
  const undecided = [undefined, undefined, undefined];

  makeLate('stdout', 1);
  makeLate('stderr', 2);

  /** At boot, where most programs have no terminal and are to touch nothing. */
  return function decide() {
    for (let fd = 1; fd < undecided.length; fd++) {
      if (undecided[fd] !== undefined && isTTY(fd)) becomeTerminal(undecided[fd], fd);
    }
  };

  /** Node's own getter makes the stream; if that is while start-up is sealed, it is undecided. */
  function makeLate(name, fd) {
    const { get: make } = Object.getOwnPropertyDescriptor(process, name);
    let isMade = false;
    const get = {
      [make.name]() {
        if (isMade || !shared.isSealed) return Reflect.apply(make, process, []);
        isMade = true;
        if (!native.assumeOutput(fd)) return Reflect.apply(make, process, []);
        const stream = Reflect.apply(make, process, []);
        native.assumeOutput(-1);
        Object.setPrototypeOf(stream, undecidedPrototype(fd));
        undecided[fd] = stream;
        return stream;
      },
    }[make.name];
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get });
  }

  function undecidedPrototype(fd) {
    const prototypeFor = (key) => {
      if (!shared.isSealed) {
        Object.setPrototypeOf(undecided[fd], pipe);
        return pipe;
      }
      if (!(needsTerminal(key) || Object.hasOwn(terminal, key)) || !isTTY(fd)) return pipe;
      // This ends a sealed start-up.
      if (needsTerminal(key)) native.terminalSize(fd);
      return terminal;
    };
    return new Proxy(pipe, {
      get: (_, key, receiver) => Reflect.get(prototypeFor(key), key, receiver),
      has: (_, key) => Reflect.has(prototypeFor(key), key),
      getPrototypeOf: () => prototypeFor('constructor'),
    });
  }

  /** The stream gets what Node's constructor gives a terminal's stream otherwise than a pipe's; the rest is the app's. */
  function becomeTerminal(stream, fd) {
    const made = new tty.WriteStream(fd);
    Object.setPrototypeOf(stream, terminal);
    stream._type = 'tty';
    // Destroyed by the app.
    if (!stream._handle) return;
    shared.openStreams.delete(stream._handle);
    for (const key of Reflect.ownKeys(made)) {
      const isAsyncId = typeof key === 'symbol' && key.description === 'async_id_symbol';
      if (isAsyncId || key === '_readableState' || key === 'columns' || key === 'rows') stream[key] = made[key];
    }
    stream._handle = made._handle;
    stream._handle[kOwner] = stream;
    process.on('SIGWINCH', () => stream._refreshSize());
  }
});
