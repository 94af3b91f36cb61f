import { gzipSync } from 'node:zlib';
import { Secret } from '../../../base/index.ts';
import { packTar, stringifyYaml } from '../../../format/index.ts';
import { hours, issue } from '../../../pki/index.ts';
import { machineApi } from '../../../upstream/index.ts';
import { type BoundMethod, refuse, streaming } from './call.ts';
import { controlPlaneOnly } from './etcd.ts';

/** Source: Talos internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go (Kubeconfig), internal/pkg/kubeconfig/generate.go */
export const kubeconfigMethods: readonly BoundMethod[] = [
  streaming(machineApi.MachineService.method.kubeconfig, async function* ({ machine, issuer }) {
    controlPlaneOnly(machine, 'kubeconfig');
    const config = machine.config();
    const ca = config?.kubernetesCa;
    if (!config || !ca?.key) throw refuse('failedPrecondition', 'failed to get Kubernetes root CA');
    const { key: caKey, certificate } = ca;
    const pair = await issuer.issue(machine.name, ['admin', certificate], (world) =>
      issue(
        world,
        { certificate, key: new Secret(caKey) },
        {
          organizations: ['system:masters'],
          commonName: 'admin',
          keyUsages: ['digitalSignature', 'keyEncipherment'],
          extendedKeyUsages: ['clientAuth'],
          validityMs: hours(24 * 365),
          backdateMs: 10_000,
        },
      ),
    );
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const user = `admin@${config.clusterName}`;
    const text = stringifyYaml({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: config.clusterName, cluster: { server: config.endpoint, 'certificate-authority-data': base64(certificate) } }],
      users: [{ name: user, user: { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key.reveal()) } }],
      contexts: [{ context: { cluster: config.clusterName, namespace: 'default', user }, name: user }],
      'current-context': user,
    });
    yield { bytes: gzipSync(packTar([{ path: 'kubeconfig', content: text }])) };
  }),
];
