import { count } from '../../base/index.ts';
import type { RenderFailures } from '../../render/index.ts';
import type { Printers } from './printer.ts';

const meant = (suggestion: string | undefined) => (suggestion === undefined ? {} : { help: `did you mean \`${suggestion}\`?` });

const limits = { steps: 'steps', depth: 'templates and macros inside each other', size: 'characters of output' } as const;

export const renderPrinters: Printers<RenderFailures> = {
  'render/syntax': (f) => ({ title: `\`${f.template}\` is not a valid template`, because: f.detail }),
  'render/undefined': (f) => ({
    title: `\`${f.template}\` uses a value that is not there`,
    because: f.detail,
    help: 'set it in the inputs, or give it a default: `| default(…)`',
  }),
  'render/unknown-filter': (f) => ({
    title: `\`${f.template}\` uses the filter \`${f.name}\`, which nothing defines`,
    ...meant(f.suggestion),
  }),
  'render/unknown-test': (f) => ({ title: `\`${f.template}\` uses the test \`${f.name}\`, which nothing defines`, ...meant(f.suggestion) }),
  'render/runtime': (f) => ({ title: `\`${f.template}\` could not be rendered`, because: `${f.kind}: ${f.detail}` }),
  'render/template-not-found': (f) => ({
    title: `\`${f.template}\` needs ${f.names.map((name) => `\`${name}\``).join(' or ')}, which no input folder has`,
  }),
  'render/limit': (f) => ({
    title: `\`${f.template}\` does not come to an end`,
    because: f.limit === 'steps' ? `it took more than ${count(f.allowed, 'step')}` : `it needs more than ${f.allowed} ${limits[f.limit]}`,
    help: 'look for a loop or an include that repeats itself',
  }),
  'render/outside': (f) => ({
    title: `\`${f.path}\` leads out of \`${f.output}\``,
    help: 'remove the link, or render into a folder of this repository',
  }),
  'render/not-ours': (f) => ({
    title: `\`${f.path}\` exists, differs from what its template gives, and was not written by tk`,
    help: `move your changes into the template and remove \`${f.path}\``,
  }),
  'render/no-input': (f) => ({ title: `the template folder \`${f.path}\` does not exist` }),
  'render/setting': (f) => ({
    title: `\`${f.key}\` in \`${f.path}\` is ${f.value}`,
    help: `set it to ${f.expected}`,
  }),
  'render/data': (f) => ({ title: `\`${f.path}\` is not template data`, because: f.detail }),
};
