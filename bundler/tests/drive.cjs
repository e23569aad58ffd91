// Runs a bundle under plain Node as the engine would: `node drive.cjs SCRIPT [--count] [ARGS]`.
// With --count the number of places where the program could have been suspended goes to stderr.
const vm = require("node:vm");
const fs = require("node:fs");

const [script, ...args] = process.argv.slice(2);
const counts = args[0] === "--count" && args.shift();
process.argv = [process.argv[0], script, ...args];
const main = vm.runInThisContext(fs.readFileSync(script, "utf8"), { filename: script });
const running = main.call(undefined, { require });
let steps = 0;

function advance(method, value) {
  for (let step = running[method](value); !step.done; step = running.next()) {
    steps += 1;
    if (step.value !== undefined) {
      Promise.resolve(step.value.await).then((value) => advance("next", value), (error) => advance("throw", error));
      return;
    }
  }
  if (counts) process.on("exit", () => console.error(`\n${steps} steps`));
}
advance("next");
