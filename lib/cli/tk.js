#!/usr/bin/env node
// Plain JavaScript that any Node can read: it only looks whether this Node is new enough, and says what to do when it is not.
var found = process.versions.node.split('.').map(Number);
if (found[0] < 22 || (found[0] === 22 && found[1] < 18)) {
  process.stderr.write(
    'tk needs Node 22.18 or later and found ' +
      process.versions.node +
      '; this line works: npx -p node@24 -p talos-tk tk ' +
      process.argv.slice(2).join(' ') +
      '\n',
  );
  process.exit(2);
}
var module = process.getBuiltinModule('module');
module.enableCompileCache();
import('../../dist/load.js')
  .then(function (loader) {
    // Undefined where the user has turned Node's own cache off.
    return loader.run(module.getCompileCacheDir());
  })
  .then(undefined, function (error) {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND' && /dist.load\.js/.test(String(error.message))) {
      process.stderr.write('tk is not built in this checkout; run: npm ci\n');
      process.exit(2);
    }
    throw error;
  });
