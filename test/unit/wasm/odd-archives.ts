import { gzipSync } from 'node:zlib';
import { packTar } from '../../../lib/format/index.ts';

const blockBytes = 512;
const typeAt = 156;
const linkAt = 157;
const checksumAt = 148;

/** Type flags of a tar header. Source: POSIX.1-2017, pax, "ustar Interchange Format" */
const types = { 'hard link': '1', 'symbolic link': '2', 'character device': '3', 'block device': '4', pipe: '6' } as const;

/** A chart whose archive holds one entry, without content, of a kind that no packer of charts writes. */
export function oddArchive(type: keyof typeof types, chartYaml: string, path = 'web/templates/a.yaml', target = '/etc/passwd'): Uint8Array {
  const bytes = packTar([
    { path: 'web/Chart.yaml', content: chartYaml },
    { path, content: '' },
  ]);
  // One block of header and one of content come first.
  const header = bytes.subarray(2 * blockBytes, 3 * blockBytes);
  const text = Buffer.from(header.buffer, header.byteOffset, header.length);
  text.write(types[type], typeAt);
  text.write(target, linkAt);
  text.fill(' ', checksumAt, checksumAt + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  text.write(`${sum.toString(8).padStart(6, '0')}\0 `, checksumAt);
  return gzipSync(bytes);
}
