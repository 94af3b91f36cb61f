/** The cluster of the repository as one object. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the cluster layer
export interface Cluster {}
