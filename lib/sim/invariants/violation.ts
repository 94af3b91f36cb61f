/** As in the catalogue: what must be true of every history, whatever goes wrong in it. */
export type InvariantId =
  `I-${'01' | '02' | '03' | '04' | '05' | '06' | '07' | '08' | '09' | '10' | '11' | '12' | '13' | '14' | '15' | '16' | '17' | '18' | '19' | '20'}`;

export interface Violation {
  readonly invariant: InvariantId;
  readonly atMs: number;
  readonly what: string;
}

export type Report = (invariant: InvariantId, what: string) => void;
