// The classes of crypto: digests, HMAC, secret keys and the jobs that derive keys and random bytes. Key pairs,
// ciphers, certificates and TLS keep the skeleton's `not supported yet`.
'use strict';

const { AsyncWrap, defer } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { kCryptoJobAsync, kCryptoJobWebCrypto, kKeyTypeSecret, kKeyFormatJWK } = binding;

// Every name that OpenSSL lists for the digests that are here.
const HASHES = `RSA-MD5 RSA-RIPEMD160 RSA-SHA1 RSA-SHA1-2 RSA-SHA224 RSA-SHA256 RSA-SHA3-224 RSA-SHA3-256 RSA-SHA3-384
  RSA-SHA3-512 RSA-SHA384 RSA-SHA512 RSA-SHA512/224 RSA-SHA512/256 RSA-SM3 blake2b512 blake2s256
  id-rsassa-pkcs1-v1_5-with-sha3-224 id-rsassa-pkcs1-v1_5-with-sha3-256 id-rsassa-pkcs1-v1_5-with-sha3-384
  id-rsassa-pkcs1-v1_5-with-sha3-512 md5 md5-sha1 md5WithRSAEncryption ripemd ripemd160 ripemd160WithRSA rmd160 sha1
  sha1WithRSAEncryption sha224 sha224WithRSAEncryption sha256 sha256WithRSAEncryption sha3-224 sha3-256 sha3-384 sha3-512
  sha384 sha384WithRSAEncryption sha512 sha512-224 sha512-224WithRSAEncryption sha512-256 sha512-256WithRSAEncryption
  sha512WithRSAEncryption shake128 shake256 sm3 sm3WithRSAEncryption ssl3-md5 ssl3-sha1`.split(/\s+/);

let Buffer;
function buffers() {
  Buffer ??= shared.require('buffer').Buffer;
  return Buffer;
}

function coded(Class, code, message) {
  const error = new Class(message);
  error.code = code;
  return error;
}

function algorithmOf(name) {
  const id = native.find(name);
  if (id < 0) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
  return id;
}

/** What `update` takes: bytes, or text that native code reads as UTF-8. */
function decode(data, encoding) {
  if (typeof data !== 'string' || encoding === undefined || encoding === 'utf8' || !buffers().isEncoding(encoding)) return data;
  return Buffer.from(data, encoding);
}

/** Output as StringBytes::Encode: an encoding that is not known means a buffer. */
function encode(memory, encoding) {
  const bytes = buffers().from(memory);
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? bytes.toString(encoding) : bytes;
}

/** The length that a digest is asked for. Most have one length only. */
function outputLength(id, wanted) {
  const length = native.digestLength(id);
  if (wanted === undefined || wanted === length) return length;
  if (native.isExtendable(id)) return wanted;
  const error = new Error('error:030000B2:digital envelope routines::not XOF or invalid length');
  error.library = 'digital envelope routines';
  error.reason = 'not XOF or invalid length';
  error.code = 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH';
  throw error;
}

class Hash {
  #id;
  #length;
  #digest;
  #result;

