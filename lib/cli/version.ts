import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of this package; `dist/lib/cli` and `lib/cli` both lie below its root. */
export const version: string = readVersion();

function readVersion(): string {
  for (const up of ['../../..', '../..']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')) as {
        name?: string;
        version: string;
      };
      if (name === 'talos-tk') return found;
    } catch {
      // The other place then.
    }
  }
  throw new Error('the package.json of talos-tk is missing');
}
