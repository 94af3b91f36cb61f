// A picker on a terminal; prints what was picked.
import { pick } from '../../../../lib/ui/picker.ts';

const picks = [
  { value: 'bootstrap', about: 'Take bare machines to a healthy cluster' },
  { value: 'talos:apply', about: 'Apply the configs of all nodes' },
  { value: 'talos:health', about: 'Wait for the checks' },
];
const picked = await pick({ streams: { stdin: process.stdin, stdout: process.stdout }, heading: 'home-ops', picks });
process.stdout.write(`picked ${picked}\n`);
