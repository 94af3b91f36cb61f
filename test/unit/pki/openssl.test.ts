import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCertificate } from '../../../lib/pki/index.ts';
import { everyCertificate } from '../../oracle/pki/fixed.ts';

const folder = new URL('../../conformance/pki/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const recorded: Record<string, { certificate: string; text: string; verified: string }> = read('openssl.json');

/** Everything but the ECDSA signature, which is never the same twice. */
const withoutSignature = (pem: string) => {
  const der = Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ''), 'base64');
  const bodyLength = der.readUInt16BE(6) + 4;
  return der.subarray(4, 4 + bodyLength).toString('base64');
};

test('the certificates we make today are those that openssl read and verified', async () => {
  const now = await everyCertificate(read('keys.json'));
  expect(Object.keys(now).toSorted()).toEqual(Object.keys(recorded).toSorted());
  for (const [name, { certificate }] of Object.entries(now)) {
    const record = recorded[name];
    expect([name, withoutSignature(certificate)]).toEqual([name, withoutSignature(record?.certificate ?? '')]);
    expect(record?.verified).toBe(`${name}.crt: OK`);
  }
});

test('our reader sees in them what openssl saw', () => {
  for (const [name, { certificate, text }] of Object.entries(recorded)) {
    const facts = parseCertificate(certificate);
    const line = (after: string) => new RegExp(`${after}[^\\n]*\\n\\s*([^\\n]*)`).exec(text)?.[1]?.trim() ?? '';
    const usages = { 'Digital Signature': 'digitalSignature', 'Key Encipherment': 'keyEncipherment', 'Certificate Sign': 'certSign' };
    const extended = { 'TLS Web Server Authentication': 'serverAuth', 'TLS Web Client Authentication': 'clientAuth' };
    const mapped = (names: string, table: Record<string, string>) => names.split(', ').map((one) => table[one] ?? one);
    expect([name, facts.keyUsages]).toEqual([name, mapped(line('X509v3 Key Usage'), usages)]);
    expect([name, facts.extendedKeyUsages]).toEqual([name, mapped(line('X509v3 Extended Key Usage'), extended)]);
    expect([name, facts.isCa]).toEqual([name, text.includes('CA:TRUE')]);
    expect(facts.dnsNames.length + facts.ipAddresses.length).toBe((text.match(/DNS:|IP Address:/g) ?? []).length);
    expect(text).toContain(facts.commonName);
    expect(new Date(facts.notAfterMs).getUTCFullYear()).toBe(Number(/Not After : \S+ +\S+ \S+ (\d{4})/.exec(text)?.[1]));
  }
});
