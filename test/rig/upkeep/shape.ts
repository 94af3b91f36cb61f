/** A cluster by its numbers: `1+1`, `3+0`. */
export type Shape = { readonly controlPlanes: number; readonly workers: number };

export const namesOf = ({ controlPlanes, workers }: Shape): readonly string[] => [
  ...Array.from({ length: controlPlanes }, (_, index) => `cp-${index + 1}`),
  ...Array.from({ length: workers }, (_, index) => `worker-${index + 1}`),
];

export const shapeText = ({ controlPlanes, workers }: Shape): string => `${controlPlanes}+${workers}`;

export function shapeOf(text: string): Shape {
  const [controlPlanes = 1, workers = 0] = text.split('+').map(Number);
  return { controlPlanes, workers };
}
