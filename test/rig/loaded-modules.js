// Preloaded with --import: writes the URL of every module that was resolved, and the path of every WebAssembly module that was read,
// one a line, to the file that TK_LOADED_MODULES names.
import { appendFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { registerHooks, syncBuiltinESMExports } from 'node:module';

const record = (line) => appendFileSync(process.env.TK_LOADED_MODULES, `${line}\n`);

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    record(resolved.url);
    return resolved;
  },
});

const { readFile } = files;
files.readFile = (path, ...rest) => {
  if (/\.wasm(?:\.br)?$/.test(String(path))) record(String(path));
  return readFile(path, ...rest);
};
syncBuiltinESMExports();
