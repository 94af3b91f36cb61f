import { remembered } from '../../../base/index.ts';
import { parseYamlBulk } from '../../../format/index.ts';
import { machineApi } from '../../../upstream/index.ts';
import { viewConfig } from '../config-view.ts';
import { digestOf } from '../installer.ts';
import { type ApiCall, type BoundMethod, refuse, unary } from './call.ts';

const { ApplyConfigurationRequest_Mode: Mode } = machineApi;
type ApplyMode = machineApi.ApplyConfigurationRequest_Mode;

/** Source: Talos pkg/machinery/constants ConfigTryTimeout */
const tryTimeoutMs = 60_000;

/**
 * Fields of the v1alpha1 document that a running 1.12 or 1.13 takes without a reboot; every other document is taken too.
 * Source: Talos internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_runtime.go (CanApplyImmediate)
 */
const immediateMachine = [
  'ca',
  'acceptedCAs',
  'time',
  'certSANs',
  'install',
  'network',
  'sysfs',
  'sysctls',
  'logging',
  'controlPlane',
  'kubelet',
  'kernel',
  'registries',
  'pods',
  'seccompProfiles',
  'nodeAnnotations',
  'nodeLabels',
  'nodeTaints',
];
const immediateFeatures = ['kubernetesTalosAPIAccess', 'kubePrism', 'hostDNS', 'imageCache', 'nodeAddressSortAlgorithm'];

const modeNames: Readonly<Record<number, string>> = { 0: 'REBOOT', 1: 'AUTO', 2: 'NO_REBOOT', 3: 'STAGED', 4: 'TRY' };

/** Source: Talos internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go, internal/app/maintenance/server.go (until 1.12) */
export const applyMethods: readonly BoundMethod[] = [
  unary(machineApi.MachineService.method.applyConfiguration, async (api, request) => {
    const { machine } = api;
    const inMaintenance = machine.get('api') === 'maintenance';
    const text = Buffer.from(request.data).toString('utf8');
    // Until 1.13 an apply that reboots holds its lock until the machine is down; in maintenance mode the lock is free at once.
    if (machine.get('busy') === 'reboot') throw refuse('failedPrecondition', 'another apply configuration is already in progress');
    if (!inMaintenance && !api.roles.has('os:admin')) throw refuse('permissionDenied', 'not authorized');

    let mode: ApplyMode = request.mode;
    if (machine.minor() === '1.12' && inMaintenance && mode !== Mode.REBOOT && mode !== Mode.AUTO && mode !== Mode.TRY) {
      throw refuse(
        'unimplemented',
        `apply configuration --mode='${(modeNames[mode] ?? '').toLowerCase().replaceAll('_', '-')}' is not supported in maintenance mode`,
      );
    }
    const view = viewConfig(text);
    if (!view) {
      throw inMaintenance
        ? refuse('invalidArgument', 'failed to parse config: unsupported input')
        : refuse(
            'invalidArgument',
            "the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead?",
          );
    }
    if (mode === Mode.REBOOT && machine.minor() !== '1.12') {
      if (inMaintenance) mode = Mode.NO_REBOOT;
      else if (machine.minor() === '1.14') {
        throw refuse('unimplemented', 'the REBOOT mode is not supported, please use AUTO or NO_REBOOT modes instead');
      }
    }
    const checked = await api.checkConfig(text, machine.version());
    if (checked.errors.length > 0) throw refuse('invalidArgument', checked.errors.join('\n'));

    const needsReboot = !inMaintenance && machine.minor() !== '1.14' && !canApplyNow(machine.get('config/active') ?? '', text);
    if (mode === Mode.AUTO) mode = needsReboot ? Mode.REBOOT : Mode.NO_REBOOT;
    if (needsReboot && (mode === Mode.NO_REBOOT || mode === Mode.TRY)) {
      throw refuse('invalidArgument', "this config change can't be applied in immediate mode");
    }
    const details = detailsOf(mode);
    if (request.dryRun) {
      const diff =
        inMaintenance && machine.minor() === '1.12'
          ? 'Node is running in maintenance mode and does not have a config yet.'
          : (machine.get('config/active') ?? '') === text
            ? 'No changes.'
            : `Config diff:\n\n${diffOf(machine.get('config/active') ?? '', text)}`;
      return { messages: [{ mode, modeDetails: `Dry run summary:\n${details} (skipped in dry-run).\n${diff}` }] };
    }
    applyNow(api, text, mode, inMaintenance, request.tryModeTimeout ? Number(request.tryModeTimeout.seconds) * 1000 : tryTimeoutMs);
    api.kernel.emit({
      kind: 'talos/config-applied',
      facts: {
        node: machine.name,
        mode: modeNames[mode] ?? '',
        inMaintenance,
        role: view.role,
        hostname: view.hostname ?? '',
        clusterId: view.clusterId,
        authority: digestOf(view.osCa.certificate),
      },
    });
    return { messages: [{ mode, warnings: [...checked.warnings], modeDetails: details }] };
  }),
];

function applyNow({ machine, lifecycle }: ApiCall, text: string, mode: ApplyMode, inMaintenance: boolean, revertAfterMs: number): void {
  const before = machine.get('config/active');
  if (mode !== Mode.STAGED) machine.set('config/active', text);
  if (mode !== Mode.TRY) machine.set('config/persistent', text);
  if (inMaintenance) {
    lifecycle.leaveMaintenance(machine);
    return;
  }
  if (mode === Mode.REBOOT) lifecycle.sequences.reboot(machine, '', 'default');
  else if (mode !== Mode.STAGED) {
    machine.clear('config/rollback');
    if (mode === Mode.TRY && before !== undefined) {
      machine.set('config/rollback', before);
      lifecycle.revertAfter(machine, revertAfterMs);
    }
    if (before !== text) lifecycle.configChanged(machine);
  }
}

function detailsOf(mode: ApplyMode): string {
  switch (mode) {
    case Mode.REBOOT:
      return 'Applied configuration with a reboot';
    case Mode.STAGED:
      return 'Staged configuration to be applied after the next reboot';
    default:
      return 'Applied configuration without a reboot';
  }
}

const canApplyNow = (before: string, next: string): boolean => withoutImmediate(before) === withoutImmediate(next);

/** What a machine has to reboot for, as text. */
const withoutImmediate = remembered((text: string) => JSON.stringify(needingReboot(text)), { keyOf: (text) => text, limit: 200 });

function needingReboot(text: string): unknown {
  const main = parseYamlBulk(text).find((document): document is Record<string, unknown> => isTree(document) && document.kind === undefined);
  if (!main) return undefined;
  const { debug: _debug, cluster: _cluster, machine, ...rest } = main;
  const kept = Object.fromEntries(Object.entries(isTree(machine) ? machine : {}).filter(([key]) => !immediateMachine.includes(key)));
  const { features } = kept;
  return {
    ...rest,
    machine: {
      ...kept,
      features: Object.fromEntries(Object.entries(isTree(features) ? features : {}).filter(([key]) => !immediateFeatures.includes(key))),
    },
  };
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lines that went and lines that came; upstream prints a unified diff, which nobody should parse. */
function diffOf(before: string, next: string): string {
  const old = new Set(before.split('\n'));
  const fresh = new Set(next.split('\n'));
  return [
    ...[...old].filter((line) => !fresh.has(line)).map((line) => `-${line}`),
    ...[...fresh].filter((line) => !old.has(line)).map((line) => `+${line}`),
  ].join('\n');
}
