import { type Clock, type Files, hasCode, holds, notYet, type Random, seconds, TkError, waitFor } from '../../base/index.ts';
import type { ClusterModel, NodeModel } from '../../config/index.ts';
import type { TalosMutator, TalosReader } from '../../talos/index.ts';
import { isAtLeast } from '../../format/index.ts';
import type { Connections } from '../connections.ts';
import type { LastLooks } from '../last-looks.ts';
import { lifecycleFailure } from './failures.ts';
import type { KubeAccess } from '../kube-access.ts';
import { isTransientTalos } from '../transient.ts';
import { backCondition } from './back.ts';
import { drainNode } from './drain.ts';
import { createFacts, installerImageOfConfig } from './facts.ts';
import { createGates } from './gates.ts';
import type { ConfiguredGate } from './gates/define-gate.ts';
import { imageFor } from './image.ts';
import { operatorId, takeLease } from './lease.ts';
import type { Gates, Lifecycle } from './lifecycle.ts';
import { clearCordon, findKubeNode, listKubeNodes, setCordon } from './node-mark.ts';
import { imageGate } from './overrides.ts';
import { drainPreviewOf, podsOn } from './pods.ts';
import { takeSnapshot } from './snapshot.ts';
import { firstWithLifecycleService } from './versions.ts';
import { volumesDetachedCondition } from './volumes.ts';

export interface LifecycleParts {
  readonly model: ClusterModel;
  readonly clock: Clock;
  readonly files: Files;
  readonly random: Random;
  readonly connections: Connections;
  readonly lastLooks: LastLooks;
  readonly access: KubeAccess;
  /** The config of a node as the inventory makes it now; the file where it cannot be generated. Failure: whatever is wrong with the inputs. */
  readonly configOf: (node: NodeModel, signal: AbortSignal) => Promise<{ reveal(): string }>;
  readonly configuredGates: readonly ConfiguredGate[];
  readonly cacheDirectory: string;
}

/** Source: Talos internal/app/machined/pkg/runtime/v1alpha1/bootloader/{sdboot/sdboot,grub/revert}.go */
const noOtherSlot = /previous UKI not found|cannot rollback to .*label does not exist/;

const leadershipDeadlineMs = seconds(60);

/** Asked over the connection that carries the call. Failure: `node/restarted`. */
async function stillInBoot(machine: TalosReader, node: NodeModel, bootId: string, signal: AbortSignal): Promise<void> {
  if ((await machine.bootId(signal)) === bootId) return;
  const { tag: running } = await machine.version(signal);
  throw new TkError(lifecycleFailure('node/restarted', { node: node.name, running }));
}

