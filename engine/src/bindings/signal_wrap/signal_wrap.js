'use strict';
// A signal that is listened to.
const { HandleWrap, onSignal, setSignalRef } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');

class Signal extends HandleWrap {
  #signal;

  constructor() {
    super(Providers.SIGNALWRAP);
  }

  start(signal) {
    this.stop();
    const status = onSignal(signal, () => this.makeCallback(this.onsignal, signal));
    if (status < 0) {
      onSignal(signal, null);
      return status;
    }
    this.#signal = signal;
    if (!this.hasRef()) setSignalRef(signal, false);
    return 0;
  }

  stop() {
    if (this.#signal === undefined) return 0;
    onSignal(this.#signal, null);
    this.#signal = undefined;
    return 0;
  }

  _close() {
    this.stop();
  }

  _setRef(wanted) {
    if (this.#signal !== undefined) setSignalRef(this.#signal, wanted);
  }
}

binding.Signal = Signal;
