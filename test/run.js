// What `npm test` runs: formatting, lint, types, then every test. Ends with one line that counts the tests.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules/.bin', name);
const run = (title, command, args) => {
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'ok' : 'FAILED'}  ${title}  ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return status === 0;
};

/** Beside the others: what it has to say comes in one piece. */
const check = (title, command, args) =>
  new Promise((resolve) => {
    const started = performance.now();
    let said = '';
    const child = spawn(command, args, { cwd: root });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
    child.on('close', (status) => {
      const ok = status === 0;
      process.stdout.write(`${ok ? '' : said}${ok ? 'ok' : 'FAILED'}  ${title}  ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
      resolve(ok);
    });
  });

const checks = await Promise.all([
  check('types', bin('tsc'), ['-p', root, '--declaration', '--checkers', '2']),
  // Whether the types hold, and can be declared, is told beside it.
  check('build', process.execPath, [join(root, 'lib/cli/build.js'), '--unchecked']),
  check('lint', bin('oxlint'), ['--deny-warnings']),
  check('format', bin('biome'), ['format', '.']),
]);

const reports = mkdtempSync(join(tmpdir(), 'tk-test-'));
const report = join(reports, 'vitest.json');
const filters = process.argv.slice(2);
const green = run('tests', bin('vitest'), ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`, ...filters]);

let passed = 0;
let failed = checks.filter((ok) => !ok).length;
passed += checks.length - failed;
try {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  passed += numPassedTests;
  failed += numFailedTests;
  // A file that could not be loaded has no tests to fail, and is a failure all the same.
  failed += testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  if (!green && failed === 0) failed += 1;
  const slowest = testResults
    .map(({ name, startTime, endTime }) => ({ name: relative(root, name), seconds: (endTime - startTime) / 1000 }))
    .sort((one, other) => other.seconds - one.seconds)
    .slice(0, 8);
  for (const { name, seconds } of slowest) process.stdout.write(`    ${seconds.toFixed(1).padStart(5)} s  ${name}\n`);
} catch {
  failed += 1;
}
rmSync(reports, { recursive: true, force: true });
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
