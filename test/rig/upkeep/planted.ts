import type { Bias } from './schedule.ts';

/** A defect that somebody could have written, as an edit of the product's source; and where the swarm looks for it. */
export interface PlantedBug {
  readonly name: string;
  readonly what: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  readonly stories: readonly string[];
  readonly bias?: Bias;
}

const life = (file: string) => `lib/cluster/lifecycle/${file}.ts`;

/** Of issue 5, in its order. A bug whose place is gone says so when it is planted. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'quorum-once',
    what: 'quorum is not checked again after the drain',
    edits: [
      { file: life('disrupt'), find: '        await check(handle, isDrained);\n', replace: '' },
      { file: life('disrupt'), find: "await step.pure('gates again', (handle) => check(handle, true), at);", replace: 'void 0;' },
    ],
    stories: ['upgrade-node', 'reboot'],
    bias: { shape: { controlPlanes: 3, workers: 0 }, losesPower: 1 },
  },
  {
    name: 'cached-members',
    what: 'the member list is asked once and kept',
    edits: [
      {
        file: life('facts'),
        find: '  const etcd = async (signal: AbortSignal): Promise<EtcdPicture> => {\n',
        replace:
          '  let kept: EtcdPicture | undefined;\n  const etcd = async (signal: AbortSignal): Promise<EtcdPicture> => (kept = kept ? { ...kept, observedAtMs: clock.monotonicMs() } : await askEtcd(signal));\n  const askEtcd = async (signal: AbortSignal): Promise<EtcdPicture> => {\n',
      },
    ],
    stories: ['upgrade-node', 'reboot', 'reboot-all'],
    bias: { shape: { controlPlanes: 3, workers: 0 }, losesPower: 1 },
  },
  {
    name: 'two-members',
    what: 'a cluster of two members is allowed without consent',
    edits: [
      { file: life('quorum'), find: 'if (disruption.acceptsDowntime !== true)', replace: 'if (disruption.acceptsDowntime === null)' },
    ],
    stories: ['upgrade-without-consent'],
    bias: { shape: { controlPlanes: 2, workers: 0 } },
  },
  {
    name: 'first-node-only',
    what: 'the version is read from the first node only',
    edits: [
      {
        file: life('roll'),
        find: '  throwIfAny(failures);\n  const left',
        replace:
          "  throwIfAny(failures);\n  if (states[0]?.state === 'equal') for (let i = 1; i < states.length; i += 1) { const one = states[i]; if (one && 'facts' in one && one.facts && one.target) states[i] = { state: 'equal', facts: one.facts, target: one.target, cordon: { state: 'none' } }; }\n  const left",
      },
    ],
    stories: ['upgrade'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'event-without-poll',
    what: 'the accepted call is taken for the machine being back',
    edits: [
      {
        file: life('back'),
        find: '      const seen = await glance(signal);\n',
        replace: '      const seen = await glance(signal);\n      if (seen.talosVersion !== "") return holds(await facts(signal));\n',
      },
    ],
    stories: ['reboot', 'upgrade-node'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'rollback-is-success',
    what: 'a machine that fell back is taken for upgraded',
    edits: [
      {
        file: life('back'),
        find: '    const wrong = differenceOf(seen, wanted);',
        replace: '    const wrong = undefined as ReturnType<typeof differenceOf>;',
      },
    ],
    stories: ['upgrade-node', 'upgrade'],
    bias: { arms: ['talos/new-slot failed'], shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'boot-id-ignored',
    what: 'the boot id is not compared',
    edits: [
      {
        file: life('back'),
        find: '    if (seen.bootId === wanted.afterBoot) return notYet(',
        replace: '    if (seen.bootId === "") return notYet(',
      },
    ],
    stories: ['reboot', 'upgrade-node'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'uncordon-forgotten',
    what: 'the cordon of ours stays',
    edits: [
      {
        file: life('disrupt'),
        find: '    isBackCordoned = true;\n    await uncordonStep(context, node);\n    isBackCordoned = false;\n',
        replace: '',
      },
    ],
    stories: ['reboot', 'upgrade-node'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'foreign-cordon-removed',
    what: "a user's cordon is removed",
    edits: [
      { file: life('node-mark'), find: "if (cordon.state === 'foreign') return { result: cordon };", replace: '' },
      { file: life('gates/other-drivers'), find: 'if (foreign.length > 0)', replace: 'if (foreign.length > 99)' },
    ],
    stories: ['reboot', 'upgrade-node'],
    bias: { shape: { controlPlanes: 1, workers: 1 }, cordons: 1 },
  },
  {
    name: 'reboot-repeated',
    what: 'the reboot is sent again after a lost reply',
    edits: [
      {
        file: life('reboot-evidence'),
        find: 'if (current !== bootId) return staying(done(`${node.name} has booted since`));',
        replace: '',
      },
      {
        file: life('reboot-evidence'),
        find: 'if (leavingStages.has(stage)) return { evidence: done(`${node.name} is ${stage}`), isLeaving: true };',
        replace: '',
      },
    ],
    stories: ['upgrade-node', 'reboot'],
    bias: { arms: ['wire/reply lost', 'wire/reply reset'], shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'exit-code-ignored',
    what: "the installer's exit code is ignored",
    edits: [{ file: 'lib/talos/client/mutator.ts', find: 'if (exitCode !== 0) throw', replace: 'if (exitCode === -1) throw' }],
    stories: ['upgrade-node'],
    bias: { arms: ['talos/installer failed'], shape: { controlPlanes: 1, workers: 1 }, talos: 'v1.14.1' },
  },
  {
    name: 'vanilla-installer',
    what: 'a machine with extensions gets the installer without any',
    edits: [
      {
        file: life('image'),
        find: '    target: { image, version, ...(name?.schematicId === undefined ? {} : { schematicId: name.schematicId }) },\n    disagreements: found,',
        replace: '    target: { image: `ghcr.io/siderolabs/installer:${version}`, version },\n    disagreements: [],',
      },
    ],
    stories: ['upgrade-node'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'empty-snapshot',
    what: 'a snapshot without a byte is accepted',
    edits: [
      {
        file: life('snapshot'),
        find: '      const contents = readSnapshot(bytes);\n',
        replace:
          '      const contents = { sizeBytes: bytes.length, revision: 1n, hash: 0, keys: 0, sha256: "" } as unknown as ReturnType<typeof readSnapshot>;\n',
      },
    ],
    stories: ['upgrade-first-control-plane'],
    bias: { arms: ['talos/snapshot empty'], shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'too-many-workers',
    what: 'one worker more than agreed is away',
    edits: [{ file: life('roll'), find: '    parallel: share,', replace: '    parallel: share + 1,' }],
    stories: ['upgrade'],
    bias: { shape: { controlPlanes: 1, workers: 3 } },
  },
  {
    name: 'on-after-a-failure',
    what: 'the next control plane is begun after a failure',
    edits: [
      {
        file: life('roll'),
        find: '      await upgrade(state);\n    }\n    if (roll.canary',
        replace: '      await upgrade(state).catch(() => {});\n    }\n    if (roll.canary',
      },
    ],
    stories: ['upgrade'],
    bias: { shape: { controlPlanes: 3, workers: 0 } },
  },
  {
    name: 'lease-not-asked-again',
    what: 'the lock is not looked at again after a sleep',
    edits: [
      {
        file: life('lease'),
        find: '    async verify(limited) {\n      await own(limited);',
        replace: '    async verify(limited) {\n      void limited;',
      },
    ],
    stories: ['upgrade-node', 'reboot'],
    bias: { shape: { controlPlanes: 1, workers: 1 }, closes: 1 },
  },
  {
    name: 'kubelet-missed',
    what: "a kubelet's change is not waited for: a healthy one is taken for the new one",
    edits: [
      {
        file: 'lib/cluster/kubernetes-upgrade/running.ts',
        find: 'if (runs !== versionOfImage(image)) return',
        replace: 'if (runs === undefined) return',
      },
    ],
    stories: ['upgrade-k8s'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'pin-stays',
    what: "the repository's version does not follow",
    edits: [{ file: 'lib/cluster/kubernetes-upgrade/follow-pins.ts', find: '      await cluster.pins.follow(plan);\n', replace: '' }],
    stories: ['upgrade-k8s'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'name-not-compared',
    what: 'the typed name is not compared',
    edits: [
      {
        file: 'lib/core/answers.ts',
        find: 'return textOf(question, given).trim() === question.phrase;',
        replace: 'return textOf(question, given).trim() !== "";',
      },
    ],
    stories: ['reset-with-another-name-typed'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
  {
    name: 'last-voter-reset',
    what: 'the last voter of etcd is reset',
    edits: [
      {
        file: life('quorum'),
        find: "if (disruption.etcd === 'for-good' && isVoter && voters.length === 1)",
        replace: "if (disruption.etcd === 'for-good' && isVoter && voters.length === 99)",
      },
      {
        file: life('quorum'),
        find: '} else if (isTooFew && isVoter) {',
        replace: '} else if (isTooFew && isVoter && voters.length > 1) {',
      },
    ],
    stories: ['reset-of-the-last-voter'],
    bias: { shape: { controlPlanes: 1, workers: 1 } },
  },
];
