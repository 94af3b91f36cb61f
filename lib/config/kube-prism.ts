import { type Failure, placeOf, type SourceFile, type Span } from '../base/index.ts';
import { type DataDocument, parseYaml } from '../format/index.ts';
import { talosDefaults } from '../upstream/tables.ts';
import { configFailure } from './failures.ts';
import { valueAt } from './issues.ts';

const { kubePrismPort } = talosDefaults;

/**
 * Cilium replaces kube-proxy and reaches the API through KubePrism on each node: the host and port in its values and the port in the
 * machine configuration have to be the same, or no node ever becomes Ready.
 *
 * Shape: all rendered files. Patches below `talos/` say where KubePrism listens, or nothing and it is the default port; values of
 * Cilium's HelmRelease below `kubernetes/` say where Cilium looks. Without a Cilium that names an API server there is nothing to check.
 */
export function checkKubePrism(files: readonly SourceFile[]): Failure[] {
  const prism = files.filter(({ path }) => path.startsWith('talos/') && isYaml(path)).flatMap(kubePrismOf);
  const port = prism.at(-1)?.port ?? kubePrismPort;
  return files
    .filter(({ path }) => path.startsWith('kubernetes/') && isYaml(path))
    .flatMap(ciliumClientsOf)
    .filter(({ clientHost, clientPort }) => clientPort !== port || !isLoopback(clientHost) || prism.at(-1)?.enabled === false)
    .map(({ clientHost, clientPort, span }) =>
      configFailure(
        'config/kube-prism-disagrees',
        { port: prism.at(-1)?.enabled === false ? 0 : port, clientPort, clientHost },
        { where: placeOf(span) },
      ),
    );
}

function isYaml(path: string): boolean {
  return path.endsWith('.yaml') || path.endsWith('.yml');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1';
}

/** Both forms: the field of the one document until 1.13, and the document of its own since 1.14. */
function kubePrismOf(file: SourceFile): { enabled: boolean; port: number }[] {
  if (!file.text.includes('ubePrism')) return [];
  return parseYaml(file).documents.flatMap(({ value }) => {
    const own = valueAt(value, ['kind']) === 'KubePrismConfig' ? value : valueAt(value, ['machine', 'features', 'kubePrism']);
    if (typeof own !== 'object' || own === null) return [];
    const port = valueAt(own, ['port']);
    return [{ enabled: valueAt(own, ['enabled']) !== false, port: typeof port === 'number' ? port : kubePrismPort }];
  });
}

function ciliumClientsOf(file: SourceFile): { clientHost: string; clientPort: number; span: Span }[] {
  if (!file.text.includes('k8sServicePort')) return [];
  return parseYaml(file).documents.flatMap((document: DataDocument) => {
    const path = valueAt(document.value, ['kind']) === 'HelmRelease' ? ['spec', 'values'] : [];
    const port = valueAt(document.value, [...path, 'k8sServicePort']);
    if (port === undefined) return [];
    const clientHost = String(valueAt(document.value, [...path, 'k8sServiceHost']) ?? '');
    return [{ clientHost, clientPort: Number(port), span: document.spanOf([...path, 'k8sServicePort']) }];
  });
}
