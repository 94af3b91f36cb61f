import { dirname } from 'node:path/posix';

/**
 * A plugin of the bundler: `import.meta.url` and `import.meta.dirname` of a source keep naming the place that the source has in dist/,
 * whatever file its code ends up in. Assets, workers and templates are therefore found the same way in the sources and in the package.
 * What these and `import()` of a path become is given to each script by load.js.
 *
 * `loadedLate`: packages that are asked for with a `load` made by `createRequire`; they lie in `packages/`.
 */
export function placesOfSources(root, loadedLate) {
  return {
    name: 'places-of-sources',
    transform(code, file) {
      const [id, top] = [file, root].map((path) => path.replaceAll('\\', '/'));
      if (!id.startsWith(`${top}/`) || id.includes('/node_modules/')) return null;
      const at = id.slice(top.length + 1).replace(/\.ts$/, '.js');
      return code
        .replaceAll(/\bload\('([^']+)'\)/g, (call, name) => (loadedLate.includes(name) ? `__load__("packages/${name}.cjs")` : call))
        .replaceAll(/\bimport\((?!')/g, '__import__(')
        .replaceAll(/\bimport\.meta\.url\b/g, `__urlOf__(${JSON.stringify(at)})`)
        .replaceAll(/\bimport\.meta\.dirname\b/g, `__folderOf__(${JSON.stringify(dirname(at))})`);
    },
  };
}
