// Preloaded with --import: writes the URL of every module that was resolved and of every script that was compiled, and the path of
// every WebAssembly module that was read, one a line, to the file that TK_LOADED_MODULES names.
import { appendFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';

const record = (line) => appendFileSync(process.env.TK_LOADED_MODULES, `${line}\n`);

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    record(resolved.url);
    return resolved;
  },
});

const { Script } = vm;
vm.Script = class extends Script {
  constructor(code, options) {
    record(pathToFileURL(options.filename).href);
    super(code, options);
  }
};

const { readFile } = files;
files.readFile = (path, ...rest) => {
  if (/\.wasm(?:\.br)?$/.test(String(path))) record(String(path));
  return readFile(path, ...rest);
};
syncBuiltinESMExports();