export function createLifecycle(parts: LifecycleParts): { readonly lifecycle: Lifecycle; readonly gates: Gates } {
  const { model, clock, files, connections, access } = parts;
  const controlPlanes = model.nodes.filter((node) => node.role === 'controlplane');
  const { facts, glance, kubeNode, survey, etcd } = createFacts({ clock, connections, access, controlPlanes });
  const change = (node: NodeModel, use: (machine: TalosMutator) => Promise<unknown>): Promise<void> =>
    connections.change(node, use).then(() => {});

  const kubeNames = new Map<NodeModel, string>();
  /** As Kubernetes calls it; asked once, and again when nobody is called so any more. Failure: `node/not-in-kubernetes`. */
  const kubeName = async (node: NodeModel, signal: AbortSignal): Promise<string> => {
    const known = kubeNames.get(node);
    if (known !== undefined) return known;
    const found = findKubeNode(await listKubeNodes(await access.reader(), signal), node);
    if (found === undefined) throw new TkError(lifecycleFailure('node/not-in-kubernetes', { node: node.name }));
    kubeNames.set(node, found.metadata.name);
    return found.metadata.name;
  };
  const underItsName = async <T>(node: NodeModel, signal: AbortSignal, use: (name: string) => Promise<T>): Promise<T> => {
    const wasKnown = kubeNames.has(node);
    try {
      return await use(await kubeName(node, signal));
    } catch (error) {
      if (!wasKnown || !hasCode(error, 'node/not-in-kubernetes')) throw error;
      kubeNames.delete(node);
      return use(await kubeName(node, signal));
    }
  };
  const hasKubernetes = async (): Promise<boolean> => {
    try {
      await access.kubeconfig();
      return true;
    } catch (error) {
      if (hasCode(error, 'cluster/no-kubeconfig')) return false;
      throw error;
    }
  };

  const lifecycle: Lifecycle = {
    facts,
    survey,
    etcd,
    boot: (node, signal) =>
      connections.readProven(node, signal, async (machine, { version }) => ({
        bootId: await machine.bootId(signal),
        stage: (await machine.machineStatus(signal)).stage,
        ...(version ? { talosVersion: version.tag } : {}),
        atMs: clock.now(),
      })),
    back: (node, wanted) =>
      backCondition({
        node,
        wanted,
        glance: (signal) => glance(node, signal),
        kubeNode: (signal) => kubeNode(node, signal),
        facts: (signal) => facts(node, signal),
        wantsKubernetes: hasKubernetes,
      }),
    volumesDetached: (node) =>
      volumesDetachedCondition(
        node.name,
        (signal) => kubeName(node, signal),
        () => access.reader(),
      ),
    async drainPreview(node, signal) {
      const kube = await access.reader();
      return drainPreviewOf(await podsOn(kube, await kubeName(node, signal), signal));
    },
    async image(seen, wanted, overrides, signal) {
      // Also beside `--image`: that one is held against what the inventory says.
      const inventoryImage = installerImageOfConfig((await parts.configOf(seen.node, signal)).reveal());
      return imageFor(
        { node: seen.node, facts: seen, wanted, ...(inventoryImage === undefined ? {} : { inventoryImage }) },
        overrides.get(imageGate),
      );
    },

    cordon: (node, run, signal) => underItsName(node, signal, async (name) => setCordon(await access.writer(), name, run, signal)),
    uncordon: (node, signal) => underItsName(node, signal, async (name) => clearCordon(await access.writer(), name, signal)),
    async drain(node, policy, observe, signal) {
      if (policy.how === 'skip') return { evicted: 0, deleted: [] };
      return drainNode({ kube: await access.writer(), clock, nodeName: await kubeName(node, signal), policy, observe }, signal);
    },
    pull: (node, image, signal) =>
      connections.change(node, async (machine) => {
        if (await hasLifecycleService(machine, signal)) return machine.pullImage(image, signal);
        await machine.pullImageLegacy(image, signal);
        return image;
      }),
    install: (node, { image, inBoot, observe }, signal) =>
      change(node, async (machine) => {
        await stillInBoot(machine, node, inBoot, signal);
        await machine.upgrade(image, observe, signal);
      }),
    upgradeLegacy: (node, { inBoot, ...options }, signal) =>
      change(node, async (machine) => {
        await stillInBoot(machine, node, inBoot, signal);
        await machine.upgradeLegacy(options, signal);
      }),
    reboot: (node, mode, signal) => change(node, (machine) => machine.reboot(mode, signal)),
    shutdown: (node, options, signal) => change(node, (machine) => machine.shutdown(options, signal)),
    reset: (node, options, signal) => change(node, (machine) => machine.reset(options, signal)),
    rollback: (node, signal) =>
      change(node, async (machine) => {
        try {
          await machine.rollback(signal);
        } catch (error) {
          if (!hasCode(error, 'talos/rpc') || !noOtherSlot.test(String(error.failure.facts['message']))) throw error;
          const { tag: running } = await machine.version(signal);
          throw new TkError(lifecycleFailure('node/nothing-before', { node: node.name, running }, { cause: error.failure }));
        }
      }),
    async moveLeadership(node, signal) {
      if (controlPlanes.length < 2 || node.role !== 'controlplane') return undefined;
      /** As the member itself sees it; one that does not answer does not lead. */
      const leads = async (limited: AbortSignal) => {
        try {
          const { leader, memberId } = await connections.read(node, (machine) => machine.etcdStatus(limited));
          return leader === memberId;
        } catch (error) {
          if (limited.aborted || !(error instanceof TkError)) throw error;
          return false;
        }
      };
      if (!(await leads(signal))) return undefined;
      let next = '';
      await connections.change(node, async (machine) => {
        next = await machine.forfeitEtcdLeadership(signal);
      });
      // The reply names whom it asked; whether that member leads now is for the members to say.
      await waitFor(
        {
          description: `another etcd leader than ${node.name}`,
          deadlineMs: leadershipDeadlineMs,
          intervalMs: seconds(1),
          transient: isTransientTalos,
          check: async (limited) => ((await leads(limited)) ? notYet(`${node.name} still leads`) : holds(undefined)),
        },
        clock,
        signal,
      );
      const now = (await etcd(signal)).views.find((view) => view.state === 'answered' && view.leader === view.memberId);
      return now?.node.name ?? next;
    },
    snapshot: (options, signal) => takeSnapshot({ model, files, clock, connections, etcd }, options, signal),
    kubeNode,
    whileLooking: (node, look, work) => parts.lastLooks.during(node, look, work),
    lease: async (run, signal) =>
      takeLease(
        { clock, kube: () => access.writer(), operator: await operatorId(files, parts.random, parts.cacheDirectory, model.name) },
        run,
        signal,
      ),
  };

  const gates = createGates({
    model,
    clock,
    connections,
    access,
    etcd,
    configured: parts.configuredGates,
    verifyIdentity: (node, signal) => connections.verify(node, signal),
  });
  return { lifecycle, gates };
}

const hasLifecycleService = async (machine: TalosMutator, signal: AbortSignal): Promise<boolean> =>
  isAtLeast((await machine.version(signal)).tag, firstWithLifecycleService);
