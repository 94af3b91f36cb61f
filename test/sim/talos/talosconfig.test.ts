import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { simulate, type SimulatedRepository } from 'talos-tk/testing';

const path = 'talos/clusterconfig/talosconfig';

async function certificateOf(rig: SimulatedRepository) {
  const text = (await rig.files.readText(`${rig.root}/${path}`)) ?? '';
  const certificate = new X509Certificate(Buffer.from(/crt: (\S+)/.exec(text)?.[1] ?? '', 'base64'));
  const hours = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 3_600_000;
  return { fingerprint: certificate.fingerprint256, subject: certificate.subject, hours: Math.round(hours) };
}

test('talos:talosconfig keeps a good certificate, and makes a new one when asked', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  const first = await certificateOf(rig);
  expect(first).toMatchObject({ subject: 'O=os:admin', hours: 8760 });

  const again = await rig.tk('talos:talosconfig');
  expect({ text: again.text, value: again.value, changes: again.counts.steps.changes }).toMatchObject({
    text: '',
    value: { path, changed: false, certificateKept: true },
    changes: 0,
  });

  const rotated = await rig.tk('talos:talosconfig', { rotate: true });
  expect({ text: rotated.text, value: rotated.value }).toMatchObject({ text: '', value: { path, changed: true, certificateKept: false } });
  const second = await certificateOf(rig);
  expect(second).toMatchObject({ subject: 'O=os:admin', hours: 8760 });
  expect(second.fingerprint).not.toBe(first.fingerprint);
  // The machines take the new one.
  expect((await rig.tk('talos:diff', { live: true })).printed).toBe('1 node, 0 differences\n');

  expect((await rig.tk('talos:talosconfig', { roles: ['os:reader', 'os:etcd:backup'], validity: '12h' })).text).toBe('');
  expect(await certificateOf(rig)).toMatchObject({ subject: 'O=os:reader + O=os:etcd:backup', hours: 12 });
});

test('talos:talosconfig refuses roles and validities that Talos does not have, and writes nothing', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0 });
  expect((await rig.tk('talos:talosconfig', { validity: '1 week', roles: ['os:root'] })).text).toMatchInlineSnapshot(`
    "error[params/invalid]: \`roles.0\` of \`talos:talosconfig\` is not what it takes
    because: invalid option: expected one of "os:admin"|"os:operator"|"os:reader"|"os:etcd:backup"
    help: see \`npx tk talos:talosconfig --help\`

    error[params/invalid]: \`validity\` of \`talos:talosconfig\` is not what it takes
    because: expected hours, days or years, as in 12h, 90d, 1y
    help: see \`npx tk talos:talosconfig --help\`"
  `);
  const tooLong = await rig.tk('talos:talosconfig', { validity: '999999y' });
  expect([tooLong.exitCode, tooLong.text]).toEqual([2, expect.stringContaining('because: expected no more than 100y\n')]);
  expect(await rig.files.stat(`${rig.root}/${path}`)).toBeUndefined();
});
