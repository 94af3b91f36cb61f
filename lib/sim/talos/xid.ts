const alphabet = '0123456789abcdefghijklmnopqrstuv';

/**
 * A time-ordered id of 20 characters, as Talos gives to events: seconds, machine, process, counter. talosctl 1.14 asks for
 * "everything after this id" and Talos answers by comparing them.
 */
export function xid(nowMs: number, machine: Uint8Array, counter: number): string {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(nowMs / 1000));
  bytes.set(machine.subarray(0, 5), 4);
  bytes[9] = (counter >>> 16) & 255;
  bytes[10] = (counter >>> 8) & 255;
  bytes[11] = counter & 255;
  let bits = 0;
  let held = 0;
  let text = '';
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 5) {
      held -= 5;
      text += alphabet[(bits >>> held) & 31];
      bits &= (1 << held) - 1;
    }
  }
  return text + alphabet[(bits << (5 - held)) & 31];
}
