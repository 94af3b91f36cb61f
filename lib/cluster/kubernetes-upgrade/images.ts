import { parseVersion, versionOf } from '../../format/index.ts';
import type { KubernetesPart } from './kubernetes-upgrade.ts';

/** `registry.k8s.io/kube-proxy:v1.36.3@sha256:…` in its parts. Undefined tag: the reference has none. */
export function imageParts(image: string): { readonly repository: string; readonly tag?: string } {
  const [withoutDigest = ''] = image.split('@');
  // A colon before a slash belongs to the registry's port.
  const colon = withoutDigest.lastIndexOf(':');
  if (colon <= withoutDigest.lastIndexOf('/')) return { repository: withoutDigest };
  return { repository: withoutDigest.slice(0, colon), tag: withoutDigest.slice(colon + 1) };
}

/** Variants of the kubelet's image. Source: Talos pkg/cluster/kubernetes/kubelet.go */
const variants = ['-fat', '-slim'] as const;
const variantOf = (tag: string): string => variants.find((variant) => tag.endsWith(variant)) ?? '';

/** With its `v`; undefined when the tag is no version. */
export function versionOfImage(image: string): string | undefined {
  const { tag } = imageParts(image);
  if (tag === undefined) return undefined;
  const variant = variantOf(tag);
  return versionOf(variant === '' ? tag : tag.slice(0, -variant.length))?.text;
}

/**
 * The same image at another version: the registry that the config names stays, and so does a variant of the kubelet. The digest of the
 * old version goes.
 */
export function imageAt(image: string, part: KubernetesPart, version: string): string {
  const { repository, tag = '' } = imageParts(image);
  return `${repository}:${parseVersion(version).text}${part === 'kubelet' ? variantOf(tag) : ''}`;
}

/** Whether they name the same version of the same image; a digest pins what the tag says. */
export function isSameImage(one: string, other: string): boolean {
  const [a, b] = [imageParts(one), imageParts(other)];
  return a.repository === b.repository && a.tag === b.tag;
}
