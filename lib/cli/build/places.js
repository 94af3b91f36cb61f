import { dirname, relative } from 'node:path/posix';

/**
 * A plugin of the bundler: `import.meta.url` and `import.meta.dirname` of a source keep naming the place that the source has in dist/,
 * whatever file its code ends up in. Assets, workers and templates are therefore found the same way in the sources and in the package.
 *
 * `loadedLate`: packages that are asked for with a `load` made by `createRequire`; they lie in `packages/`.
 */
export function placesOfSources(root, loadedLate) {
  return {
    name: 'places-of-sources',
    transform(code, file) {
      const [id, top] = [file, root].map((path) => path.replaceAll('\\', '/'));
      if (!id.startsWith(`${top}/`) || id.includes('/node_modules/') || !/\bimport\.meta\.(?:url|dirname)\b/.test(code)) return null;
      const at = id.slice(top.length + 1).replace(/\.ts$/, '.js');
      return code
        .replaceAll(/\bimport\.meta\.url\b/g, `__urlOf__(${JSON.stringify(at)})`)
        .replaceAll(/\bimport\.meta\.dirname\b/g, `__folderOf__(${JSON.stringify(dirname(at))})`)
        .replaceAll(/\bload\('([^']+)'\)/g, (call, name) =>
          loadedLate.includes(name) ? `load(${JSON.stringify(relative(dirname(at), `packages/${name}.cjs`))})` : call,
        );
    },
    renderChunk(code, { fileName }) {
      if (!/__(?:url|folder)Of__\(/.test(code)) return null;
      const here = dirname(fileName);
      return code
        .replaceAll(/__urlOf__\("([^"]+)"\)/g, (_, at) =>
          at === fileName ? 'import.meta.url' : `new URL(${JSON.stringify(relative(here, at))}, import.meta.url).href`,
        )
        .replaceAll(/__folderOf__\("([^"]+)"\)/g, (_, at) =>
          at === here ? 'import.meta.dirname' : `(import.meta.dirname + ${JSON.stringify(`/${relative(here, at)}`)})`,
        );
    },
  };
}
