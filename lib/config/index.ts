export type { ClusterModel, ClusterPaths, DiskChoice, NodeModel } from './model.ts';
