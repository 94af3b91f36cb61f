import type { Installed, Machine, SlotName, Slots } from './machine.ts';

const other = (slot: SlotName): SlotName => (slot === 'A' ? 'B' : 'A');

/** Undefined on a machine that runs from memory. */
export function slotsOf(machine: Machine): Slots | undefined {
  const installed = machine.get('installed');
  return machine.get('slots') ?? (installed && { default: 'A', running: 'A', A: installed });
}

/** What the next start takes. */
export function nextOf(machine: Machine): Installed | undefined {
  const slots = slotsOf(machine);
  return slots?.[slots.default];
}

export function installFirst(machine: Machine, installed: Installed): void {
  machine.set('installed', installed);
  machine.set('slots', { default: 'A', running: 'A', A: installed });
}

/** What the installer of an upgrade leaves behind: the running slot is never touched. */
export function installBeside(machine: Machine, installed: Installed): void {
  const slots = slotsOf(machine);
  if (!slots) return;
  const target = other(slots.running);
  machine.set('slots', { ...slots, [target]: installed, default: target, fallback: slots.running });
}

/** Makes the other entry the default one; false when there is none. */
export function revertDefault(machine: Machine): boolean {
  const slots = slotsOf(machine);
  const target = slots && other(slots.default);
  if (!slots || !target || !slots[target]) return false;
  machine.set('slots', { ...slots, default: target });
  return true;
}

/** A start that failed: back to the slot before the upgrade, if META names one. */
export function revertFailed(machine: Machine): boolean {
  const slots = slotsOf(machine);
  if (!slots?.fallback) return false;
  const { fallback, ...rest } = slots;
  machine.set('slots', { ...rest, default: fallback });
  return true;
}

/** Once in the boot of what was installed: what is installed now is for the next one. */
export function dropFallback(machine: Machine): void {
  const slots = slotsOf(machine);
  if (!slots?.fallback || slots.running !== slots.default) return;
  const { fallback: _dropped, ...rest } = slots;
  machine.set('slots', rest);
}

/** Takes the default entry; true when it is started for the first time since an upgrade wrote it. */
export function startDefault(machine: Machine): boolean {
  const slots = slotsOf(machine);
  const installed = slots?.[slots.default];
  if (!slots || !installed) return false;
  machine.set('slots', { ...slots, running: slots.default });
  machine.set('installed', installed);
  return slots.fallback !== undefined && slots.default !== slots.fallback;
}
