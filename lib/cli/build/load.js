// dist/load.js: loads the scripts that the JavaScript of this package consists of, and keeps what the engine made of them.
//
// Node's own compile cache holds a module as it was right after it had been read, which is without every function that is compiled when
// it is first called. Those made a fifth of the processor time of `talos:generate-config`. A script of `node:vm` can be kept with them.

// An import of a builtin module makes all that it exports, and `fs` then loads streams, promises and readline.
const {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = process.getBuiltinModule('fs');
const { dirname, join } = process.getBuiltinModule('path');
const { pathToFileURL } = process.getBuiltinModule('url');
// Asked for by name at each use, so that a test can watch which scripts are loaded.
const vm = process.getBuiltinModule('vm');

/** Of the scripts of this build. */
const build = 'BUILD';

const root = import.meta.dirname;
const urlOf = (path) => pathToFileURL(join(root, path)).href;
const folderOf = (path) => join(root, path);

/** What is imported by its place: a task of this package, which has a door there for everybody else, or a file of the user's. */
function importFile(url) {
  const path = url.startsWith(tasks) && url.endsWith('.js') ? `tasks/${url.slice(tasks.length, -3)}.cjs` : undefined;
  return path !== undefined && existsSync(join(root, 'scripts', path)) ? new Promise((resolve) => resolve(load(path))) : import(url);
}
const tasks = urlOf('tasks/');

/** What each script exports, by its path below `scripts/`. */
const loaded = new Map();
const loading = new Set();

/** The exports of a script of this package. Names of builtin modules have their prefix or are as short as old packages write them. */
export function load(path) {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  // Scripts are divided so that none needs itself: see build/late-chunks.js.
  if (loading.has(path)) throw new Error(`${path} is needed to load itself`);
  loading.add(path);
  try {
    const module = { exports: {} };
    const folder = dirname(path);
    const require = (name) => (name.startsWith('.') ? load(join(folder, name)) : (builtin(name) ?? loadElsewhere(name)));
    compile(path)(module.exports, require, module, load, importFile, urlOf, folderOf);
    loaded.set(path, module.exports);
    return module.exports;
  } finally {
    loading.delete(path);
  }
}

/** Builtin modules that take a tenth of a quick command or more to load. Scripts ask for all that they may need. */
const costly = new Set([
  'child_process',
  'crypto',
  'dns',
  'fs/promises',
  'http',
  'http2',
  'https',
  'net',
  'tls',
  'v8',
  'worker_threads',
  'zlib',
]);
const standIns = new Map();

/** A builtin module; a costly one is there when something of it is asked for. */
function builtin(name) {
  const bare = name.replace(/^node:/, '');
  if (!costly.has(bare)) return process.getBuiltinModule(name);
  if (!standIns.has(bare)) {
    const module = () => process.getBuiltinModule(bare);
    standIns.set(
      bare,
      new Proxy(Object.create(null), {
        get: (_, property) => module()[property],
        has: (_, property) => property in module(),
        ownKeys: () => Reflect.ownKeys(module()),
        // A proxy must not promise more of a property than its own target has.
        getOwnPropertyDescriptor: (_, property) => {
          const found = Reflect.getOwnPropertyDescriptor(module(), property);
          return found && { value: module()[property], enumerable: found.enumerable, configurable: true, writable: true };
        },
      }),
    );
  }
  return standIns.get(bare);
}

/** A package that another one can do without. It is not there, which is told in Node's words. */
const loadElsewhere = (name) => process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);

/** Compiled code by path, and the scripts of this run; undefined where nothing is kept. */
let kept;

function compile(path) {
  const filename = join(root, 'scripts', path);
  const source = readSource(filename);
  const cachedData = kept?.code.get(path);
  const script = new vm.Script(source, { filename, ...(cachedData && { cachedData }) });
  if (kept) {
    kept.scripts.set(path, script);
    if (cachedData === undefined || script.cachedDataRejected) kept.isWhole = false;
  }
  return script.runInThisContext();
}

/** All sources pass through here: memory that is taken for each alone is as much work as reading it. */
let passage = Buffer.allocUnsafeSlow(1 << 18);

