import { contentKey, remembered } from '../base/index.ts';
import { installerOf, type Talconfig, type TalconfigNode } from '../config/index.ts';
import { bootImageUrl, type BootMedium, installerImage, type Schematic, schematicId, schematicOf } from '../talos/machine-config.ts';

type TemplateData = Readonly<Record<string, string | boolean>>;

export interface TemplateOptions {
  /** Renders a template of a file name or an image URL that holds more than plain fields. Absent: such a template stays as it is. */
  readonly renderTemplate?: (template: string, data: TemplateData) => string;
}

export type ImageMedium = 'installer' | 'iso' | 'disk-image' | 'pxe';

/** What a node installs is made of. */
export function installerSchematic(node: TalconfigNode): Schematic {
  return schematicOf(node.configs['schematic']);
}

/** What it boots from the first time is made of; absent, of the same. */
export function bootSchematic(node: TalconfigNode): Schematic {
  return schematicOf(node.configs['imageSchematic'] ?? node.configs['schematic']);
}

/** Most nodes share one schematic, and its digest costs more than all else that is said about an image. */
const schematicIdOf = remembered((schematic: unknown) => schematicId(schematicOf(schematic)), { keyOf: contentKey, limit: 64 });

/** The image that installs a node: `talosImageURL`, or that of its schematic. */
export function installerImageOf(talconfig: Talconfig, node: TalconfigNode, options: TemplateOptions = {}): string {
  const installer = installerOf(node);
  if (installer.by === 'image') return `${installer.name}:${talconfig.talosVersion}`;
  const id = schematicIdOf(installer.schematic);
  const { platform, secureBoot } = specOf(node);
  const { installerUrlTemplate, registryUrl } = talconfig.imageFactory;
  if (installerUrlTemplate === undefined)
    return installerImage({ factory: registryUrl, platform, secureBoot, schematicId: id, talosVersion: talconfig.talosVersion });
  return fillTemplate(
    installerUrlTemplate,
    { RegistryURL: registryUrl, ID: id, Version: talconfig.talosVersion, Mode: platform, Secureboot: secureBoot },
    options,
  );
}

export interface BootImageOptions extends TemplateOptions {
  /** Default: what the node's `machineSpec` says. */
  readonly medium?: Exclude<ImageMedium, 'installer'>;
  /** Likewise. */
  readonly arch?: string;
}

/** The image that a node boots from the first time; its schematic may be another than the installer's. */
export function bootImageOf(talconfig: Talconfig, node: TalconfigNode, options: BootImageOptions = {}): string {
  const spec = specOf(node);
  const medium = options.medium ?? spec.medium;
  const arch = options.arch ?? spec.arch;
  const isUki = medium === 'iso' && spec.secureBoot && spec.useUki;
  // A suffix belongs to the medium that it was written for.
  const suffix =
    medium === spec.medium && spec.suffix !== '' ? spec.suffix : medium === 'disk-image' ? 'raw.zst' : medium === 'iso' ? 'iso' : '';
  const id = schematicId(bootSchematic(node));
  const { registryUrl, protocol, imageUrlTemplate } = talconfig.imageFactory;
  if (imageUrlTemplate !== undefined)
    return fillTemplate(
      imageUrlTemplate,
      {
        Protocol: protocol,
        RegistryURL: registryUrl,
        ID: id,
        Version: talconfig.talosVersion,
        Mode: spec.platform,
        Arch: arch,
        Secureboot: spec.secureBoot,
        UseUKI: spec.useUki,
        BootMethod: medium,
        Suffix: isUki ? '.efi' : suffix === '' ? '' : `.${suffix}`,
      },
      options,
    );
  return bootImageUrl(
    (isUki ? 'uki' : medium) satisfies BootMedium,
    {
      schematicId: id,
      talosVersion: talconfig.talosVersion,
      platform: spec.platform,
      arch,
      secureBoot: spec.secureBoot,
      factory: registryUrl,
      protocol,
    },
    suffix,
  );
}

/** Does the work, and once more with the templates that it could not fill itself rendered by the engine. */
export async function withTemplates<T>(
  work: (options: TemplateOptions) => T,
  render: (template: string, data: unknown) => Promise<string>,
): Promise<T> {
  const asked = new Map<string, () => Promise<string>>();
  const keyOf = (template: string, data: unknown) => JSON.stringify([template, data]);
  const first = work({
    renderTemplate: (template, data) => {
      asked.set(keyOf(template, data), () => render(template, data));
      return template;
    },
  });
  if (asked.size === 0) return first;
  const rendered = new Map<string, string>();
  for (const [key, rendering] of asked) rendered.set(key, await rendering());
  return work({ renderTemplate: (template, data) => rendered.get(keyOf(template, data)) ?? template });
}

/** Fields and simple conditions over them; anything more goes to the template engine. */
export function fillTemplate(template: string, data: TemplateData, options: TemplateOptions): string {
  const filled = template
    .replace(
      /\{\{-?\s*if\s+\.(\w+)\s*-?\}\}([^{}]*?)(?:\{\{-?\s*else\s*-?\}\}([^{}]*?))?\{\{-?\s*end\s*-?\}\}/gs,
      (_, name: string, yes: string, no: string | undefined) => (data[name] ? yes : (no ?? '')),
    )
    .replace(/\{\{-?\s*\.(\w+)\s*-?\}\}/g, (whole, name: string) => (data[name] === undefined ? whole : String(data[name])));
  return filled.includes('{{') && options.renderTemplate ? options.renderTemplate(template, data) : filled;
}

function specOf(node: TalconfigNode) {
  const given = node.configs['machineSpec'];
  const spec: Readonly<Record<string, unknown>> = typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {};
  const text = (key: string) => (typeof spec[key] === 'string' ? spec[key] : '');
  const method = text('bootMethod');
  return {
    platform: text('mode') || 'metal',
    arch: text('arch') || 'amd64',
    secureBoot: spec['secureboot'] === true,
    useUki: spec['useUKI'] === true,
    medium: (method === 'disk-image' || method === 'pxe' ? method : 'iso') as Exclude<ImageMedium, 'installer'>,
    suffix: text('imageSuffix'),
  };
}
