import { TkError } from '../../../base/index.ts';
import { operationFailure } from '../failures.ts';
import type { DoctorParts, Note } from './finding.ts';

export async function examineKubernetes({ cluster, access }: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  const state = await cluster.kubeconfig.state();
  if (state.state !== 'right') {
    const because = state.state === 'missing' ? 'there is none' : state.because;
    note(state.state === 'missing' ? 'warning' : 'error', operationFailure('doctor/kubeconfig', { because }), 'npx tk talos:kubeconfig');
    if (state.state === 'missing') return;
  }
  const kube = await access.reader();
  try {
    await kube.ready(signal);
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    note(
      'error',
      operationFailure('doctor/kubernetes-unreachable', { server: kube.server }, { cause: error.failure }),
      'npx tk talos:health',
    );
  }
}
