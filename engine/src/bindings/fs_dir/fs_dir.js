'use strict';
// Directories read in portions. The list is taken when the directory is opened.
const { ArrayPrototypePush } = primordials;
const { AsyncWrap } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { getErrorMessage } = internalBinding('uv');
const { readdir } = internalBinding('fs');
const { later, scandirAsOpendir } = shared.fileRequests;

class DirHandle extends AsyncWrap {
  #entries;
  #next = 0;

  constructor(entries) {
    super(Providers.DIRHANDLE);
    this.#entries = entries;
  }

  // Name, type, name, type, … of up to `count` entries; null at the end.
  #portion(count) {
    const [names, types] = this.#entries;
    if (this.#next >= names.length) return null;
    const portion = [];
    for (let left = count; left > 0 && this.#next < names.length; left--) {
      ArrayPrototypePush(portion, names[this.#next], types[this.#next]);
      this.#next++;
    }
    return portion;
  }

  read(encoding, count, req) {
    const portion = this.#portion(count);
    if (req === undefined) return portion;
    later(req, () => portion);
  }

  close(req) {
    this.#entries = [[], []];
    if (req !== undefined) later(req, () => undefined);
  }
}

function open(path, encoding) {
  try {
    return new DirHandle(readdir(path, encoding, true));
  } catch (error) {
    throw scandirAsOpendir(error);
  }
}

binding.DirHandle = DirHandle;
binding.opendir = (path, encoding, req) => {
  if (req === undefined) return open(path, encoding);
  later(req, open, path, encoding);
};
// The error of this one does not say which directory.
binding.opendirSync = (path) => {
  try {
    return open(path, 'utf8');
  } catch (error) {
    if (error.syscall === 'opendir') {
      error.message = `${error.code}: ${getErrorMessage(error.errno)}, opendir`;
      delete error.path;
    }
    throw error;
  }
};
