import type { Json } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { HelmEngine, JsonObject, RenderedHook, RenderedObject, Rendering } from '../../wasm/index.ts';
import { type Fields, fieldsOf, isFields, listOf, textOf } from './fields.ts';
import { applyPatches, type KustomizePatch, patchesOf } from './kustomize-patches.ts';

export interface ImageChange {
  /** The image without tag and digest. */
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

/** One thing that helm-controller does to everything that a chart rendered, before it is applied. */
export type PostRenderer =
  | { readonly kind: 'kustomize'; readonly patches: readonly KustomizePatch[]; readonly images: readonly ImageChange[] }
  | {
      readonly kind: 'metadata';
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    };

/**
 * `spec.postRenderers` and `spec.commonMetadata` of a HelmRelease, in the order in which they run.
 * Source: helm-controller internal/postrender/build.go
 */
export function readPostRenderers(spec: Fields): readonly PostRenderer[] {
  const renderers = listOf(spec.postRenderers).flatMap((entry): readonly PostRenderer[] => {
    if (!isFields(entry.kustomize)) return [];
    return [{ kind: 'kustomize', patches: patchesOf(entry.kustomize.patches), images: listOf(entry.kustomize.images).flatMap(imageOf) }];
  });
  const { labels, annotations } = fieldsOf(spec.commonMetadata);
  if (labels === undefined && annotations === undefined) return renderers;
  return [...renderers, { kind: 'metadata', labels: textsByName(labels), annotations: textsByName(annotations) }];
}

/** Equal for equal post-renderers. Variables may have brought secrets into them, so it only stands where those stand too. */
export const nameOfPostRenderers = (renderers: readonly PostRenderer[]): string =>
  renderers.length === 0 ? 'none' : `sha256:${sha256Hex(JSON.stringify(renderers))}`;

const textsByName = (value: Json | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, text]) => [name, String(text)]));

function imageOf(entry: Fields): readonly ImageChange[] {
  const [name, newName, newTag, digest] = [entry.name, entry.newName, entry.newTag, entry.digest].map(textOf);
  if (name === undefined) return [];
  return [
    {
      name,
      ...(newName === undefined ? {} : { newName }),
      ...(newTag === undefined ? {} : { newTag }),
      ...(digest === undefined ? {} : { digest }),
    },
  ];
}

/**
 * The rendering as the post-renderers leave it: objects, hooks unless they are spared, and the manifest written anew.
 *
 * Shape: the same rendering when there is nothing to do. Failure: `PatchError`.
 * Source: helm pkg/action/action.go renderResources, strategy `combined`; helm-controller internal/postrender
 */
export async function postRender(
  rendering: Rendering,
  renderers: readonly PostRenderer[],
  {
    engine,
    namespace,
    areHooksSpared,
    signal,
  }: { readonly engine: HelmEngine; readonly namespace: string; readonly areHooksSpared: boolean; readonly signal: AbortSignal },
): Promise<Rendering> {
  if (renderers.length === 0) return rendering;
  const change = (rendered: readonly RenderedObject[]): readonly RenderedObject[] =>
    rendered.flatMap(({ source, object }) => {
      const changed = applyPostRenderers(object, renderers, namespace);
      return changed === undefined ? [] : [{ source, object: changed as JsonObject }];
    });
  const objects = change(rendering.objects);
  const texts = await engine.toYaml(
    objects.map(({ object }) => object as Json),
    signal,
  );
  const manifest = objects.map(({ source }, index) => `---\n# Source: ${source}\n${texts[index] ?? ''}\n`).join('');
  if (areHooksSpared) return { ...rendering, objects, manifest };
  const hooks: RenderedHook[] = [];
  for (const hook of rendering.hooks) {
    const changed = change(hook.objects);
    if (changed.length === 0) continue;
    const own = await engine.toYaml(
      changed.map(({ object }) => object as Json),
      signal,
    );
    hooks.push({ ...hook, objects: changed, manifest: own.join('---\n') });
  }
  return { ...rendering, objects, manifest, hooks };
}

/** One object through all of them; undefined when one takes it away. Failure: `PatchError`. */
export const applyPostRenderers = (object: Fields, renderers: readonly PostRenderer[], namespace: string): Fields | undefined =>
  renderers.reduce<Fields | undefined>((value, renderer) => value && applyRenderer(value, renderer, namespace), object);

function applyRenderer(object: Fields, renderer: PostRenderer, namespace: string): Fields | undefined {
  switch (renderer.kind) {
    case 'kustomize': {
      const patched = applyPatches(object, renderer.patches, namespace);
      return patched && renderer.images.reduce(changeImage, patched);
    }
    case 'metadata':
      return withMetadata(object, renderer);
    default:
      return renderer satisfies never;
  }
}

function withMetadata(object: Fields, { labels, annotations }: Extract<PostRenderer, { kind: 'metadata' }>): Fields {
  const metadata = fieldsOf(object.metadata);
  const merged = (own: Json | undefined, added: Readonly<Record<string, string>>) =>
    Object.keys(added).length === 0 ? own : { ...fieldsOf(own), ...added };
  const changed = { ...metadata, labels: merged(metadata.labels, labels), annotations: merged(metadata.annotations, annotations) };
  return { ...object, metadata: Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined)) as Json };
}

/** Images stand in `containers` and `initContainers`, wherever those are. Source: kustomize api/filters/imagetag */
function changeImage(object: Fields, change: ImageChange): Fields {
  const walk = (value: Json | undefined): Json | undefined => {
    if (Array.isArray(value)) return value.map((item) => walk(item as Json) as Json);
    if (!isFields(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([field, inner]) => {
        if (!['containers', 'initContainers', 'ephemeralContainers'].includes(field) || !Array.isArray(inner)) return [field, walk(inner)];
        return [field, inner.map((container: Json) => (isFields(container) ? withImage(container, change) : container))];
      }),
    ) as Json;
  };
  return walk(object as Json) as Fields;
}

function withImage(container: Fields, { name, newName, newTag, digest }: ImageChange): Json {
  const [, present = '', tag = '', sum = ''] = /^(.*?)(:[^:/@]+)?(@sha256:[0-9a-f]+)?$/.exec(String(container.image ?? '')) ?? [];
  if (present !== name) return container as Json;
  const suffix =
    digest === undefined ? (newTag === undefined ? `${tag}${sum}` : `:${newTag}`) : `${newTag === undefined ? '' : `:${newTag}`}@${digest}`;
  return { ...container, image: `${newName ?? present}${suffix}` } as Json;
}
