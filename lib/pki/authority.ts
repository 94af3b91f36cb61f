import { Buffer } from 'node:buffer';
import { type KeyObject, sign } from 'node:crypto';
import { type KeyKind, type Secret, TkError, type World } from '../base/index.ts';
import { addressBytes } from './address.ts';
import { type CertificateFacts, parseCertificate } from './certificate.ts';
import {
  bitString,
  boolean,
  directoryString,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  readElements,
  sequence,
  setOf,
  time,
  tlv,
} from './der.ts';
import { pkiFailure } from './failures.ts';
import { keyOfDer, kindOf, loadPrivateKey, spkiOf, talosKeyPem } from './keys.ts';
import { renderPem } from './pem.ts';

/** PEM texts; the key under the label that Talos writes. */
export interface PemPair {
  readonly certificate: string;
  readonly key: Secret<string>;
}

export type ExtendedKeyUsage = 'serverAuth' | 'clientAuth';
export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'certSign';

export interface AuthorityOptions {
  readonly kind: KeyKind;
  /** Absent: an empty subject, as the aggregator's authority has. */
  readonly organization?: string;
  /** Ten years unless told. */
  readonly validityMs?: number;
}

export interface LeafOptions {
  readonly organizations?: readonly string[];
  readonly commonName?: string;
  /** `digitalSignature` unless told. */
  readonly keyUsages?: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly validityMs: number;
  /** Time before now from which it is valid: 10 s for kubeconfig certificates. */
  readonly backdateMs?: number;
}

export interface SigningOptions {
  /** Taken from the request unless told. */
  readonly organizations?: readonly string[];
  readonly keyUsages?: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly validityMs: number;
}

type PkiWorld = Pick<World, 'random' | 'clock'>;

export const hours = (count: number): number => count * 3_600_000;
/** Source: pkg/machinery/config/generate/secrets/secrets.go */
export const authorityValidityMs = hours(87_600);
/** Source: pkg/machinery/constants TalosAPIDefaultCertificateValidityDuration */
export const adminValidityMs = hours(24 * 365);

/**
 * A self-signed authority with upstream's shape: random 128-bit serial, random 20-byte subject key id, certSign and
 * digitalSignature, serverAuth and clientAuth, no authority key id.
 *
 * Source: siderolabs/crypto x509/certificate_authority.go
 */
export async function createCertificateAuthority(world: PkiWorld, options: AuthorityOptions): Promise<PemPair> {
  const pkcs8 = await world.random.privateKey(options.kind);
  const key = keyOfDer(pkcs8);
  const name = distinguishedName(options.organization === undefined ? [] : [options.organization]);
  const now = world.clock.now();
  const certificate = signedCertificate({
    serial: world.random.bytes(16),
    issuer: name,
    subject: name,
    notBeforeMs: now,
    notAfterMs: now + (options.validityMs ?? authorityValidityMs),
    spki: spkiOf(key),
    signer: key,
    extensions: [
      keyUsageExtension(['certSign', 'digitalSignature']),
      extendedKeyUsageExtension(['serverAuth', 'clientAuth']),
      extension('2.5.29.19', true, sequence(boolean(true))),
      extension('2.5.29.14', false, octetString(world.random.bytes(20))),
    ],
  });
  return { certificate, key: talosKeyPem(pkcs8) };
}

/**
 * A leaf of an authority with a new key of the authority's own kind.
 *
 * Failure: `pki/malformed`, `pki/key-mismatch` when the authority's certificate and key do not belong together.
 */
export async function issue(world: PkiWorld, ca: PemPair, options: LeafOptions): Promise<PemPair> {
  const signer = signerOf(ca);
  const pkcs8 = await world.random.privateKey(kindOf(signer.key));
  const notBeforeMs = world.clock.now() - (options.backdateMs ?? 0);
  const certificate = leafCertificate(world, signer, {
    subject: distinguishedName(options.organizations ?? [], options.commonName),
    spki: spkiOf(keyOfDer(pkcs8)),
    notBeforeMs,
    notAfterMs: world.clock.now() + options.validityMs,
    keyUsages: options.keyUsages ?? ['digitalSignature'],
    extendedKeyUsages: options.extendedKeyUsages,
    dnsNames: options.dnsNames ?? [],
    ipAddresses: options.ipAddresses ?? [],
  });
  return { certificate, key: talosKeyPem(pkcs8) };
}

interface Signer {
  readonly facts: CertificateFacts;
  readonly key: KeyObject;
}

function signerOf(ca: PemPair): Signer {
  const facts = parseCertificate(ca.certificate);
  const key = loadPrivateKey(ca.key);
  if (!Buffer.from(spkiOf(facts.publicKey)).equals(spkiOf(key)))
    throw new TkError(pkiFailure('pki/key-mismatch', { what: 'certificate authority' }));
  return { facts, key };
}

