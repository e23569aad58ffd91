// Runs a bundle under plain Node as the engine would: `node drive.cjs SCRIPT [--count] [--module] [ARGS]`.
// With --count the number of places where the program could have been suspended goes to stderr; with --module the entry
// is an ES module, which runs in a promise job.
// What the program reads below /app comes from the folder `files` beside the script, which holds the bundle's assets.
const vm = require("node:vm");
const fs = require("node:fs");
const path = require("node:path");
const { fileURLToPath } = require("node:url");

const [script, ...args] = process.argv.slice(2);
const counts = args[0] === "--count" && args.shift();
const isModule = args[0] === "--module" && args.shift();
const files = path.join(path.dirname(script), "files");
process.argv = [process.argv[0], script, ...args];

function onHost(file) {
  const name = file instanceof URL ? fileURLToPath(file) : file;
  return typeof name === "string" && (name === "/app" || name.startsWith("/app/")) ? files + name.slice(4) : file;
}
for (const name of ["readFileSync", "existsSync", "statSync", "readdirSync", "openSync", "createReadStream", "readFile", "stat"]) {
  const original = fs[name];
  fs[name] = (file, ...rest) => original(onHost(file), ...rest);
}
for (const name of ["readFile", "stat", "readdir"]) {
  const original = fs.promises[name];
  fs.promises[name] = (file, ...rest) => original(onHost(file), ...rest);
}

const modules = path.join(__dirname, "../../engine/js/modules.js");
const makeModules = vm.runInThisContext(fs.readFileSync(modules, "utf8"), { filename: modules });
const main = vm.runInThisContext(fs.readFileSync(script, "utf8"), { filename: script });
const running = main.call(undefined, makeModules({ require }));
let steps = 0;

function advance(method, value) {
  for (let step = running[method](value); !step.done; step = running.next()) {
    steps += 1;
    if (step.value !== undefined) {
      Promise.resolve(step.value[0]).then((value) => advance("next", value), (error) => advance("throw", error));
      return;
    }
  }
}
if (counts) process.on("exit", () => console.error(`\n${steps} steps`));
if (isModule) queueMicrotask(() => advance("next"));
else advance("next");
