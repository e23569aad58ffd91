'use strict';
// The user as an object, its texts as buffers where they are asked for as such.
const { NumberParseInt, globalThis } = primordials;

binding.getUserInfo = function getUserInfo(options, context) {
  const fields = native.user(context);
  if (fields === undefined) return undefined;
  const text = options?.encoding === 'buffer' ? (value) => globalThis.Buffer.from(value) : (value) => value;
  const [name, uid, gid, shell, home] = fields;
  return {
    __proto__: null,
    uid: NumberParseInt(uid, 10),
    gid: NumberParseInt(gid, 10),
    username: text(name),
    homedir: text(home),
    shell: text(shell),
  };
};