  constructor(algorithm, length, id) {
    if (typeof algorithm !== 'string') {
      this.#id = algorithm.#id;
      this.#length = outputLength(this.#id, length);
      this.#digest = native.copyDigest(algorithm.#digest);
      return;
    }
    this.#id = id >= 0 ? id : native.find(algorithm);
    if (this.#id < 0) throw new Error('Digest method not supported');
    this.#length = outputLength(this.#id, length);
    this.#digest = native.createDigest(this.#id);
  }

  update(data, encoding) {
    return native.updateDigest(this.#digest, decode(data, encoding));
  }

  digest(encoding) {
    this.#result ??= native.finishDigest(this.#digest, this.#length);
    return encode(this.#result, encoding);
  }
}

class Hmac {
  #hmac;

  init(algorithm, key) {
    this.#hmac = native.createHmac(algorithmOf(algorithm), bytesOf(key));
  }

  update(data, encoding) {
    return native.updateHmac(this.#hmac, decode(data, encoding));
  }

  digest(encoding) {
    return encode(native.finishHmac(this.#hmac), encoding);
  }
}

// ---- Secret keys -------------------------------------------------------------------------------------------------

let keyBytes;

class KeyObjectHandle {
  #bytes;

  static {
    keyBytes = (handle) => handle.#bytes;
  }

  init(type, data, format) {
    if (type !== kKeyTypeSecret) return notSupported('init of a public or private key');
    if (format === kKeyFormatJWK) {
      if (typeof data.k !== 'string') throw coded(TypeError, 'ERR_CRYPTO_INVALID_JWK', 'Invalid JWK secret key format');
      data = buffers().from(data.k, 'base64url');
    }
    this.#bytes = Uint8Array.from(viewOf(data));
  }

  getKeyType() {
    return kKeyTypeSecret;
  }

  getSymmetricKeySize() {
    return this.#bytes.byteLength;
  }

  export() {
    return buffers().from(this.#bytes);
  }

  exportJwk(target) {
    target.kty = 'oct';
    target.k = this.export().toString('base64url');
    return target;
  }

  equals(other) {
    const bytes = other.#bytes;
    return bytes.byteLength === this.#bytes.byteLength && native.isEqual(this.#bytes, bytes);
  }
}

for (const name of ['getAsymmetricKeyType', 'checkEcKeyData', 'rawPublicKey', 'rawPrivateKey', 'rawSeed', 'exportECPublicRaw',
                    'exportECPrivateRaw', 'keyDetail']) {
  KeyObjectHandle.prototype[name] = { [name]() { return notSupported(name); } }[name];
}

function notSupported(name) {
  throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `not supported yet: crypto.KeyObjectHandle.${name}`);
}

function viewOf(data) {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** The bytes of a key, given as handle or as they are. */
function bytesOf(key) {
  return key instanceof KeyObjectHandle ? keyBytes(key) : key;
}

let keyObjectHandle;

class NativeKeyObject {
  #handle;

  static {
    keyObjectHandle = (key) => (#handle in key ? key.#handle : undefined);
  }

  constructor(handle) {
    this.#handle = handle;
  }
}

let cryptoKeySlots;

class NativeCryptoKey {
  #slots;

  static {
    cryptoKeySlots = (key) => (#slots in key ? [...key.#slots] : undefined);
  }

  constructor(handle, algorithm, usagesMask, extractable) {
    this.#slots = [handle.getKeyType(), extractable, algorithm, usagesMask, handle];
  }
}

let InternalCryptoKey;

function illegal(name) {
  return coded(TypeError, 'ERR_INVALID_THIS', `Value of "this" must be of type ${name}`);
}

// ---- Jobs --------------------------------------------------------------------------------------------------------

/** Work that node does on a thread: at once, in the loop's next turn, or behind a promise. */
class CryptoJob extends AsyncWrap {
  #mode;
  #work;
  #resource;

  constructor(mode, provider, work) {
    super(provider);
    this.#mode = mode;
    this.#work = work;
  }

  #attempt() {
    try {
      return [undefined, this.#work()];
    } catch (error) {
      return [error, undefined];
    }
  }

  run() {
    if (this.#mode === kCryptoJobWebCrypto) {
      return new Promise((resolve, reject) => {
        defer(() => {
          const { 0: error, 1: result } = this.#attempt();
          this.makeCallback(() => (error === undefined ? resolve(result) : reject(error)));
        });
      });
    }
    if (this.#mode !== kCryptoJobAsync) return this.#attempt();
    defer(() => this.makeCallback('ondone', ...this.#attempt()));
    return undefined;
  }
}

class RandomBytesJob extends CryptoJob {
  constructor(mode, buffer, offset, length) {
    super(mode, Providers.RANDOMBYTESREQUEST, () => {
      if (!native.fillRandom(buffer, offset, length)) {
        throw coded(Error, 'ERR_CRYPTO_OPERATION_FAILED', 'Random bytes are not available');
      }
    });
  }
}

class HashJob extends CryptoJob {
  constructor(mode, algorithm, data, lengthBits) {
    const id = algorithmOf(algorithm);
    const length = outputLength(id, lengthBits === undefined ? undefined : lengthBits >>> 3);
    const input = mode === kCryptoJobAsync || mode === kCryptoJobWebCrypto ? viewOf(data).slice() : data;
    super(mode, Providers.HASHREQUEST, () => native.hash(id, input, length));
  }
}

class HmacJob extends CryptoJob {
  constructor(mode, signMode, algorithm, key, data, signature) {
    const id = algorithmOf(algorithm);
    const input = viewOf(data).slice();
    const expected = signature === undefined ? undefined : viewOf(signature).slice();
    super(mode, Providers.HMACREQUEST ?? Providers.SIGNREQUEST, () => {
      const hmac = native.createHmac(id, bytesOf(key));
      native.updateHmac(hmac, input);
      const result = native.finishHmac(hmac);
      if (signMode === binding.kSignJobModeSign) return result;
      return expected.byteLength === result.byteLength && native.isEqual(result, expected);
    });
  }
}

/** OpenSSL derives at least one byte. */
function derived(length, work) {
  if (length === 0) throw new Error('Deriving bits failed');
  return work();
}

class PBKDF2Job extends CryptoJob {
  constructor(mode, password, salt, iterations, length, algorithm) {
    const id = algorithmOf(algorithm);
    super(mode, Providers.PBKDF2REQUEST,
          () => derived(length, () => native.pbkdf2(id, bytesOf(password), salt, iterations, length)));
  }
}

class HKDFJob extends CryptoJob {
  constructor(mode, algorithm, key, salt, info, length) {
    const id = algorithmOf(algorithm);
    if (length > native.hkdfLengthMax(id)) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    super(mode, Providers.DERIVEBITSREQUEST, () => derived(length, () => native.hkdf(id, bytesOf(key), salt, info, length)));
  }
}

class ScryptJob extends CryptoJob {
  constructor(mode, password, salt, cost, blockSize, parallelization, memoryMax, length) {
    const refusal = native.checkScrypt(cost, blockSize, parallelization, memoryMax);
    if (refusal !== 0) {
      const cause = refusal === 2 ? ': error:030000AC:digital envelope routines::memory limit exceeded' : '';
      throw coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', `Invalid scrypt params${cause}`);
    }
    super(mode, Providers.SCRYPTREQUEST,
          () => native.scrypt(cost, blockSize, parallelization, memoryMax, bytesOf(password), salt, length));
  }
}

class SecretKeyGenJob extends CryptoJob {
  constructor(mode, bits, algorithm, usagesMask, extractable) {
    super(mode, Providers.KEYGENREQUEST, () => {
      const bytes = new Uint8Array(bits >>> 3);
      if (!native.fillRandom(bytes, 0, bytes.byteLength)) {
        throw coded(Error, 'ERR_CRYPTO_OPERATION_FAILED', 'Random bytes are not available');
      }
      const handle = new KeyObjectHandle();
      handle.init(kKeyTypeSecret, bytes);
      return mode === kCryptoJobWebCrypto ? new InternalCryptoKey(handle, algorithm, usagesMask, extractable) : handle;
    });
  }
}

function oneShotDigest(algorithm, id, cache, input, outputEncoding, encodingId, length) {
  const known = id >= 0 ? id : native.find(algorithm);
  if (known < 0) throw new Error(`Digest method ${algorithm} is not supported`);
  if (length !== undefined && length !== native.digestLength(known) && !native.isExtendable(known)) {
    throw new Error(`Output length ${length} is invalid for ${algorithm}, which does not support XOF`);
  }
  return encode(native.hash(known, input, outputLength(known, length)), outputEncoding);
}

function timingSafeEqual(left, right) {
  for (const [name, value] of [['buf1', left], ['buf2', right]]) {
    if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer) && !(value instanceof SharedArrayBuffer)) {
      throw coded(TypeError, 'ERR_INVALID_ARG_TYPE',
                  `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
    }
  }
  if (left.byteLength !== right.byteLength) {
    throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  return native.isEqual(left, right);
}

const aliases = {};
for (const name of HASHES) {
  if (!/^(id-|md5With|sha\d.*With|ripemd160With|sm3With)/.test(name)) aliases[name] = native.find(name);
}

Object.assign(binding, {
  Hash, Hmac, KeyObjectHandle, RandomBytesJob, HashJob, HmacJob, PBKDF2Job, HKDFJob, ScryptJob, SecretKeyGenJob,
  oneShotDigest, timingSafeEqual,
  getHashes: () => [...HASHES],
  getCachedAliases: () => aliases,
  getCiphers: () => [],
  getSSLCiphers: () => [],
  getCurves: () => [],
  getFipsCrypto: () => 0,
  testFipsCrypto: () => false,
  secureHeapUsed: () => undefined,
  secureBuffer: (length) => new Uint8Array(length),
  getOpenSSLSecLevelCrypto: () => 2,
  createNativeKeyObjectClass: (create) => create(NativeKeyObject),
  getKeyObjectSlots(key) {
    const handle = keyObjectHandle(key);
    if (handle === undefined) throw illegal('KeyObject');
    return [handle.getKeyType(), handle];
  },
  createCryptoKeyClass(create) {
    const classes = create(NativeCryptoKey);
    InternalCryptoKey = classes[1];
    return classes;
  },
  getCryptoKeySlots(key) {
    const slots = cryptoKeySlots(key);
    if (slots === undefined) throw illegal('CryptoKey');
    return slots;
  },
});
