import { expect, test } from 'vitest';
import { type Clock, TkError } from '../../../../lib/base/index.ts';
import { createFactory, createMemoryFiles, type FactoryOptions } from '../../../../lib/sim/index.ts';
import {
  buildSchematic,
  createImageFactory,
  parseSchematic,
  renderSchematic,
  schematicId,
  type SchematicWish,
} from '../../../../lib/talos/machine-config.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import { dialTo, quickClock } from '../../kube/charts/rig.ts';

const { signal } = new AbortController();

function rig(options: FactoryOptions = {}, answer?: { readonly status: number; readonly body: string }) {
  const clock: Clock = quickClock();
  const factory = createFactory(options);
  const seen: string[] = [];
  const handler = answer === undefined ? factory.handler : () => Promise.resolve(answer);
  const files = createMemoryFiles(clock.now);
  const ports = { dial: dialTo(handler, seen), clock, files, cacheDirectory: '/repo/.tk/cache' };
  return { factory, seen, clock, ports };
}

const wanted = (wish: Partial<SchematicWish> = {}) => buildSchematic({ talosVersion: 'v1.14.1', ...wish });

async function said(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TkError) return error.failures.map((failure) => renderFailure(failure)).join('\n');
    throw error;
  }
  return '';
}

test('a schematic from everything that can be asked for has the id of the factory', () => {
  const schematic = wanted({
    extensions: ['i915', 'siderolabs/iscsi-tools'],
    kernelArgs: ['net.ifnames=0', '-selinux'],
    overlay: 'rpi_generic',
    overlayOptions: ['configTxtAppend=over_voltage=2'],
    meta: ['0x0a=x'],
    bootloader: 'sd-boot',
    secureBoot: true,
  });
  expect(renderSchematic(schematic)).toBe(`overlay:
    image: siderolabs/sbc-raspberrypi
    name: rpi_generic
    options:
        configTxtAppend: over_voltage=2
customization:
    extraKernelArgs:
        - net.ifnames=0
        - -selinux
    meta:
        - key: 10
          value: x
    systemExtensions:
        officialExtensions:
            - siderolabs/i915
            - siderolabs/iscsi-tools
    bootloader: sd-boot
    secureboot:
        includeWellKnownCertificates: true
`);
  expect(schematicId(parseSchematic({ path: 's.yaml', text: renderSchematic(schematic) }))).toBe(schematicId(schematic));
  // Source: talos.md 6, ids that were computed by the factory's own code.
  expect(schematicId(wanted())).toBe('376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba');
  expect(schematicId(wanted({ extensions: ['qemu-guest-agent'] }))).toBe(
    'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515',
  );
  expect(schematicId(wanted({ extensions: ['iscsi-tools', 'util-linux-tools'] }))).toBe(
    '613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245',
  );
  expect(schematicId(wanted({ secureBoot: true }))).toBe('fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6');
});

test('names that the factory does not have at that version are told all at once', async () => {
  const wish = { talosVersion: 'v1.12.0', extensions: ['isci-tools', 'cachefilesd', 'i915', 'i915'], overlay: 'rpi_generik', meta: ['x'] };
  expect(await said(() => buildSchematic(wish))).toMatchInlineSnapshot(`
    "error[factory/unknown-extension]: the image factory has no extension \`isci-tools\` for Talos 1.12
    help: did you mean \`siderolabs/iscsi-tools\`?
    error[factory/unknown-extension]: the image factory has no extension \`cachefilesd\` for Talos 1.12
    error[factory/extension-twice]: the extension \`siderolabs/i915\` is asked for twice
    error[factory/unknown-overlay]: the image factory has no overlay \`rpi_generik\` for Talos 1.12
    help: did you mean \`rpi_generic\`?
    error[factory/bad-pair]: expected \`name=value\` but found \`x\`"
  `);
});

test('a schematic is registered once, and no image exists before', async () => {
  const { ports, seen, factory } = rig();
  const schematic = wanted({ extensions: ['i915'] });
  const id = schematicId(schematic);
  const image = { method: 'GET', path: `/image/${id}/v1.14.1/metal-amd64.iso`, headers: {}, body: new Uint8Array(), signal };
  expect((await factory.handler(image)).status).toBe(404);
  const port = createImageFactory(ports);
  expect(await port.register(schematic, signal)).toEqual({ id, isNew: true });
  expect(await port.register(schematic, signal)).toEqual({ id, isNew: false });
  expect(await createImageFactory(ports).register(schematic, signal)).toEqual({ id, isNew: false });
  expect(seen).toEqual(['POST https://factory.talos.dev:443/schematics']);
  expect(factory.registrations()).toEqual([id]);
  expect((await factory.handler(image)).status).toBe(200);
  // Another factory has not heard of it.
  const own = createImageFactory(ports, { host: 'factory.home:8443', protocol: 'http', endpoint: '/s' });
  expect(await said(() => own.register(schematic, signal))).toContain('it answered 404: not found');
  expect(seen.at(-1)).toBe('POST http://factory.home:8443/s');
});

test('a factory that gives another id is refused, and asked again the next time', async () => {
  const { ports, seen } = rig({ fault: () => ({ kind: 'different-id', facts: {} }) });
  const register = () => createImageFactory(ports).register(wanted(), signal);
  expect(await said(register)).toMatchInlineSnapshot(`
    "error[factory/different-id]: the image factory \`factory.talos.dev\` gives the schematic another id
    because: expected 376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba but found 12fa15d8415947a685a7061e3e5d07ef33e1bb1d8d866c0bd701f33845607940
    help: images and upgrades would name a schematic that does not exist; please report the schematic"
  `);
  expect(await said(register)).toContain('another id');
  expect(seen).toHaveLength(2);
});

test('what passes is waited for, what does not is told', async () => {
  let failures = 2;
  const busy = rig({ fault: () => (failures-- > 0 ? { kind: 'unavailable', facts: {} } : undefined) });
  expect((await createImageFactory(busy.ports).register(wanted(), signal)).isNew).toBe(true);
  expect([busy.seen.length, (busy.clock as ReturnType<typeof quickClock>).slept]).toEqual([3, [1000, 2000]]);
  const strange = rig({}, { status: 200, body: '<html>sign in</html>' });
  expect(await said(() => createImageFactory(strange.ports).register(wanted(), signal))).toContain('it answered 200: <html>sign in</html>');
});
