import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

/** A snapshot that etcd 3.7.0 made of a store with one key, `/registry/namespaces/default`; gzip, base64. */
const recorded = [
  'H4sICICdAWsCA3NuYXAuZGIA7dzPa9NgGAfwJm3VlaHzIgqK8wUvWvor7dL2IFJ/IXiqTFBXa9a83cLSpiRpdXZDxP/Av0A8iQfx4knRS1HwJt5E2dFd+g94',
  'UN/YtzUJblF0c7jvB94mT/Pmx5s3FJ6H0FBoIMKX/ffjfdFZmfB+P/SVi/J4F1++uRJbOX69VA0BAAAAAAAAwJYj/GH+v5Mvj65WHn5ZmunhjgIAAAAAAABs',
  'PeJoGRvVA+6z5uT3kzx+yusAp3ncZ23MtX2H4I0PC4O6wDCeYh9hV3xe8B7/Gu9/j8ef2Mce9/HFwfmfsKboitkIGozStufX7iOM1p0ax3ho8BKDs0+ZdjRL',
  'M5p8s/D9O0On1q+ccNqiZmDHmt62bGoGdVugi0FddKpYNKhTgzZm170q771wWpk1Ka/U5Lxcl+WsqmZorUs0lRSzqbwky+lsLlWQc4WpXEHKxEmLUnO6fMEi',
  'xatk3rZbxWQynZETqYQsJ9LFdEbKp0glTppKg5IiUWldaes2WeYXVjVpw+hQNXgctrJ2n/BoPcWfTInHM3xQw7dUVP4kO3HNaNYv2opNu6RjsDlxhvCTIbKL',
  'Z7NrVNn97rAh1BXdostsX0tjE9m0q1pTpTeHDww7zPDhFPDbAgAAAAAAW0t4A/P/Uzy+7Mv/dV/+f4f3f8ZjSfTm/2We/7/bBvm/9+J285ngu11iZ2CXJyVY',
  'gv0PSwTdzSgRxElN11iCve6ecoFU/m4t4cf7Lid9tQTdV0uwXfPjuLGxtYWIZRumMkfdz4Cr3CDipwwAAAAAAAJENjH/b/H4uS//f+vL/+/68v8HyP9/M//3',
  'HmUva0nX5tGfNMQOJk06x5JNczHppN9WS6lRK8lT8AlxvzgpHBuztEZbZ7msinrCf1RPiKKeAAAAAACw3byO3up9/njuSGZhtvRYuL164tCjDy/PrFRK+w68',
  'eNU7u/QNAfFZtCBQAAA=',
].join('');

let snapshot: Buffer | undefined;

/**
 * As etcd sends it: a bolt database with its SHA-256 behind it. The simulation keeps its objects elsewhere, so this is a real
 * snapshot of another, nearly empty store: whole, and good for every check that needs no knowledge of the cluster.
 */
export function etcdSnapshot(): Buffer {
  snapshot ??= gunzipSync(Buffer.from(recorded, 'base64'));
  return snapshot;
}

/** Source: etcd server/etcdserver/api/v3rpc/maintenance.go: the database is a multiple of 512 bytes, the digest follows. */
export function isWholeSnapshot(bytes: Buffer): boolean {
  const database = bytes.subarray(0, -32);
  return database.length > 0 && database.length % 512 === 0 && createHash('sha256').update(database).digest().equals(bytes.subarray(-32));
}
