import { expect, test } from 'vitest';
import { imageAt, imageParts, isSameImage, versionOfImage } from '../../../../lib/cluster/kubernetes-upgrade/images.ts';

test.each([
  ['registry.k8s.io/kube-proxy:v1.36.3', 'registry.k8s.io/kube-proxy', 'v1.36.3'],
  ['registry.local:5000/kube-proxy', 'registry.local:5000/kube-proxy', undefined],
  ['registry.local:5000/mirror/kube-proxy:v1.36.3@sha256:0a', 'registry.local:5000/mirror/kube-proxy', 'v1.36.3'],
  ['registry.k8s.io/kube-proxy@sha256:0a', 'registry.k8s.io/kube-proxy', undefined],
])('%s', (image, repository, tag) => {
  expect(imageParts(image)).toEqual({ repository, ...(tag === undefined ? {} : { tag }) });
});

test('an image moves to another version: the registry and the variant of the kubelet stay, the digest goes', () => {
  expect(imageAt('mirror.local:5000/k8s/kube-apiserver:v1.35.4@sha256:0a', 'kube-apiserver', 'v1.36.3')).toBe(
    'mirror.local:5000/k8s/kube-apiserver:v1.36.3',
  );
  expect(imageAt('ghcr.io/siderolabs/kubelet:v1.35.4-fat', 'kubelet', '1.36.3')).toBe('ghcr.io/siderolabs/kubelet:v1.36.3-fat');
  expect(imageAt('ghcr.io/siderolabs/kubelet:v1.36.0-rc.0-slim', 'kubelet', 'v1.36.3')).toBe('ghcr.io/siderolabs/kubelet:v1.36.3-slim');
  expect(versionOfImage('ghcr.io/siderolabs/kubelet:v1.36.0-rc.0-slim')).toBe('v1.36.0-rc.0');
  expect(versionOfImage('ghcr.io/siderolabs/kubelet:latest')).toBeUndefined();
  expect(isSameImage('a/b:v1@sha256:0a', 'a/b:v1')).toBe(true);
  expect(isSameImage('a/b:v1', 'c/b:v1')).toBe(false);
});
