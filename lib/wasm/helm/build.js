// Compiles this folder to ../helm.wasm.br, with its checksums and the licences of what is linked in. Needs Go and the network; users need neither.
//
//   node lib/wasm/helm/build.js            writes the three files
//   node lib/wasm/helm/build.js --check    compiles and compares with the committed checksum, writes nothing
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { withSnapshot } from './snapshot.js';

const here = import.meta.dirname;
/** 64 KiB each: 1 GiB. A render of Cilium takes a quarter of it. */
const memoryPages = 16_384;
const go = (args, env = {}) =>
  execFileSync('go', args, { cwd: here, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, GOFLAGS: '-mod=readonly', ...env } });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const target = { GOOS: 'wasip1', GOARCH: 'wasm' };

const helm = go(['list', '-m', '-f', '{{.Version}}', 'helm.sh/helm/v4']).trim();
const folder = mkdtempSync(join(tmpdir(), 'helm-wasm-'));
try {
  const raw = join(folder, 'helm.wasm');
  const flags = `-s -w -buildid= -X helm.sh/helm/v4/internal/version.version=${helm}`;
  go(['build', '-trimpath', '-buildvcs=false', '-buildmode=c-shared', '-ldflags', flags, '-o', raw, '.'], target);
  const wasm = withSnapshot(readFileSync(raw), memoryPages);
  const sums = { helm, go: go(['env', 'GOVERSION']).trim(), sizeBytes: wasm.length, wasmSha256: sha256(wasm) };
  if (process.argv.includes('--check')) check(sums);
  else write(sums, wasm);
} finally {
  rmSync(folder, { recursive: true });
}

function check(sums) {
  const committed = JSON.parse(readFileSync(join(here, '../helm.wasm.json'), 'utf8'));
  const equal = committed.wasmSha256 === sums.wasmSha256;
  process.stdout.write(
    `${equal ? 'equal' : 'differs'}: ${sums.wasmSha256} by ${sums.go}, committed ${committed.wasmSha256} by ${committed.go}\n`,
  );
  process.exitCode = equal ? 0 : 6;
}

function write(sums, wasm) {
  const packed = brotliCompressSync(wasm, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length },
  });
  const facts = { ...sums, compressedBytes: packed.length, compressedSha256: sha256(packed) };
  writeFileSync(join(here, '../helm.wasm.br'), packed);
  writeFileSync(join(here, '../helm.wasm.json'), `${JSON.stringify(facts, null, 2)}\n`);
  writeFileSync(join(here, '../helm.wasm.licenses.txt'), licenses());
  process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
}

/** The licence texts of Go and of each module that the linker took something from. */
function licenses() {
  const linked = go(['list', '-deps', '-f', '{{with .Module}}{{.Path}} {{.Version}} {{.Dir}}{{end}}', '.'], target);
  const modules = [...new Set(linked.split('\n').filter((line) => line !== '' && !line.includes(here)))].sort();
  const notices = [['Go', go(['env', 'GOVERSION']).trim(), go(['env', 'GOROOT']).trim()], ...modules.map((line) => line.split(' '))];
  return [
    'helm.wasm.br contains compiled code of the following modules.\n',
    ...notices.map(([name, version, folder]) => {
      const files = existsSync(folder)
        ? readdirSync(folder)
            .filter((file) => /^(?:LICEN[CS]E|NOTICE|COPYING)/i.test(file))
            .sort()
        : [];
      if (files.length === 0) throw new Error(`${name} ${version} has no licence file`);
      const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
      return `${'='.repeat(80)}\n${name} ${version}\n${'='.repeat(80)}\n\n${texts.join('\n\n')}\n`;
    }),
  ].join('\n');
}
