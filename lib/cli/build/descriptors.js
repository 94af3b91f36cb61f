import { createRequire } from 'node:module';
import { join } from 'node:path';

const lazy = join(import.meta.dirname, 'lazy-descriptors.js');

/** A plugin of the bundler: generated protobuf code, ours and the library's own, makes its descriptors with `lazy-descriptors.js`. */
export function lazyDescriptors(root) {
  const library = join(createRequire(join(root, 'package.json')).resolve('@bufbuild/protobuf'), '../../..');
  return {
    name: 'lazy-descriptors',
    resolveId(source, importer = '') {
      if (importer === lazy && source.startsWith('@bufbuild/protobuf/')) return join(library, source.replace('@bufbuild/protobuf/', ''));
      const isGenerated = importer.endsWith('_pb.ts') || importer.startsWith(join(library, 'dist/esm/wkt/google/'));
      return isGenerated && /\/codegenv2(?:\/(?:boot|enum|file|message|service)\.js)?$/.test(source) ? lazy : null;
    },
  };
}
