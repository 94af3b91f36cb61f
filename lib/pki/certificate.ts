import { Buffer } from 'node:buffer';
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { ipv6Text, remembered, TkError } from '../base/index.ts';
import { type Element, readElements, readObjectIdentifier, readTime } from './der.ts';
import { pkiFailure } from './failures.ts';
import { fingerprintOf } from './keys.ts';
import { parsePem } from './pem.ts';

/** What a certificate says. Times are milliseconds since the epoch. */
export interface CertificateFacts {
  readonly organizations: readonly string[];
  /** Empty when there is none. */
  readonly commonName: string;
  /** DER of the subject and issuer names, to compare or to issue with. */
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isCa: boolean;
  /** In the order of the certificate: `digitalSignature`, `keyEncipherment`, `certSign`. */
  readonly keyUsages: readonly string[];
  /** `serverAuth`, `clientAuth`, or the dotted identifier. */
  readonly extendedKeyUsages: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly subjectKeyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  readonly publicKey: KeyObject;
  /** base64(SHA-256(SubjectPublicKeyInfo)). */
  readonly spkiSha256: string;
}

const usageNames = ['digitalSignature', 'contentCommitment', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'certSign', 'crlSign'];
const extendedUsageNames: Readonly<Record<string, string>> = { '1.3.6.1.5.5.7.3.1': 'serverAuth', '1.3.6.1.5.5.7.3.2': 'clientAuth' };

/** The few certificates of a cluster are looked at on every connection. */
const remembers = 2000;

/** Failure: `pki/malformed`. */
export const parseCertificate = remembered((pem: string): CertificateFacts => certificateFacts(parsePem(pem, 'certificate').der), {
  keyOf: (pem) => pem,
  limit: remembers,
});

/** base64(SHA-256(SubjectPublicKeyInfo)) of a certificate in PEM. */
export function spkiSha256(pem: string): string {
  return parseCertificate(pem).spkiSha256;
}

/** Whether the first certificate was signed by the second one's key. Times are not looked at. */
export const isIssuedBy = remembered(
  (certificatePem: string, caPem: string): boolean => {
    try {
      const certificate = new X509Certificate(certificatePem);
      const ca = new X509Certificate(caPem);
      return certificate.verify(ca.publicKey);
    } catch {
      return false;
    }
  },
  { keyOf: (certificatePem, caPem) => `${certificatePem}\0${caPem}`, limit: remembers },
);

export function certificateFacts(der: Uint8Array): CertificateFacts {
  const [certificate] = readElements(der);
  const [tbs] = certificate ? readElements(certificate.content) : [];
  let fields = tbs ? readElements(tbs.content) : [];
  if (fields[0]?.tag === 0xa0) fields = fields.slice(1);
  const [serial, , issuer, validity, subject, spki, ...rest] = fields;
  const [notBefore, notAfter] = validity ? readElements(validity.content) : [];
  if (!serial || !issuer || !subject || !spki || !notBefore || !notAfter) {
    throw new TkError(pkiFailure('pki/malformed', { what: 'certificate', reason: 'not an X.509 certificate' }));
  }
  const extensions = readExtensions(rest.find((element) => element.tag === 0xa3));
  const names = readNames(subject);
  return {
    organizations: names.filter(([oid]) => oid === '2.5.4.10').map(([, value]) => value),
    commonName: names.findLast(([oid]) => oid === '2.5.4.3')?.[1] ?? '',
    subject: subject.whole,
    issuer: issuer.whole,
    serialHex: Buffer.from(serial.content).toString('hex'),
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
    isCa: readElements(readElements(extensions.get('2.5.29.19') ?? new Uint8Array())[0]?.content ?? new Uint8Array())[0]?.tag === 0x01,
    keyUsages: readKeyUsages(extensions.get('2.5.29.15')),
    extendedKeyUsages: readElements(readElements(extensions.get('2.5.29.37') ?? new Uint8Array())[0]?.content ?? new Uint8Array()).map(
      (element) => {
        const oid = readObjectIdentifier(element.content);
        return extendedUsageNames[oid] ?? oid;
      },
    ),
    ...readAlternativeNames(extensions.get('2.5.29.17')),
    ...keyId('subjectKeyId', extensions.get('2.5.29.14'), (element) => element.content),
    ...keyId(
      'authorityKeyId',
      extensions.get('2.5.29.35'),
      (element) => readElements(element.content).find((part) => part.tag === 0x80)?.content,
    ),
    publicKey: publicKeyOf(spki),
    spkiSha256: fingerprintOf(spki.whole),
  };
}

function publicKeyOf(spki: Element): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki.whole), format: 'der', type: 'spki' });
  } catch {
    throw new TkError(pkiFailure('pki/malformed', { what: 'certificate', reason: 'unreadable public key' }));
  }
}

function keyId<N extends string>(
  name: N,
  extension: Uint8Array | undefined,
  read: (element: Element) => Uint8Array | undefined,
): { [K in N]?: Uint8Array } {
  const [element] = readElements(extension ?? new Uint8Array());
  const value = element && read(element);
  return (value ? { [name]: value } : {}) as { [K in N]?: Uint8Array };
}

/** Identifier to the content of its OCTET STRING. Also reads the extensions of a signing request. */
export function readExtensions(wrapped: Element | undefined): Map<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  const [list] = wrapped ? readElements(wrapped.content) : [];
  for (const extension of list ? readElements(list.content) : []) {
    const parts = readElements(extension.content);
    const oid = parts[0];
    const value = parts.at(-1);
    if (oid && value) extensions.set(readObjectIdentifier(oid.content), value.content);
  }
  return extensions;
}

function readNames(name: Element): [string, string][] {
  return readElements(name.content).flatMap((set) =>
    readElements(set.content).flatMap((attribute): [string, string][] => {
      const [oid, value] = readElements(attribute.content);
      return oid && value ? [[readObjectIdentifier(oid.content), Buffer.from(value.content).toString('utf8')]] : [];
    }),
  );
}

function readKeyUsages(extension: Uint8Array | undefined): string[] {
  const [bits] = readElements(extension ?? new Uint8Array());
  if (!bits) return [];
  return usageNames.filter((_, index) => ((bits.content[1 + (index >> 3)] ?? 0) & (0x80 >> (index & 7))) !== 0);
}

export function readAlternativeNames(extension: Uint8Array | undefined): { dnsNames: string[]; ipAddresses: string[] } {
  const [list] = readElements(extension ?? new Uint8Array());
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  for (const name of list ? readElements(list.content) : []) {
    if (name.tag === 0x82) dnsNames.push(Buffer.from(name.content).toString('latin1'));
    if (name.tag === 0x87) ipAddresses.push(renderAddress(name.content));
  }
  return { dnsNames, ipAddresses };
}

function renderAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0)).toString(16));
  return ipv6Text(groups);
}
