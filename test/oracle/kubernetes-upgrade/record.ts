// Records what upstream's compatibility package and its checks before an upgrade of Kubernetes say, of each Talos generation.
// Needs Go and the published modules. `node test/oracle/kubernetes-upgrade/record.ts`
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const target = join(here, '../../conformance/kubernetes-upgrade');

/** The library with the checks that each release of talosctl is built with: its go.mod. For 1.13 the next one, which is published. */
const releases = [
  { tag: 'v1.12.6', library: 'v0.2.28', replace: [] },
  { tag: 'v1.13.9', library: 'v0.2.39', replace: [] },
  // Two modules that this release names are not published under those versions.
  {
    tag: 'v1.14.1',
    library: 'v0.2.41',
    replace: ['github.com/cosi-project/runtime=v1.16.2', 'github.com/jsimonetti/rtnetlink/v2=v2.2.1-0.20260317095713-310581b9c6ac'],
  },
] as const;

mkdirSync(target, { recursive: true });
for (const { tag, library, replace } of releases) {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-upgrade-'));
  try {
    copyFileSync(join(here, 'main.go'), join(folder, 'main.go'));
    writeFileSync(
      join(folder, 'go.mod'),
      [
        'module record',
        'go 1.26',
        `require github.com/siderolabs/talos/pkg/machinery ${tag}`,
        `require github.com/siderolabs/go-kubernetes ${library}`,
        `replace github.com/siderolabs/talos/pkg/machinery => github.com/siderolabs/talos/pkg/machinery ${tag}`,
        `replace github.com/siderolabs/go-kubernetes => github.com/siderolabs/go-kubernetes ${library}`,
        ...replace.map((line) => {
          const [module, version] = line.split('=');
          return `replace ${module} => ${module} ${version}`;
        }),
        '',
      ].join('\n'),
    );
    const go = (...words: string[]) => execFileSync('go', words, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 });
    go('mod', 'tidy');
    writeFileSync(join(target, `${tag}.json`), `${JSON.stringify(JSON.parse(go('run', '.')), undefined, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
