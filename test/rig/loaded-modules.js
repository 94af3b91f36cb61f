// Preloaded with --import: writes the URL of every module that was resolved, one a line, to the file that TK_LOADED_MODULES names.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    appendFileSync(process.env.TK_LOADED_MODULES, `${resolved.url}\n`);
    return resolved;
  },
});
