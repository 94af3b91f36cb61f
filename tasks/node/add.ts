import { defineTask, fail, z } from 'talos-tk';

const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

export default defineTask({
  summary: 'Add a machine to the inventory',
  description:
    'Asks for what was not given. A machine that waits in maintenance mode is looked at: its disks and network cards are offered. The file of the inventory keeps its comments.',
  params: z.object({
    name: z.string().optional().describe('its host name'),
    address: z.string().optional().describe('its address'),
    controller: z.boolean().optional().describe('whether it is a control plane'),
    disk: z.string().optional().describe('install disk: a path, or a serial number'),
    macAddr: z.string().optional().describe('address of its network card'),
  }),
  positional: ['name', 'address'],
  effect: 'write',
  plan: ({ params, cluster }) => [
    { decision: 'run', title: `add ${params.name ?? 'a node'}`, calls: [{ target: cluster.inventory.path, call: 'write file' }] },
  ],
  async run({ params, cluster, prompt, step, detail, report, signal }) {
    const names = cluster.nodes.map((node): string => node.name);
    const addresses = new Set(cluster.nodes.flatMap((node) => node.addresses));
    const checkName = (text: string) =>
      !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
        ? 'lower case letters, digits and dashes'
        : names.includes(text)
          ? 'a node of that name is there already'
          : undefined;
    const checkAddress = (text: string) => (addresses.has(text) ? 'a node of that address is there already' : undefined);

    const address =
      params.address ?? (await prompt.text({ name: 'address', message: 'The address of the machine', validate: checkAddress }));
    refuseIf(checkAddress(address), `\`${address}\``);
    const found = await step.pure('look at the machine', async (handle) => {
      const machine = await cluster.inventory.discover(address, signal);
      handle.detail(machine.state === 'unreachable' ? `no answer (${machine.reason})` : machine.state);
      if (machine.state === 'unreachable')
        handle.log.warn(
          `${address} does not answer yet, so its disks and network cards cannot be offered. Boot it from the image that npx tk talos:image-url names and start again, or say what it has`,
        );
      return machine;
    });
    const controller =
      params.controller ?? (await prompt.confirm({ name: 'controller', message: 'Is it a control plane?', default: false }));
    const role = controller ? 'cp' : 'worker';
    const free = Array.from({ length: names.length + 1 }, (_, index) => `${role}-${index + 1}`).find((name) => !names.includes(name));
    const name =
      params.name ??
      (await prompt.text({ name: 'name', message: 'Its name', ...(free === undefined ? {} : { default: free }), validate: checkName }));
    refuseIf(checkName(name), `\`${name}\``);

    const disks = found.state === 'maintenance' ? found.disks : [];
    const disk =
      params.disk ??
      (disks.length > 0
        ? await prompt.select({
            name: 'disk',
            message: 'Which disk is Talos installed to? What is on it is lost',
            choices: disks.map(({ path, serial, model, sizeBytes }) => ({
              value: serial === '' ? path : serial,
              hint: `${path} ${model} ${(sizeBytes / 1e9).toFixed(0)} GB`,
            })),
          })
        : await prompt.text({ name: 'disk', message: 'Its install disk: a path, or a serial number', default: '/dev/nvme0n1' }));
    const links = found.state === 'maintenance' ? found.links : [];
    const macAddress = (
      params.macAddr ??
      (links.length > 1
        ? await prompt.select({
            name: 'mac-addr',
            message: 'Which network card?',
            choices: links.map((link) => ({ value: link.macAddress, hint: link.name })),
          })
        : (links[0]?.macAddress ??
          (await prompt.text({
            name: 'mac-addr',
            message: 'The MAC address of its network card',
            validate: (text) => (macPattern.test(text.toLowerCase()) ? undefined : 'six pairs like 00:11:22:33:44:55'),
          }))))
    ).toLowerCase();

    await step(`write ${cluster.inventory.path}`, () => cluster.inventory.add({ name, address, controller, disk, macAddress }));
    detail(`${name} ${address}`);
    report({ rows: { Next: `npx tk talos:apply-node NODE=${name}` } });
    return { name, address, controller, disk, macAddress };
  },
});

function refuseIf(problem: string | undefined, what: string): void {
  if (problem !== undefined) fail(`${what}: ${problem}`, { help: 'npx tk node:add' });
}