interface LeafFields {
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly keyUsages: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

function leafCertificate(world: PkiWorld, signer: Signer, leaf: LeafFields): string {
  const authorityKeyId = signer.facts.subjectKeyId;
  const emptySubject = readElements(leaf.subject)[0]?.content.length === 0;
  // Go leaves the authority key id out where the names are equal, as both empty ones of the aggregator's authority are.
  const selfNamed = Buffer.from(leaf.subject).equals(signer.facts.subject);
  return signedCertificate({
    serial: world.random.bytes(16),
    issuer: signer.facts.subject,
    subject: leaf.subject,
    notBeforeMs: leaf.notBeforeMs,
    notAfterMs: leaf.notAfterMs,
    spki: leaf.spki,
    signer: signer.key,
    extensions: [
      keyUsageExtension(leaf.keyUsages),
      ...(leaf.extendedKeyUsages.length > 0 ? [extendedKeyUsageExtension(leaf.extendedKeyUsages)] : []),
      ...(authorityKeyId && !selfNamed ? [extension('2.5.29.35', false, sequence(implicit(0, authorityKeyId)))] : []),
      ...alternativeNames(leaf.dnsNames, leaf.ipAddresses, emptySubject),
    ],
  });
}

interface CertificateFields {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly spki: Uint8Array;
  readonly signer: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

function signedCertificate(fields: CertificateFields): string {
  const algorithm = signatureAlgorithm(fields.signer);
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(fields.serial),
    algorithm,
    fields.issuer,
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    fields.subject,
    fields.spki,
    explicit(3, sequence(...fields.extensions)),
  );
  return renderPem('CERTIFICATE', sequence(body, algorithm, bitString(signatureOver(body, fields.signer))));
}

function signatureAlgorithm(key: KeyObject): Buffer {
  switch (kindOf(key)) {
    case 'ed25519':
      return sequence(objectIdentifier('1.3.101.112'));
    case 'p256':
      return sequence(objectIdentifier('1.2.840.10045.4.3.2'));
    case 'rsa4096':
      return sequence(objectIdentifier('1.2.840.113549.1.1.11'), tlv(0x05));
  }
}

const signatures = new WeakMap<KeyObject, Map<string, Buffer>>();

/** The same key signs the same words the same way, as Ed25519 does by itself. */
function signatureOver(body: Uint8Array, key: KeyObject): Buffer {
  let known = signatures.get(key);
  if (!known || known.size > 100) signatures.set(key, (known = new Map()));
  const words = Buffer.from(body).toString('latin1');
  let signature = known.get(words);
  if (!signature) known.set(words, (signature = sign(kindOf(key) === 'ed25519' ? null : 'sha256', body, key)));
  return signature;
}

/** Organizations share one set, as Go writes them; the common name follows. */
function distinguishedName(organizations: readonly string[], commonName?: string): Buffer {
  const attribute = (oid: string, value: string) => sequence(objectIdentifier(oid), directoryString(value));
  return sequence(
    ...(organizations.length > 0 ? [setOf(...organizations.map((organization) => attribute('2.5.4.10', organization)))] : []),
    ...(commonName ? [setOf(attribute('2.5.4.3', commonName))] : []),
  );
}

function extension(oid: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

const usageBits: Readonly<Record<KeyUsage, number>> = { digitalSignature: 0, keyEncipherment: 2, certSign: 5 };
const extendedUsages: Readonly<Record<ExtendedKeyUsage, string>> = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' };

function keyUsageExtension(usages: readonly KeyUsage[]): Buffer {
  const octet = usages.reduce((bits, usage) => bits | (0x80 >> usageBits[usage]), 0);
  return extension('2.5.29.15', true, bitString(Buffer.from([octet]), 7 - Math.max(...usages.map((usage) => usageBits[usage]))));
}

function extendedKeyUsageExtension(usages: readonly ExtendedKeyUsage[]): Buffer {
  return extension('2.5.29.37', false, sequence(...usages.map((usage) => objectIdentifier(extendedUsages[usage]))));
}

/** At most one extension. Go marks it critical where the subject is empty. */
function alternativeNames(dnsNames: readonly string[], ipAddresses: readonly string[], critical: boolean): Buffer[] {
  if (dnsNames.length === 0 && ipAddresses.length === 0) return [];
  return [
    extension(
      '2.5.29.17',
      critical,
      sequence(
        ...dnsNames.map((name) => implicit(2, Buffer.from(name))),
        ...ipAddresses.map((address) => implicit(7, addressBytes(address))),
      ),
    ),
  ];
}