function readSource(filename) {
  const file = openSync(filename);
  try {
    const { size } = fstatSync(file);
    if (size > passage.length) passage = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (let count = 1; count > 0 && at < size; at += count) count = readSync(file, passage, at, size - at, null);
    // Plain ASCII: see build/ascii.js.
    return passage.latin1Slice(0, at);
  } finally {
    closeSync(file);
  }
}

/** Runs of a command after which its functions are kept once more: the second often takes other ways than the first. */
const rounds = 2;

/**
 * Runs the command, with what the engine made of its scripts in `directory` if that is given: a file for each command, because code
 * that a command does not run costs it as much to read as its own. The engine itself refuses code of another version or other flags.
 */
export function run(directory) {
  // In a folder of its own: Node's files are thousands.
  if (directory !== undefined) keepIn(join(directory, 'tk', `${nameOf(process.argv.slice(2))}.tk`));
  // Nothing waits for memory to be given back piece by piece. Added last, so that every other listener is heard before.
  process.on('beforeExit', () => process.on('exit', () => process.exit()));
  return load('lib/cli/main.cjs').main();
}

/** Of whatever decides which functions a command runs. Two copies of this package do not share it. */
function nameOf(words) {
  const command = words.find((word) => /^[a-z][a-z0-9:-]*$/.test(word)) ?? 'tk';
  const flags = ['--help', '--list', '--plan', '--sim'].filter((flag) => words.includes(flag));
  let place = 5381;
  for (let at = 0; at < root.length; at += 1) place = (place * 33 + root.charCodeAt(at)) >>> 0;
  return [command.replaceAll(':', '.').slice(0, 80), ...flags, place.toString(16)].join('');
}

/** Shape of the file: the length of its head in eight bytes, the head as JSON, the code of each script; each filled up with blanks. */
function keepIn(file) {
  kept = { code: new Map(), scripts: new Map(), isWhole: true };
  const round = read(file);
  process.on('exit', (code) => {
    // What did not end well has not run everything; 6 is a difference that was asked for.
    if ((code !== 0 && code !== 6) || (kept.isWhole && round >= rounds)) return;
    try {
      write(file, kept.isWhole ? round + 1 : 1);
    } catch {
      // A full disk or somebody else's folder: the next run compiles again.
    }
  });
}

/** How often the file has been written for these scripts. */
function read(file) {
  try {
    const bytes = readFileSync(file);
    let at = 8 + bytes.readUInt32LE(0);
    const head = JSON.parse(bytes.latin1Slice(8, at));
    if (head.build !== build) return 0;
    for (const [path, size] of head.scripts) {
      kept.code.set(path, bytes.subarray(at, at + size));
      at += size + fillOf(size);
    }
    return head.round;
  } catch {
    // Not there, or not ours.
    return 0;
  }
}

function write(file, round) {
  const code = [...kept.scripts].map(([path, script]) => [path, script.createCachedData()]);
  const head = filled(Buffer.from(JSON.stringify({ build, root, round, scripts: code.map(([path, { length }]) => [path, length]) })));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(head.length);
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  try {
    // The engine believes what it reads: half a file must never have the name that is looked for.
    writeFileSync(draft, Buffer.concat([length, head, ...code.map(([, bytes]) => filled(bytes))]), {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  if (round === 1) removeStale(dirname(file));
}

const dayMs = 86_400_000;

/** What nobody reads any more: code of an earlier build of this place, of places that are gone, and drafts of runs that were killed. */
function removeStale(folder) {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const isStale = name.endsWith('.tk') ? !isInUse(headOf(file)) : statSync(file).mtimeMs < Date.now() - dayMs;
    if (isStale) rmSync(file, { force: true });
  }
}

const isInUse = (head) => head !== undefined && (head.root === root ? head.build === build : existsSync(join(head.root, 'load.js')));

/** The head alone: the code behind it is megabytes. */
function headOf(path) {
  const file = openSync(path);
  try {
    const length = Buffer.alloc(8);
    readSync(file, length, 0, 8, 0);
    const head = Buffer.alloc(Math.min(length.readUInt32LE(0), 1 << 16));
    readSync(file, head, 0, head.length, 8);
    return JSON.parse(head.toString('latin1'));
  } catch {
    // Not ours, or half of it.
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** The engine makes a copy of code that does not begin where a word of memory does. */
const fillOf = (size) => -size & 7;
const filled = (bytes) => Buffer.concat([bytes, Buffer.alloc(fillOf(bytes.length), ' ')]);
