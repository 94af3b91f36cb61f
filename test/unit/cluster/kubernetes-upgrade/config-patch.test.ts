import { expect, test } from 'vitest';
import { Secret } from '../../../../lib/base/index.ts';
import { imageIn, withImage } from '../../../../lib/cluster/kubernetes-upgrade/config-patch.ts';
import { type KubernetesPart, kubernetesParts } from '../../../../lib/cluster/kubernetes-upgrade/kubernetes-upgrade.ts';
import { failureCodes } from './failure-codes.ts';

const image = (part: KubernetesPart) => `example.org/${part}:v1.36.3`;
const allParts = (text: string) =>
  kubernetesParts.reduce((before, part) => withImage(before, part, image(part), 'cp-1'), new Secret(text)).reveal();

test('in the old form the image is set where it stands, and nothing else of the file moves', () => {
  const before = `version: v1alpha1 # the old one
machine:
    type: controlplane
    kubelet:
        image: 'ghcr.io/siderolabs/kubelet:v1.35.4' # pinned
        extraArgs: {rotate-server-certificates: "true"}
cluster:
    apiServer:
        # between
        image: registry.k8s.io/kube-apiserver:v1.35.4
    controllerManager: {}
    scheduler:
    proxy: {disabled: false}
---
apiVersion: v1alpha1
kind: SomethingOfTomorrow
image: registry.k8s.io/kube-apiserver:v1.35.4
`;
  expect(allParts(before)).toBe(`version: v1alpha1 # the old one
machine:
    type: controlplane
    kubelet:
        image: 'example.org/kubelet:v1.36.3' # pinned
        extraArgs: {rotate-server-certificates: "true"}
cluster:
    apiServer:
        # between
        image: example.org/kube-apiserver:v1.36.3
    controllerManager: { "image": "example.org/kube-controller-manager:v1.36.3" }
    scheduler:
      image: example.org/kube-scheduler:v1.36.3
    proxy: {disabled: false, "image": "example.org/kube-proxy:v1.36.3"}
---
apiVersion: v1alpha1
kind: SomethingOfTomorrow
image: registry.k8s.io/kube-apiserver:v1.35.4
`);
});

test('in the new form each part has its document, and one that has none is named in the old one', () => {
  const before = `---
apiVersion: v1alpha1
kind: KubeAPIServerConfig
image: registry.k8s.io/kube-apiserver:v1.36.0
---
version: v1alpha1
machine: { type: controlplane }
--- # the kubelet
apiVersion: v1alpha1
kind: KubeletConfig
extraArgs:
  image: not-this-one
`;
  const after = withImage(new Secret(before), 'kube-apiserver', image('kube-apiserver'), 'cp-1');
  const again = withImage(withImage(after, 'kubelet', image('kubelet'), 'cp-1'), 'kube-scheduler', image('kube-scheduler'), 'cp-1');
  expect(again.reveal()).toBe(`---
apiVersion: v1alpha1
kind: KubeAPIServerConfig
image: example.org/kube-apiserver:v1.36.3
---
version: v1alpha1
machine: { type: controlplane }
cluster:
  scheduler:
    image: example.org/kube-scheduler:v1.36.3
--- # the kubelet
apiVersion: v1alpha1
kind: KubeletConfig
extraArgs:
  image: not-this-one
image: example.org/kubelet:v1.36.3
`);
  expect(imageIn(again, 'kubelet')).toBe('example.org/kubelet:v1.36.3');
  expect(imageIn(again, 'kube-proxy')).toBeUndefined();
});

test('what is no machine config is refused, and its text is not told', () => {
  expect(failureCodes(() => withImage(new Secret('kind: HostnameConfig\nhostname: cp-1\n'), 'kubelet', image('kubelet'), 'cp-1'))).toEqual([
    {
      code: 'upgrade-k8s/config-unreadable',
      node: 'cp-1',
      part: 'kubelet',
      reason: 'it has neither KubeletConfig nor a document without a kind',
    },
  ]);
});
