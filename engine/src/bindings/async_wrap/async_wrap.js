// Async ids, the stack of execution contexts and the hooks, as node's AsyncHooks class keeps them.
'use strict';

const { async_hook_fields: hookFields, async_id_fields: idFields, execution_async_resources: resources, constants } = binding;
const { kStackLength, kExecutionAsyncId, kTriggerAsyncId, kAsyncIdCounter, kDefaultTriggerAsyncId } = constants;
const providerNames = [];
for (const [name, id] of Object.entries(binding.Providers)) providerNames[id] = name;

// As in Environment's constructor: ids count from 1, and no default trigger is set.
idFields.fill(0);
idFields[kAsyncIdCounter] = 1;
idFields[kDefaultTriggerAsyncId] = -1;
hookFields[constants.kCheck] = 1;

let destroyed = [];

binding.hooks = undefined;
binding.providerName = (id) => providerNames[id];
binding.newAsyncId = () => ++idFields[kAsyncIdCounter];
binding.defaultTriggerAsyncId = () =>
  (idFields[kDefaultTriggerAsyncId] < 0 ? idFields[kExecutionAsyncId] : idFields[kDefaultTriggerAsyncId]);

binding.setupHooks = (hooks) => { binding.hooks = hooks; };
binding.setCallbackTrampoline = () => {};
binding.registerDestroyHook = () => {};
binding.executionAsyncResource = (index) => resources[index];

// The stack of ids starts small and doubles; node's own JavaScript writes to it directly while it fits.
function push(asyncId, triggerAsyncId, resource) {
  const offset = hookFields[kStackLength];
  if (offset * 2 >= binding.async_ids_stack.length) {
    const larger = new Float64Array(binding.async_ids_stack.length * 3);
    larger.set(binding.async_ids_stack);
    binding.async_ids_stack = larger;
  }
  binding.async_ids_stack[2 * offset] = idFields[kExecutionAsyncId];
  binding.async_ids_stack[2 * offset + 1] = idFields[kTriggerAsyncId];
  hookFields[kStackLength] = offset + 1;
  idFields[kExecutionAsyncId] = asyncId;
  idFields[kTriggerAsyncId] = triggerAsyncId;
  if (resource !== undefined) resources[offset] = resource;
}

function pop(asyncId) {
  const length = hookFields[kStackLength];
  if (length === 0) return false;
  const offset = length - 1;
  idFields[kExecutionAsyncId] = binding.async_ids_stack[2 * offset];
  idFields[kTriggerAsyncId] = binding.async_ids_stack[2 * offset + 1];
  hookFields[kStackLength] = offset;
  if (resources.length > offset) resources.length = offset;
  return offset > 0;
}

binding.push = push;
binding.pop = pop;
binding.pushAsyncContext = (asyncId, triggerAsyncId) => push(asyncId, triggerAsyncId, undefined);
binding.popAsyncContext = pop;
binding.clearAsyncIdStack = () => {
  idFields[kExecutionAsyncId] = 0;
  idFields[kTriggerAsyncId] = 0;
  hookFields[kStackLength] = 0;
  resources.length = 0;
};

binding.queueDestroyAsyncId = (asyncId) => {
  if (destroyed.push(asyncId) === 1) internalBinding('edge_loop').onClosing(emitDestroyed);
};

function emitDestroyed() {
  const batch = destroyed;
  destroyed = [];
  for (const asyncId of batch) binding.hooks.destroy(asyncId);
}

// Promise hooks: QuickJS tells of creation and settlement only, so before and after are not called.
let promiseHooks = [undefined, undefined, undefined, undefined];
binding.setPromiseHooks = (...hooks) => {
  promiseHooks = hooks;
  native.setPromiseHooks(hooks[0], hooks[3]);
};
binding.getPromiseHooks = () => promiseHooks;
