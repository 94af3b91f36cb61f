import { checkPrimeSync, createPrivateKey } from 'node:crypto';

/** Odd primes below this sort out nineteen of twenty numbers before the real test. */
const sieveBelow = 20_000;
const publicExponent = 65_537n;
let smallPrimes: readonly number[] | undefined;

/**
 * An RSA key as Go's crypto/rsa makes it: two primes of half the size, 65537 as the public exponent.
 *
 * Shape: PEM in PKCS#1, `BEGIN RSA PRIVATE KEY`. `random` decides every bit: the same bytes give the same key, which the generator of
 * node:crypto cannot promise.
 */
export function rsaKeyPem(bits: number, random: (count: number) => Uint8Array): string {
  for (;;) {
    const [one, other] = [primeOf(bits / 2, random), primeOf(bits / 2, random)];
    if (one === other) continue;
    const [p, q] = one > other ? [one, other] : [other, one];
    const d = inverse(publicExponent, ((p - 1n) / commonDivisor(p - 1n, q - 1n)) * (q - 1n));
    const numbers = { n: p * q, e: publicExponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
    const key = { kty: 'RSA', ...Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, base64url(number)])) };
    return createPrivateKey({ format: 'jwk', key }).export({ type: 'pkcs1', format: 'pem' }).toString();
  }
}

/** Both upper bits are set, so that the product of two has exactly twice as many. */
function primeOf(bits: number, random: (count: number) => Uint8Array): bigint {
  smallPrimes ??= oddPrimesBelow(sieveBelow);
  for (;;) {
    const start = BigInt(`0x${Buffer.from(random(bits / 8)).toString('hex')}`) | (3n << BigInt(bits - 2)) | 1n;
    const rests = smallPrimes.map((prime) => Number(start % BigInt(prime)));
    for (let step = 0; step < sieveBelow; step += 2) {
      if (smallPrimes.some((prime, index) => ((rests[index] ?? 0) + step) % prime === 0)) continue;
      const candidate = start + BigInt(step);
      if (candidate >> BigInt(bits) !== 0n) break;
      if ((candidate - 1n) % publicExponent !== 0n && checkPrimeSync(candidate)) return candidate;
    }
  }
}

function oddPrimesBelow(limit: number): readonly number[] {
  const primes: number[] = [];
  for (let number = 3; number < limit; number += 2) {
    if (!primes.some((prime) => prime * prime <= number && number % prime === 0)) primes.push(number);
  }
  return primes;
}

const commonDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : commonDivisor(b, a % b));

/** The inverse of `value` modulo `modulus`, which have no common divisor. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next] = [modulus, value];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

function base64url(number: bigint): string {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
