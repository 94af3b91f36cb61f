import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kubeRig } from '../../unit/sim/kube/rig.ts';
import { factsOf, type Generation, generations } from './kubectl-commands.ts';

interface Transcript {
  readonly command: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly asked: readonly {
    readonly method: string;
    readonly path: string;
    readonly accept?: string;
    readonly contentType?: string;
    readonly body?: unknown;
    readonly status: number;
  }[];
}

const transcriptsOf = (generation: Generation) =>
  JSON.parse(readFileSync(new URL(`./kubectl-${generation}.json`, import.meta.url), 'utf8')) as readonly Transcript[];

const each = Object.keys(generations) as readonly Generation[];

test.each(each)('stock kubectl %s got along with the simulated API server', (generation) => {
  const transcripts = transcriptsOf(generation);
  expect(transcripts[0]?.stdout).toMatch(`Client Version: ${generations[generation].kubectl}`);
  const short = transcripts.map(
    ({ command, exitCode, stdout, stderr }) => `${exitCode} ${command}${exitCode === 0 ? '' : ` # ${(stderr || stdout).split('\n')[0]}`}`,
  );
  expect(short).toMatchInlineSnapshot(`
    [
      "0 kubectl version",
      "0 kubectl get nodes -o wide",
      "0 kubectl get pods --all-namespaces -o wide",
      "0 kubectl get all -n kube-system",
      "0 kubectl get namespaces -o name",
      "0 kubectl apply --server-side -f demo.yaml",
      "0 kubectl wait --for=condition=Established crd/widgets.example.org --timeout=30s",
      "0 kubectl wait -n demo --for=condition=Available deployment/web --timeout=60s",
      "0 kubectl rollout status -n demo deployment/web --timeout=60s",
      "0 kubectl get deployments,replicasets,pods -n demo -o wide",
      "0 kubectl get deployment web -n demo -o jsonpath={.status.readyReplicas}",
      "0 kubectl apply --server-side -f demo.yaml",
      "0 kubectl apply --server-side --field-manager=other -f demo.yaml",
      "0 kubectl diff --server-side -f demo.yaml",
      "0 kubectl scale -n demo deployment/web --replicas=3",
      "0 kubectl label node worker-1 zone=a",
      "0 kubectl annotate namespace demo note=x",
      "0 kubectl drain worker-1 --ignore-daemonsets --timeout=60s",
      "0 kubectl uncordon worker-1",
      "0 kubectl create -f settings.yaml",
      "1 kubectl create -f settings.yaml # Error from server (AlreadyExists): error when creating "settings.yaml": configmaps "settings" already exists",
      "0 kubectl apply -f settings.yaml",
      "0 kubectl patch configmap settings -n demo --type=merge -p {"data":{"b":"2"}}",
      "0 kubectl get configmap settings -n demo -o jsonpath={.data}",
      "0 kubectl get widgets -n demo",
      "1 kubectl get nothing # error: the server doesn't have a resource type "nothing"",
      "1 kubectl get pod nothing -n demo # Error from server (NotFound): pods "nothing" not found",
      "0 kubectl describe node cp-1",
      "0 kubectl api-resources --api-group=apps",
      "0 kubectl delete configmap settings -n demo",
      "0 kubectl delete namespace demo --timeout=60s",
    ]
  `);
});

test.each(each)('everything that stock kubectl %s asks is still answered as it was when kubectl was content', async (generation) => {
  const { world, target, kube, pass } = await kubeRig({ cni: 'flannel', seed: 'kubectl' });
  for (const one of factsOf(generation)) kube.kubeletUp(one);
  await pass(60_000);
  // Names of pods differ from run to run: the recorded one stands for whichever pod of that workload there is now.
  const names = new Map<string, string>();
  const currentName = (recorded: string) => {
    const prefix = recorded.slice(0, recorded.lastIndexOf('-') + 1);
    const taken = new Set(names.values());
    const pods = kube.state
      .list(kube.state.allKinds().find(({ kind }) => kind === 'Pod') as never)
      .map((pod) => (pod.metadata as { name: string }).name);
    const found = names.get(recorded) ?? pods.find((name) => name.startsWith(prefix) && !taken.has(name)) ?? recorded;
    names.set(recorded, found);
    return found;
  };
  const differing: string[] = [];
  let count = 0;
  for (const { command, asked } of transcriptsOf(generation)) {
    for (const { method, path, accept, contentType, body, status } of asked) {
      const rename = (text: string) => text.replace(/web-[a-z0-9]{7}-[a-z0-9]{5}/g, currentName);
      const ask = async () => {
        const stop = new AbortController();
        const response = await world.dial.http({
          target: target('10.5.0.11'),
          method,
          path: rename(path).replace(/resourceVersion=\d+/, 'resourceVersion='),
          headers: {
            'user-agent': `kubectl/${generations[generation].kubectl}`,
            ...(accept === undefined ? {} : { accept }),
            ...(contentType === undefined ? {} : { 'content-type': contentType }),
          },
          ...(body === undefined ? {} : { body: rename(JSON.stringify(body)).replace(/"resourceVersion":"\d+",?/, '') }),
          signal: stop.signal,
        });
        if (path.includes('watch=')) await pass(15_000);
        stop.abort();
        return response;
      };
      let response = await ask();
      count += 1;
      // What kubectl polled for: a pod that is gone some time after its eviction.
      if (method === 'GET' && response.status !== status) {
        await pass(5000);
        response = await ask();
      }
      if (response.status !== status) differing.push(`${command}: ${method} ${path}: ${response.status} instead of ${status}`);
    }
    await pass(20_000);
  }
  expect(differing).toEqual([]);
  expect(count).toBeGreaterThan(100);
});
