// Prints what Node's builtins export, by module: `node builtin_names.mjs > ../src/builtin_names.txt`.
import { builtinModules } from "node:module";

process.removeAllListeners("warning");
const names = new Map();
for (const id of builtinModules) {
  const name = id.replace(/^node:/, "");
  // What `process` has differs from process to process.
  if (name.startsWith("_") || name === "process") continue;
  names.set(name, Object.keys(await import(id)).filter((exported) => exported !== "default"));
}
for (const name of [...names.keys()].sort()) console.log(`${name}: ${names.get(name).sort().join(" ")}`);
