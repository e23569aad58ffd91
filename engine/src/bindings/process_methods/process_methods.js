'use strict';
// The properties of `process` that the system fills: each is asked for when it is first read, so that a build stops
// at the statement that reads it.
const {
  ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSlice, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ObjectKeys, Uint32Array,
} = primordials;

const DEBUG_PORT = 9229;
const MILLISECONDS_PER_SECOND = 1000;

const hrtimeBuffer = new Uint32Array(3);
binding.hrtimeBuffer = hrtimeBuffer;
binding.hrtime = () => native.hrtime(hrtimeBuffer);
binding.hrtimeBigInt = () => native.hrtimeBigInt(hrtimeBuffer);
binding.uptime = () => internalBinding('performance').now() / MILLISECONDS_PER_SECOND;

// A data property that is made when it is first read or written.
function defineLazily(object, name, make) {
  const define = (value) => ObjectDefineProperty(object, name, {
    __proto__: null, value, writable: true, enumerable: true, configurable: true,
  });
  ObjectDefineProperty(object, name, {
    __proto__: null,
    enumerable: true,
    configurable: true,
    get() {
      const value = make();
      define(value);
      return value;
    },
    set: define,
  });
}

let args;
const argument = (index) => (args ??= native.args())[index];

function argv() {
  const executable = argument(0);
  return [executable, shared.entry ?? executable, ...ArrayPrototypeSlice(args, 1)];
}

// Node has it before anything else of the command line.
shared.process.env = internalBinding('process_env').env;

let title;
let debugPort = DEBUG_PORT;

binding.patchProcessObject = function patchProcessObject(process) {
  const accessor = (name, get, set) => {
    ObjectDefineProperty(process, name, { __proto__: null, enumerable: true, configurable: true, get, set });
  };
  accessor('title', () => title ?? argument(0), (value) => { title = `${value}`; });
  defineLazily(process, 'argv', argv);
  if (ObjectGetOwnPropertyDescriptor(process, 'argv0')?.configurable !== false) {
    defineLazily(process, 'argv0', () => argument(0));
  }
  process.execArgv = [];
  accessor('pid', native.pid, undefined);
  accessor('ppid', native.parentPid, undefined);
  defineLazily(process, 'execPath', () => argument(0));
  accessor('debugPort', () => debugPort, (value) => { debugPort = value | 0; });
};

// What an earlier process was asked may be answered otherwise in this one.
binding.refresh = () => {
  args = undefined;
  native.forgetDirectory();
};

binding.loadEnvFile = function loadEnvFile(path = '.env') {
  const content = internalBinding('fs').readFileUtf8(path, 0);
  const { env } = internalBinding('process_env');
  const parsed = internalBinding('util').parseEnv(content);
  for (const name of ObjectKeys(parsed)) env[name] ??= parsed[name];
};

// Node tells what usually is the reason.
const { cwd } = binding;
binding.cwd = () => {
  try {
    return cwd();
  } catch (error) {
    if (error.code === 'ENOENT') {
      error.message = 'ENOENT: process.cwd failed with error no such file or directory, the current working directory was ' +
        'likely removed without changing the working directory, uv_cwd';
    }
    throw error;
  }
};

binding.setEmitWarningSync = () => {};
// ---- What keeps the program running ------------------------------------------------------------------------------

const resourceNames = {
  __proto__: null,
  PIPESERVERWRAP: 'PipeWrap', PIPEWRAP: 'PipeWrap', TCPSERVERWRAP: 'TCPServerWrap', TCPWRAP: 'TCPSocketWrap', TTYWRAP: 'TTYWrap',
};

function resourceName(stream) {
  const { Providers } = internalBinding('async_wrap');
  const type = stream.getProviderType();
  for (const name in resourceNames) if (Providers[name] === type) return resourceNames[name];
  return 'HandleWrap';
}

const fileRequests = () => [...(shared.fileRequests?.pending ?? [])];

function referencedStreams() {
  const streams = [];
  for (const stream of shared.openStreams ?? []) if (stream.hasRef()) ArrayPrototypePush(streams, stream);
  return streams;
}

function timers() {
  const { immediateInfo, timeoutInfo } = internalBinding('timers');
  const names = [];
  for (let left = timeoutInfo[0]; left > 0; left--) ArrayPrototypePush(names, 'Timeout');
  for (let left = immediateInfo[1]; left > 0; left--) ArrayPrototypePush(names, 'Immediate');
  return names;
}

binding._getActiveRequests = fileRequests;
binding._getActiveHandles = () => {
  const { owner_symbol: kOwner } = internalBinding('symbols');
  return ArrayPrototypeMap(referencedStreams(), (stream) => stream[kOwner] ?? stream);
};
binding.getActiveResourcesInfo = () => [
  ...ArrayPrototypeMap(fileRequests(), () => 'FSReqCallback'),
  ...ArrayPrototypeMap(referencedStreams(), resourceName),
  ...timers(),
];
binding._debugProcess = () => {};
binding._debugEnd = () => {};
