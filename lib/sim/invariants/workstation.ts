import type { Files, GrpcCall, HttpRequest, TalosConnection, World } from '../../base/index.ts';
import type { Canaries } from './canary.ts';
import type { Report } from './violation.ts';

/** What a run promised before it began. */
export interface RunTerms {
  /** `talos:upgrade-node` */
  readonly name: string;
  readonly isDry?: boolean;
  /** Longest that it may take, virtual. Default four hours: the sum of every deadline in a large cluster. */
  readonly budgetMs?: number;
  /** Paths, or beginnings of paths, where secrets may lie. */
  readonly secretsMayLieIn?: readonly string[];
  /** It was asked to leave a cordon of its own behind: `talos:cordon`, `talos:shutdown`. */
  readonly keepsCordon?: boolean;
  /** Somebody is going to press Ctrl-C: how long everything takes is watched. */
  readonly stops?: boolean;
}

/** How a run went, as its process saw it. */
export interface RunEnd {
  readonly exit: number | 'dead';
  /** As its marks in the cluster name it. */
  readonly runId?: string;
  /** Tasks that neither ended nor were skipped. */
  readonly unfinished?: number;
  /** The signal that it got. */
  readonly signal?: 'SIGINT' | 'SIGTERM' | 'SIGHUP';
  /** Its journal, read at its end: whether every line of it fits, and the exit code of its last. Absent: nothing was begun. */
  readonly journal?: { readonly isWhole: boolean; readonly exit?: number };
  /** What it said at its end; looked at only after a signal. */
  readonly said?: string;
  /** It told that it could not take a cordon of its own back. */
  readonly tellsCordon?: boolean;
  /** False: it ended before there was a run, and could do nothing about what others left. */
  readonly hasBegun?: boolean;
}

export interface RunWatch {
  /** The World as this run sees it, with somebody looking over its shoulder. */
  observe(world: World): World;
  /** `isLate`: the run took no notice of it, because its end was decided already. */
  signalled(signal: NonNullable<RunEnd['signal']>, isLate?: boolean): void;
  ended(end: RunEnd): void;
}

const exitOfSignal = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** An act that had begun proves who the machine is before its one call leaves. */
const underWayMs = 15_000;
/** From a signal to the end, beside what is on the wire or on its way to the disk. */
const promptMs = 2000;
/** Between two tries of one call. */
const longestPauseMs = 30_000;
/** Calls that were sent side by side end so near to each other. */
const togetherMs = 5000;
/** The cluster's lease is renewed beside whatever else goes on. */
const leases = /\/leases\//;
/** What continues a run, or begins it anew. */
const nextCommand = /\bnpx tk \S/;
const usualBudgetMs = 4 * 3_600_000;

/** Calls that change a machine. Everything that is not named here is taken for one that only looks. */
const changing =
  /\/(?:ApplyConfiguration|Bootstrap|Reboot|Reset|Shutdown|Upgrade|Rollback|Install|EtcdLeaveCluster|EtcdRemoveMemberByID|EtcdForfeitLeadership|EtcdRecover|EtcdAlarmDisarm|EtcdDefragment|ImagePull|Pull|Remove|ServiceStart|ServiceStop|ServiceRestart|MetaWrite|MetaDelete|BlockDeviceWipe)$/;
const takingAway = /\/(?:Reboot|Reset|Shutdown|Upgrade|Rollback)$/;

/**
 * What a process does on the workstation and says on the wire: I-05 and I-06 secrets in files, I-07 whole files, I-09 dry runs,
 * I-10 time, I-12 signals, I-14 one run at a time, I-18 exit 0 is the end.
 */
