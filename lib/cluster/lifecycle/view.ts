import type { Lifecycle, LifecycleView } from './lifecycle.ts';

/** What may be asked, without the acts. */
export function lifecycleViewOf(lifecycle: Lifecycle): LifecycleView {
  return {
    facts: (node, signal) => lifecycle.facts(node, signal),
    survey: (nodes, signal) => lifecycle.survey(nodes, signal),
    boot: (node, signal) => lifecycle.boot(node, signal),
    etcd: (signal) => lifecycle.etcd(signal),
    back: (node, wanted) => lifecycle.back(node, wanted),
    volumesDetached: (node) => lifecycle.volumesDetached(node),
    drainPreview: (node, signal) => lifecycle.drainPreview(node, signal),
    image: (facts, wanted, overrides, signal) => lifecycle.image(facts, wanted, overrides, signal),
  };
}
