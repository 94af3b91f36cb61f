// Records what Go's YAML readers make of plain scalars: yaml.v3 through sops, sigs.k8s.io/yaml through helm.
// Usage: node test/oracle/yaml-scalars.mjs   (sops, age-keygen and helm on PATH)
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const scalars = [
  '~', 'null', 'Null', 'NULL', 'nULL', 'true', 'True', 'TRUE', 'tRUE', 'false', 'False', 'FALSE', 'y', 'Y', 'yes', 'Yes', 'YES', 'yES', 'n', 'N', 'no', 'No',
  'NO', 'on', 'On', 'ON', 'off', 'Off', 'OFF', 'oFF', 'nil', 'none', '.nan', '.NaN', '.inf', '-.inf', '+.inf', '.Inf', 'inf', 'nan', '=', '<', '<<<',
  '0', '1', '-1', '+1', '00', '01', '07', '08', '09', '010', '0644', '0755', '0o644', '0O644', '-0644', '+0644', '0o9', '0o', '-0o17', '0x', '0x1F', '0X1f', '-0x1F', '+0x1F',
  '0xG', '0b101', '0B101', '-0b101', '0b2', '1_000', '1__000', '_1', '1_', '0_7', '0x_1', '1,000', '12:30', '1:30:00', '190:20:30', '1e3', '1E3', '1e+3', '1e-3', '1e', 'e3', '.5',
  '5.', '.', '..', '-.5', '+.5', '-5.', '1.5', '1.', '1_0.5', '.5_5', '1.5e3', '1.e3', '.e3', '1.5.2', '1e400', '-1e400', '0.1', '00.5', '-0', '-0.0', '0e0', '0x1p3', '0x1.8p1',
  '9007199254740991', '9007199254740993', '-9007199254740993', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809',
  '18446744073709551615', '18446744073709551616', '99999999999999999999999', '0xFFFFFFFFFFFFFFFF', '0777777777777777777777', '1.14', '1.10', 'v1.14', '1.14.1', '--',
  '192.168.42.10', '02:00:00:00:42:10', '10.0.0.0/8', '::1', 'fd00::1', '1a', 'a1', '0a', '+', '+a', '-a', '1-2', '1+2', '1 2', 'a b', '1Gi', '100m', '50%', '5s', '1h30m',
];
const unique = [...new Set(scalars)];
/** JSON has no word for these floats, and sops refuses integers of 64 bits without a sign: each is left out where it cannot be asked. */
const notJson = /^[-+]?\.?(?:inf|nan)$/i;
const unsigned = new Set(['9223372036854775808', '18446744073709551615', '0xFFFFFFFFFFFFFFFF', '0777777777777777777777']);

const folder = mkdtempSync(join(tmpdir(), 'yaml-scalars-'));
try {
  const values = join(folder, 'values.yaml');
  const ask = (texts, reader) => {
    writeFileSync(values, texts.map((text, index) => `k${index}: ${text}\n`).join(''));
    return write(texts, reader(values));
  };
  const askable = unique.filter((text) => !notJson.test(text) || /^(?:inf|nan)$/.test(text));
  writeFileSync('test/conformance/yaml-scalars/go.json', ask(askable.filter((text) => !unsigned.has(text)), bySops));
  writeFileSync('test/conformance/yaml-scalars/kubernetes.json', ask(askable, byHelm));
} finally {
  rmSync(folder, { recursive: true });
}

function bySops(values) {
  const key = join(folder, 'key');
  execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' });
  const recipient = execFileSync('age-keygen', ['-y', key], { encoding: 'utf8' }).trim();
  const options = ['--age', recipient, '--encrypted-regex', '^none$', '--input-type', 'yaml', '--output-type', 'json'];
  return execFileSync('sops', ['encrypt', ...options, values], { encoding: 'utf8', cwd: folder });
}

function byHelm(values) {
  const chart = join(folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'templates', 'values.yaml'), 'json: {{ .Values | toJson | quote }}\n');
  const rendered = execFileSync('helm', ['template', 'x', chart, '-f', values], { encoding: 'utf8' });
  return JSON.parse(rendered.slice(rendered.indexOf('json: ') + 6));
}

/** Numbers stay as they were written: JavaScript would round them. */
function write(texts, json) {
  const rows = texts.map((text, index) => {
    const found = new RegExp(`"k${index}":\\s*("(?:[^"\\\\]|\\\\.)*"|[^,}\\s]+)`).exec(json);
    return `  [${JSON.stringify(text)}, ${JSON.stringify(found?.[1] ?? 'null')}]`;
  });
  return `[\n${rows.join(',\n')}\n]\n`;
}