export function createWorkstation(clock: World['clock'], canaries: Canaries, report: Report) {
  /** Runs that have changed something and have not ended. */
  const open = new Map<object, string>();
  /** Last whole contents of each path, and what is being written now. */
  const contents = new Map<string, { old: Content | undefined; next: Content | undefined }>();

  return {
    /** I-07: what a power cut left of the files that were written whole. */
    afterCrash(files: Readonly<Record<string, { readonly content: Uint8Array }>>): void {
      for (const [path, { old, next }] of contents) {
        const file = files[path];
        const isOne = [old, next].some((one) => isSame(file?.content, one));
        if (!isOne) report('I-07', `${path} is neither what it was nor what it was to be`);
      }
    },
    begin(terms: RunTerms): RunWatch {
      const token = {};
      const startedMs = clock.monotonicMs();
      let signal: RunEnd['signal'];
      let signalledMs: number | undefined;
      /** At the second one nothing is waited for any more. */
      let hurriedMs: number | undefined;
      /** Of a signal that came too late to be heard: then only the end may follow. */
      let lateMs: number | undefined;
      let isOver = false;
      /** Calls and file operations that have not ended; while there is one, a process that was asked to stop may wait for it. */
      let underWay = 0;
      let idleSinceMs = startedMs;
      let idleMs = 0;
      /** What failed is asked again after a pause, until its own deadline: as much under way as the call itself. */
      let failedMs = Number.NEGATIVE_INFINITY;
      let pause = { sinceMs: startedMs, isBeforeATry: false };
      const pausedMs = (): number => {
        if (underWay > 0 || signalledMs === undefined) return 0;
        const nowMs = clock.monotonicMs();
        const mayPause = pause.isBeforeATry && nowMs - Math.max(pause.sinceMs, signalledMs) <= longestPauseMs;
        return mayPause ? 0 : nowMs - Math.max(idleSinceMs, signalledMs);
      };
      /** `isAside`: nobody waits for it; a pause before the next try goes on meanwhile. */
      const during = async <T>(work: () => Promise<T>, isAside = false): Promise<T> => {
        if (terms.stops !== true) return work();
        idleMs += pausedMs();
        underWay += 1;
        let isFine = false;
        try {
          const answer = await work();
          isFine = !isBusy(answer);
          return answer;
        } finally {
          if (!isFine) failedMs = clock.monotonicMs();
          underWay -= 1;
          if (underWay === 0) {
            idleSinceMs = clock.monotonicMs();
            if (!isAside || !isFine) pause = { sinceMs: idleSinceMs, isBeforeATry: idleSinceMs - failedMs <= togetherMs };
          }
        }
      };
      const changes = (what: string): void => {
        if (terms.isDry) report('I-09', `a dry run of ${terms.name} sent ${what}`);
        const others = [...open].filter(([other]) => other !== token).map(([, name]) => name);
        if (others.length > 0) report('I-14', `${terms.name} sent ${what} while ${others.join(', ')} was at work`);
        if (isOver) report('I-14', `${terms.name} sent ${what} after its end`);
        if (lateMs !== undefined) report('I-12', `${terms.name} took no notice of a signal and sent ${what}`);
        open.set(token, terms.name);
      };
      const mayHoldSecrets = (path: string) => (terms.secretsMayLieIn ?? []).some((part) => path.includes(part));
      const observe = (outer: World): World => ({
        ...outer,
        files: watchedFiles(outer.files),
        dial: {
          ...outer.dial,
          talos: async (target, abort) => watchedConnection(await during(() => outer.dial.talos(target, abort))),
          http(request) {
            if (isChange(request)) changes(`${request.method} ${request.path}`);
            return during(() => outer.dial.http(request), leases.test(request.path));
          },
        },
      });
      const watchedConnection = (connection: TalosConnection): TalosConnection => ({
        peer: connection.peer,
        isOpen: () => connection.isOpen(),
        close: () => connection.close(),
        call(call: GrpcCall) {
          if (changing.test(call.path)) {
            changes(call.path);
            if (signalledMs !== undefined && clock.monotonicMs() - signalledMs > underWayMs && takingAway.test(call.path))
              report('I-12', `${terms.name} sent ${call.path} after ${signal}`);
          }
          return terms.stops === true ? duringEach(connection.call(call)) : connection.call(call);
        },
      });
      async function* duringEach<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
        const iterator = messages[Symbol.asyncIterator]();
        try {
          for (;;) {
            const next = await during(async () => iterator.next());
            if (next.done) return;
            yield next.value;
          }
        } finally {
          await iterator.return?.();
        }
      }
      const watchedFiles = (files: Files): Files => ({
        ...files,
        async write(path, content, options) {
          // Whoever wrote bytes may go on with them.
          const own = typeof content === 'string' ? content : content.slice();
          const isOwn = path.includes('/.tk/');
          if (terms.isDry && !isOwn) report('I-09', `a dry run of ${terms.name} wrote ${path}`);
          const found = canaries.findIn(typeof own === 'string' ? own : Buffer.from(own).toString('utf8'));
          if (found.length > 0 && !mayHoldSecrets(path)) report('I-05', `${path} holds ${found.join(', ')}`);
          const mode = options?.mode ?? (await files.stat(path))?.mode ?? 0o644;
          if (found.length > 0 && (mode & 0o077) !== 0) report('I-06', `${path} holds secrets and has mode ${mode.toString(8)}`);
          const before =
            contents.get(path)?.old ??
            (await files
              .read(path)
              .then((bytes) => bytes)
              .catch(() => undefined));
          contents.set(path, { old: before, next: own });
          await files.write(path, content, options);
          contents.set(path, { old: own, next: undefined });
        },
        async append(path, options) {
          const file = await files.append(path, options);
          return {
            close: () => file.close(),
            async write(text, how) {
              const found = canaries.findIn(text);
              if (found.length > 0) report('I-05', `${path} holds ${found.join(', ')}`);
              await file.write(text, how);
            },
          };
        },
        async remove(path) {
          contents.delete(path);
          await files.remove(path);
        },
      });
      return {
        observe,
        signalled(which, isLate = false) {
          if (isLate) {
            lateMs ??= clock.monotonicMs();
            return;
          }
          if (signal !== undefined) hurriedMs ??= clock.monotonicMs();
          signal ??= which;
          signalledMs ??= clock.monotonicMs();
        },
        ended({ exit, unfinished = 0, signal: told, journal, said }) {
          isOver = true;
          open.delete(token);
          const tookMs = clock.monotonicMs() - startedMs;
          const budgetMs = terms.budgetMs ?? usualBudgetMs;
          if (tookMs > budgetMs) report('I-10', `${terms.name} took ${Math.round(tookMs / 1000)} s of ${Math.round(budgetMs / 1000)} s`);
          if (terms.stops === true && lateMs !== undefined && exit !== 'dead' && clock.monotonicMs() - lateMs > promptMs)
            report('I-12', `${terms.name} took no notice of a signal and went on for ${Math.round(clock.monotonicMs() - lateMs)} ms`);
          const by = told ?? signal;
          if (by !== undefined && exit !== 'dead' && exit !== 0 && exit !== exitOfSignal[by])
            report('I-12', `${terms.name} ended with ${exit} after ${by}`);
          if (by !== undefined && exit === exitOfSignal[by]) {
            const nowMs = clock.monotonicMs();
            const lingeredMs = idleMs + pausedMs();
            const hurriesMs = nowMs - (hurriedMs ?? nowMs);
            if (terms.stops === true && lingeredMs > promptMs)
              report('I-12', `${terms.name} went on for ${Math.round(lingeredMs)} ms after ${by} with nothing under way`);
            if (terms.stops === true && hurriesMs > promptMs)
              report('I-12', `${terms.name} went on for ${Math.round(hurriesMs)} ms after the second ${by}`);
            if (journal && !journal.isWhole) report('I-12', `the journal of ${terms.name} is not whole after ${by}`);
            if (journal?.isWhole && journal.exit !== exit)
              report('I-12', `the journal of ${terms.name} ends with ${journal.exit ?? 'nothing'} instead of ${exit}`);
            if (said !== undefined && !nextCommand.test(said)) report('I-12', `${terms.name} named no next command after ${by}`);
          }
          if (exit === 0 && unfinished > 0) report('I-18', `${terms.name} ended with 0 and ${unfinished} unfinished`);
        },
      };
    },
  };
}

type Content = string | Uint8Array;

const isSame = (one: Content | undefined, other: Content | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && Buffer.from(one as string).equals(Buffer.from(other as string)));

/** An API server that has too much to do, or goes down: asked again. */
const isBusy = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && 'status' in answer && [409, 410, 429, 500, 503, 504].includes(Number(answer.status));

const isChange = ({ method, path }: HttpRequest): boolean =>
  method !== 'GET' && !/[?&]dryRun=All\b/.test(path) && !/subjectaccessreviews|selfsubjectreviews/.test(path);
