import { count, formatDuration, oneOf } from '../../base/index.ts';
import type { ChartSourceFailures, ReleaseFailures } from '../../kube/index.ts';
import type { Printers } from './printer.ts';

const megabytes = (bytes: number): string => (bytes < 1024 * 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024 / 1024)} MiB`);

const dialReasons: Readonly<Record<string, string>> = {
  refused: 'connection refused',
  timeout: 'no answer in time',
  unreachable: 'no route to it, or its name is not known',
  reset: 'the connection was cut',
  'not-allowed': 'nothing outside of the sandbox is dialled',
  'unknown-authority': 'its certificate is signed by an authority that this machine does not know',
  'redirect-loop': 'it redirects in circles',
};

export const chartSourcePrinters: Printers<ChartSourceFailures> = {
  'chart/source-unreachable': ({ source, host, reason }) => ({
    title: `\`${host}\` could not be reached for \`${source}\``,
    because: dialReasons[reason] ?? reason,
    help: 'with a warm cache (`npx tk charts:pull`) no network is needed',
  }),
  'chart/not-found': ({ source, version }) => ({
    title: `there is no chart \`${source}\`${version === undefined ? '' : ` in version \`${version}\``}`,
    help: 'check the name; a private registry may say so too when it wants a login',
  }),
  'chart/version-not-found': ({ source, wanted, available }) => ({
    title: `\`${source}\` has no version \`${wanted}\``,
    ...(available.length === 0 ? {} : { help: `it has ${oneOf(available)}` }),
  }),
  'chart/unauthorized': ({ source, host, status, credentials }) => ({
    title: `\`${host}\` refuses to give out \`${source}\` (${status})`,
    because: credentials === 'none' ? 'no credentials for it were found' : `the credentials of \`${credentials}\` were not accepted`,
    help: `log in with \`docker login ${host}\` or \`helm registry login ${host}\``,
  }),
  'chart/digest-mismatch': ({ source, what, expected, actual }) => ({
    title: `the ${what} of \`${source}\` is not what was announced`,
    because: `expected ${expected} but found ${actual}`,
    help: 'something between here and the registry changes what is downloaded; nothing was applied',
  }),
  'chart/too-large': ({ source, sizeBytes, limitBytes }) => ({
    title: `\`${source}\` is ${megabytes(sizeBytes)}, more than the ${megabytes(limitBytes)} that a chart may have`,
  }),
  'chart/rate-limited': ({ source, host, waitedMs }) => ({
    title: `\`${host}\` gives out no more downloads for now (429)`,
    because: `waited ${formatDuration(waitedMs)} for \`${source}\``,
    help: 'log in to get a larger allowance, or try again later',
  }),
  'chart/server-error': ({ source, host, status }) => ({ title: `\`${host}\` answered ${status} for \`${source}\`` }),
  'chart/malformed-answer': ({ source, what, reason }) => ({ title: `the ${what} of \`${source}\` makes no sense`, because: reason }),
  'chart/folder': ({ path, reason }) => ({ title: `\`${path}\` is not a chart`, because: reason }),
  'chart/credentials-malformed': ({ path, reason }) => ({ title: `\`${path}\` cannot be read`, because: reason }),
  'chart/credential-program': ({ host, program, reason }) => ({
    title: `\`${program}\` keeps the login for \`${host}\` and did not give it`,
    because: reason,
    help: `install it, or log in again with \`helm registry login ${host}\``,
  }),
};

export const releasePrinters: Printers<ReleaseFailures> = {
  'release/malformed': ({ release, field, expected }) => ({ title: `\`${field}\` of \`${release}\` should be ${expected}` }),
  'release/source-missing': ({ release, kind, name, namespace }) => ({
    title: `\`${release}\` takes its chart from ${kind} \`${namespace}/${name}\`, which is not in this tree`,
    help: 'add the file, or correct the reference',
  }),
  'release/source-unsupported': ({ release, kind, reason }) => ({
    title: `\`${release}\` takes its chart from a ${kind}, which bootstrap cannot use`,
    because: reason,
  }),
  'release/patch': ({ release, reason }) => ({ title: `a patch of \`${release}\` cannot be applied`, because: reason }),
  'release/login-missing': ({ release, name, namespace, key }) => ({
    title: `the source of \`${release}\` takes its login from ${key === undefined ? '' : `key \`${key}\` of `}Secret \`${namespace}/${name}\`, which is not there`,
    help: 'add the secret to the tree, or correct `secretRef` and `certSecretRef`',
  }),
  'release/values-missing': ({ release, kind, name, namespace, key }) => ({
    title: `\`${release}\` needs ${key === undefined ? '' : `key \`${key}\` of `}${kind} \`${namespace}/${name}\`, which is not there`,
    help: 'mark the reference `optional: true` if the release can do without',
  }),
  'release/values-malformed': ({ release, origin, reason }) => ({
    title: `values of \`${release}\` from ${origin} cannot be read`,
    because: reason,
  }),
  'release/needs-unknown': ({ release, needs, known }) => ({
    title: `\`${release}\` needs \`${needs}\`, which is not declared`,
    ...(known.length === 0 ? {} : { help: `declared are ${oneOf(known)}` }),
  }),
  'release/needs-cycle': ({ releases }) => ({
    title: `${count(releases.length, 'release')} need each other`,
    because: releases.join(', '),
  }),
  'release/substitution': ({ file, reason }) => ({ title: `a variable in \`${file}\` cannot be put in`, because: reason }),
  'release/values-schema': ({ release, chart, path, problem, value }) => ({
    title: `chart \`${chart}\` refuses \`${path === '' ? 'values' : path}\` of \`${release}\`: ${problem}`,
    ...(value === undefined ? {} : { because: `the value is \`${value}\`` }),
  }),
  'release/helmfile-unsupported': ({ field, reason }) => ({
    title: `\`${field}\` needs helmfile itself`,
    because: reason,
    help: 'give the release a HelmRelease in `kubernetes/`; bootstrap then takes chart and values from there',
  }),
  'release/file-missing': ({ release, field, path }) => ({
    title: `\`${field}\` of \`${release}\` names \`${path}\`, which does not exist`,
    help: `restore the file, correct its name, or give \`${release}\` a HelmRelease that Flux applies`,
  }),
  'release/helmfile-template': ({ file, line, problem }) => ({
    title: `template \`${file}\`${line === undefined ? '' : `, line ${line},`} cannot be rendered`,
    because: problem,
    help: 'give the release a HelmRelease in `kubernetes/`, or set the variables that the helmfile expects',
  }),
  'release/pending': ({ release, revision, status, ageMs, staleAfterMs }) => ({
    title: `somebody is at work on \`${release}\`: revision ${revision} is ${status} since ${formatDuration(ageMs)}`,
    help: `run this again; after ${formatDuration(staleAfterMs)} without a change it is taken over`,
  }),
  'release/hook-failed': ({ release, hook, event }) => ({
    title: `the ${event} hook ${hook} of \`${release}\` failed`,
    help: `kubectl describe ${hook}`,
  }),
};
