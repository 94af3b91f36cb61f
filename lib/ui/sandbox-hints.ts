/** They look for the sandbox themselves, or have nothing to do with a cluster. */
const aside = new Set(['resume', 'init', 'completion', 'sops', 'schematic', 'machineconfig']);

/**
 * `npx tk talos:dmesg NODE=cp-1` becomes `npx tk talos:dmesg --sim NODE=cp-1`: whoever rehearses and copies a hint must not end up at
 * real machines. What says so already stays as it is.
 */
export function hintsForSandbox(text: string): string {
  return text.replace(/\bnpx tk ([a-z][\w:-]*)([^;&\n]*)/g, (whole, command: string, rest: string) =>
    aside.has(command) || command.startsWith('sim:') || rest.includes('--sim') ? whole : `npx tk ${command} --sim${rest}`,
  );
}

const asTheyAre = (text: string): string => text;

/** What a renderer does with the hints that it writes. */
export const hintsIn = ({ isSandbox }: { readonly isSandbox?: boolean | undefined }): ((text: string) => string) =>
  isSandbox === true ? hintsForSandbox : asTheyAre;
