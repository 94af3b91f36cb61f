import type { SimKernel } from '../kernel.ts';
import { compatibility } from '../../upstream/tables.ts';
import { durations } from './durations.ts';
import type { Installed, Machine } from './machine.ts';
import { installBeside } from './slots.ts';

/** `…/metal-installer/<schematic>:v1.14.1` */
export const versionOfInstaller = (image: string): string | undefined => /:(v\d+\.\d+\.\d+[\w.-]*)/.exec(image)?.[1];
export const schematicOf = (image: string): string | undefined => /\/([0-9a-f]{64})(?::|@|$)/.exec(image)?.[1];

type Outcome = { readonly exitCode: number; readonly lines: readonly string[] };

/**
 * Runs the installer container of an upgrade: the other slot is written, or nothing at all.
 *
 * Source: Talos v1.13.9 cmd/installer/pkg/install/{install,preflight}.go, pkg/machinery/compatibility/talos_version.go
 */
export function runInstaller(kernel: SimKernel, machine: Machine, image: string): Outcome {
  // A pinned name says nothing about versions; the image that it names does.
  const reference = (machine.get('images') ?? []).find((one) => !one.includes('@') && pinned(one) === image) ?? image;
  const version = versionOfInstaller(reference) ?? machine.version();
  const lines = ['running pre-flight checks', `host Talos version: ${machine.version()}`];
  const refused = refusal(machine.version(), version);
  if (refused) return { exitCode: 1, lines: [...lines, `Error: pre-flight checks failed: ${refused}`] };
  lines.push('all pre-flight checks successful');
  const fault = kernel.fault('talos/installer', { node: machine.name, image });
  if (fault?.kind === 'failed') {
    const exitCode = Number(fault.facts.exitCode ?? 1);
    kernel.emit({ kind: 'talos/installer-failed', facts: { node: machine.name, image, exitCode } });
    return { exitCode, lines: [...lines, 'Error: failed to install bootloader: no space left on device'] };
  }
  const disk = machine.get('installed')?.disk ?? machine.spec.disks[0]?.path ?? '';
  const installed: Installed = {
    version,
    image: reference,
    schematicId: schematicOf(reference) ?? '',
    disk,
    ...(fault?.kind === 'unbootable' ? { needsKexec: true } : {}),
  };
  installBeside(machine, installed);
  kernel.emit({ kind: 'talos/slot-written', facts: { node: machine.name, image, from: machine.version(), to: version } });
  return { exitCode: 0, lines: [...lines, `installing Talos ${version} to ${disk}`, 'installation of Talos completed'] };
}

/** Why an installer does not touch a host of that version. */
export function refusal(host: string, target: string): string | undefined {
  const rule = Object.entries(compatibility).find(([minor]) => target.startsWith(`v${minor}.`))?.[1];
  if (!rule) return undefined;
  const [own, wanted] = [host.replace(/^v/, ''), target.replace(/^v/, '')];
  if (compareCore(own, rule.upgradableFrom) < 0) return `host version ${own} is too old to upgrade to Talos ${wanted}`;
  if (compareCore(own, rule.downgradableBelow) >= 0) return `host version ${own} is too new to downgrade to Talos ${wanted}`;
  return undefined;
}

function compareCore(one: string, two: string): number {
  const core = (text: string) => (text.split('-')[0] ?? '').split('.').map(Number);
  const [a, b] = [core(one), core(two)];
  for (let index = 0; index < 3; index += 1) if (a[index] !== b[index]) return (a[index] ?? 0) - (b[index] ?? 0);
  return 0;
}

const layerBytes = 30_000_000;
export const imageBytes = layerBytes * 4;

/** The name by which an image is found whatever its tag says later: 64 digits from the reference, in place of its contents. */
export function digestOf(reference: string): string {
  let digest = '';
  for (let part = 0; part < 8; part += 1) {
    let hash = 0x811c9dc5 ^ part;
    for (let index = 0; index < reference.length; index += 1) hash = Math.imul(hash ^ reference.charCodeAt(index), 0x01000193) >>> 0;
    digest += hash.toString(16).padStart(8, '0');
  }
  return `sha256:${digest}`;
}

export const pinned = (reference: string): string =>
  reference.includes('@') ? reference : `${reference.replace(/:[^:/]+$/, '')}@${digestOf(reference)}`;

export const hasImage = (machine: Machine, reference: string): boolean => (machine.get('images') ?? []).includes(reference);

export interface Pulls {
  /** Nothing happens when the image is there or on its way. */
  start(machine: Machine, reference: string): void;
  /** One step of a pull that is under way. */
  go(machine: Machine, reference: string): void;
}

/**
 * Pulls into containerd go on while nobody listens, a layer every two seconds. They end with the machine's run.
 *
 * Source: Talos v1.13.9 internal/pkg/containers/image/image.go, internal/app/images/images.go
 */
export function createPulls(kernel: SimKernel, after: (machine: Machine, ms: number, reference: string) => void): Pulls {
  const set = (machine: Machine, reference: string, state: { doneBytes: number; failed?: string } | undefined) => {
    const { [reference]: _, ...others } = machine.get('pulls') ?? {};
    machine.set('pulls', state ? { ...others, [reference]: state } : others);
  };
  return {
    start(machine, reference) {
      const under = machine.get('pulls')?.[reference];
      if (hasImage(machine, reference) || (under && under.failed === undefined)) return;
      const fault = kernel.fault('talos/pull', { node: machine.name, image: reference });
      if (fault?.kind === 'missing') {
        const failed = `failed to pull image "${reference}": failed to resolve reference "${reference}": ${reference}: not found`;
        set(machine, reference, { doneBytes: 0, failed });
        return;
      }
      set(machine, reference, { doneBytes: 0 });
      after(machine, durations.imagePull / 4 + Number(fault?.facts.lateMs ?? 0), reference);
    },
    go(machine, reference) {
      const state = machine.get('pulls')?.[reference];
      if (!state || state.failed !== undefined) return;
      const doneBytes = state.doneBytes + layerBytes;
      if (doneBytes >= imageBytes) {
        machine.set('images', [...new Set([...(machine.get('images') ?? []), reference, pinned(reference)])]);
        set(machine, reference, undefined);
        return;
      }
      const fault = kernel.fault('talos/pull-progress', { node: machine.name, image: reference });
      set(machine, reference, { doneBytes });
      after(machine, durations.imagePull / 4 + Number(fault?.facts.lateMs ?? 0), reference);
    },
  };
}
