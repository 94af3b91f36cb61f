// Records what openssl reads in our certificates: node test/oracle/pki/record.ts
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { everyCertificate } from './fixed.ts';

const folder = join(import.meta.dirname, '../../conformance/pki');
const keyFile = join(folder, 'keys.json');
if (!existsSync(keyFile)) {
  const pem = (key: { export(options: { format: 'pem'; type: 'pkcs8' }): string | Buffer }) =>
    String(key.export({ format: 'pem', type: 'pkcs8' }));
  const keys = {
    ed25519: pem(generateKeyPairSync('ed25519').privateKey),
    p256: pem(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey),
    rsa4096: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  };
  writeFileSync(keyFile, `${JSON.stringify(keys, null, 2)}\n`);
}
const work = mkdtempSync(join(tmpdir(), 'tk-pki-'));
const recorded: Record<string, { certificate: string; text: string; verified: string }> = {};
const certificates = await everyCertificate(JSON.parse(readFileSync(keyFile, 'utf8')));
const authorities: Record<string, string> = { admin: 'os', node: 'os', kubeconfig: 'kubernetes', namesOnly: 'kubernetes', umlaut: 'rsa' };
for (const [name, { certificate }] of Object.entries(certificates)) {
  writeFileSync(join(work, `${name}.crt`), certificate);
  const text = execFileSync('openssl', ['x509', '-in', join(work, `${name}.crt`), '-noout', '-text', '-nameopt', 'RFC2253']).toString();
  const at = String(Date.UTC(2026, 10, 21, 12, 30, 0) / 1000);
  const verified = execFileSync(
    'openssl',
    ['verify', '-attime', at, '-CAfile', join(work, `${authorities[name] ?? name}.crt`), join(work, `${name}.crt`)].filter(
      (word) => word !== '-x509_strict',
    ),
  ).toString();
  recorded[name] = { certificate, text: text.replace(/^\s+Signature Value:[\s\S]*/m, ''), verified: verified.replace(/^.*\//, '').trim() };
}
rmSync(work, { recursive: true });
writeFileSync(join(folder, 'openssl.json'), `${JSON.stringify(recorded, null, 2)}\n`);
