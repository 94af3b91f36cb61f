import { defineTask, memberIdText } from 'talos-tk';

export default defineTask({
  summary: 'Disarm the alarms of etcd',
  description: 'After its cause has gone: etcd raises it again otherwise.',
  examples: ['talos:etcd-disarm'],
  effect: 'mutate',
  locks: ['etcd'],
  async probe({ cluster, signal }) {
    const picture = await cluster.lifecycle.etcd(signal);
    cluster.operations.etcd.mustAnswer(picture);
    return alarmsIn(picture);
  },
  plan: (_context, alarms) =>
    alarms === undefined
      ? [{ decision: 'unknown', title: 'disarm alarms', reason: 'no member was asked' }]
      : alarms.length === 0
        ? [{ decision: 'skip', title: 'disarm alarms', reason: 'there are none' }]
        : [
            {
              decision: 'run',
              title: 'disarm alarms',
              reason: alarms.join(', '),
              calls: [{ target: 'etcd', call: 'machine.MachineService/EtcdAlarmDisarm' }],
            },
          ],
  async run({ cluster, step, skip, detail }) {
    const result = await step.probeAct('disarm alarms', {
      async probe({ signal }) {
        const picture = await cluster.lifecycle.etcd(signal);
        cluster.operations.etcd.mustAnswer(picture);
        const alarms = alarmsIn(picture);
        return alarms.length === 0
          ? { state: 'done', seen: 'there are none', value: [] as readonly string[] }
          : { state: 'not-done', seen: alarms.join(', ') };
      },
      async act({ signal }) {
        const picture = await cluster.lifecycle.etcd(signal);
        await cluster.operations.etcd.disarm(picture, signal);
        return alarmsIn(picture);
      },
    });
    if (result.state === 'already-done') skip(result.seen);
    else detail(result.value.join(', '));
    return { disarmed: result.value };
  },
});

type Picture = Awaited<ReturnType<Parameters<NonNullable<Parameters<typeof defineTask>[0]['probe']>>[0]['cluster']['lifecycle']['etcd']>>;

/** Every member tells of all alarms. */
function alarmsIn({ views }: Picture): readonly string[] {
  return [
    ...new Set(
      views.flatMap((view) =>
        view.state === 'answered' ? view.alarms.map(({ memberId, alarm }) => `${memberIdText(memberId)} ${alarm}`) : [],
      ),
    ),
  ].sort();
}
