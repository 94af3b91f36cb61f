import { kubeRig, never } from '../../unit/sim/kube/rig.ts';
import { createNormaliser, parseAnswer } from './normalise.ts';
import { recordedRequests } from './requests.ts';

export interface Exchange {
  readonly id: string;
  readonly status: number;
  readonly warning?: string;
  readonly body: unknown;
}

/** The same conversation with the simulated API server. */
export async function replay(): Promise<readonly Exchange[]> {
  const { world, target, pass } = await kubeRig();
  const normalise = createNormaliser();
  const versions = new Map<string, string>();
  const answers: Exchange[] = [];
  for (const { id, method, path, contentType, accept, user, body, until } of recordedRequests) {
    const filled = path.replace(/\{rv:([^}]+)\}/, (_match, other: string) => versions.get(other) ?? '');
    const ask = async () => {
      const response = await world.dial.http({
        target: target('10.5.0.11'),
        method,
        path: filled,
        headers: {
          accept: accept ?? 'application/json',
          'user-agent': 'tk',
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...(user === undefined ? {} : { 'impersonate-user': user }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: never,
      });
      const chunks: Uint8Array[] = [];
      const reading = (async () => {
        for await (const chunk of response.body) chunks.push(chunk);
      })();
      // A stream ends when its virtual time is over.
      if (path.includes('watch=1')) await pass(1100);
      await reading;
      return { status: response.status, body: Buffer.concat(chunks).toString(), warning: response.headers['warning'] };
    };
    let raw = await ask();
    for (let tries = 0; until !== undefined && !raw.body.includes(until) && tries < 50; tries += 1) {
      await pass(200);
      raw = await ask();
    }
    const answer = parseAnswer(raw.body) as { metadata?: { resourceVersion?: string } };
    if (answer.metadata?.resourceVersion) versions.set(id, answer.metadata.resourceVersion);
    answers.push({ id, status: raw.status, ...(raw.warning === undefined ? {} : { warning: raw.warning }), body: normalise(answer) });
  }
  return answers;
}
