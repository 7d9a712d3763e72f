// What happens between two calls: nothing of the first one reaches the second. What is cheap to put back is put back; after
// anything else the process ends, and a new one serves the next call.

const { getActiveResourcesInfo, umask, chdir, cwd, eventNames, rawListeners, removeAllListeners } = process;
const { getOwnPropertyDescriptor } = Object;
const { openSync, closeSync, fstatSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } = fs;

// What a call has done that can't be seen when it has ended; and whether one has ever had what opens files and closes
// descriptors: to look for what is left of that takes longer than many a call.
const traces = bare({
  isLasting: false,
  hasSet: false,
  hasChangedEnvironment: false,
  hasWritten: false,
  keepsMore: false,
  reachesFiles: false,
  stdin: undefined,
});

// The modules of Node's that don't lead to files.
const FILELESS = bare({
  assert: true,
  buffer: true,
  crypto: true,
  events: true,
  path: true,
  punycode: true,
  querystring: true,
  string_decoder: true,
  timers: true,
  url: true,
  util: true,
  zlib: true,
});

// Marks each use of `object[name]` as something that may outlive its call, or as the trace `mark`.
function noticeUse(object, name, mark = 'isLasting') {
  const { value } = getOwnPropertyDescriptor(object, name) ?? {};
  if (typeof value !== 'function') return;
  const notice = {
    __proto__: null,
    apply(target, self, values) {
      traces[mark] = true;
      return apply(target, self, values);
    },
    construct(target, values, newTarget) {
      traces[mark] = true;
      return construct(target, values, newTarget);
    },
  };
  define(object, name, new Proxy(value, notice), getOwnPropertyDescriptor(object, name).enumerable);
}

// What works on when nothing is pending, by the module that has it: threads, hooks, watchers, subscriptions.
const LASTING = {
  __proto__: null,
  async_hooks: ['createHook'],
  child_process: ['exec', 'execFile', 'fork', 'spawn'],
  cluster: ['fork', 'setupPrimary'],
  diagnostics_channel: ['subscribe', 'channel', 'tracingChannel'],
  domain: ['create', 'createDomain'],
  fs: ['watch', 'watchFile'],
  inspector: ['open', 'Session'],
  module: ['register', 'registerHooks', 'syncBuiltinESMExports'],
  perf_hooks: ['PerformanceObserver', 'monitorEventLoopDelay'],
  repl: ['start'],
  trace_events: ['createTracing'],
  v8: ['setFlagsFromString', 'startupSnapshot', 'promiseHooks'],
  worker_threads: ['Worker', 'MessageChannel', 'BroadcastChannel', 'setEnvironmentData'],
};

// What sets something for all of the process.
const SETTERS = {
  __proto__: null,
  crypto: ['setEngine', 'setFips'],
  dns: ['setServers', 'setDefaultResultOrder'],
  'dns/promises': ['setServers', 'setDefaultResultOrder'],
  http: ['setMaxIdleHTTPParsers'],
  net: ['setDefaultAutoSelectFamily', 'setDefaultAutoSelectFamilyAttemptTimeout'],
  stream: ['setDefaultHighWaterMark'],
  tls: ['setDefaultCACertificates'],
};

// What can write to a descriptor, the outputs' too. (What packages' own machine code writes is noticed by the server.)
function noticeWriting() {
  for (const name of keys(fs)) if (/^(write|append|createWrite)/.test(name)) noticeUse(fs, name, 'hasWritten');
  noticeUse(process, '_rawDebug', 'hasWritten');
  if (process.report !== undefined) noticeUse(process.report, 'writeReport', 'hasWritten');
  Module.syncBuiltinESMExports();
}

// The modules of Node's that have been loaded.
const loaded = new Set();

function noticeModule(name, exported) {
  loaded.add(name);
  for (const lasting of LASTING[name] ?? []) noticeUse(exported, lasting);
  for (const setting of SETTERS[name] ?? []) noticeUse(exported, setting, 'hasSet');
  if (name === 'child_process' || name === 'cluster') explainRefusals();
  watchModule(name, exported);
}

function noticeWhatLasts() {
  const timers = [setTimeout(() => {}), setImmediate(() => {})];
  clearTimeout(timers[0]);
  clearImmediate(timers[1]);
  // One that the event loop doesn't wait for.
  for (const timer of timers) noticeUse(Object.getPrototypeOf(timer), 'unref');
  for (const name of ['FinalizationRegistry', 'BroadcastChannel', 'MessageChannel', 'PerformanceObserver']) {
    const property = getOwnPropertyDescriptor(globalThis, name);
    if (property?.get === undefined) {
      noticeUse(globalThis, name);
    } else {
      const { get, set, enumerable } = property;
      const noticed = () => ((traces.isLasting = true), apply(get, globalThis, []));
      defineProperty(globalThis, name, { configurable: true, enumerable, get: noticed, set });
    }
  }
  noticeUse(Atomics, 'waitAsync');
  const load = Module._load;
  Module._load = function (request) {
    const name = typeof request === 'string' && startsWith(request, 'node:') ? slice(request, 5) : request;
    if (FILELESS[name] !== true) traces.reachesFiles = true;
    const exported = apply(load, this, arguments);
    if (!loaded.has(name) && isBuiltin(request)) noticeModule(name, exported);
    return exported;
  };
  // What leads to files, or to how they are made, without a module: Node's insides, signals that open its inspector or have it
  // write a report, compiling modules and keeping what is compiled, and the streams (`Output` does it for its own).
  for (const name of ['binding', '_linkedBinding', 'dlopen', 'kill', '_kill', '_debugProcess', 'umask']) {
    noticeUse(process, name, 'reachesFiles');
  }
  noticeUse(Module, 'enableCompileCache', 'reachesFiles');
  noticeUse(Module.prototype, '_compile', 'reachesFiles');
  // Each call has one of its own: a stream ends once.
  const { ReadStream } = fs;
  const read = () => {
    traces.reachesFiles = true;
    traces.stdin ??= new ReadStream(null, { fd: 0, autoClose: false });
    return traces.stdin;
  };
  defineProperty(process, 'stdin', { configurable: true, enumerable: true, get: read });
  const { getBuiltinModule } = process;
  if (getBuiltinModule !== undefined) {
    process.getBuiltinModule = name => (isBuiltin(name) ? Module._load(name) : getBuiltinModule(name));
  }
}

// The environment notices when it is changed: to look at all of it takes longer than many a call.
function noticeChangesOfEnvironment() {
  const notice = method => (...values) => {
    traces.hasChangedEnvironment = true;
    return apply(method, undefined, values);
  };
  const { set, deleteProperty, defineProperty } = Reflect;
  process.env = new Proxy(process.env, {
    __proto__: null,
    set: notice((target, name, value) => set(target, name, value)),
    deleteProperty: notice(deleteProperty),
    defineProperty: notice(defineProperty),
  });
}

// The working directory as a descriptor is: one that a call has left open takes its number, and in memory its size tells
// whether there is something in it.
function lookAtFolder() {
  const descriptor = openSync('.', 'r');
  const { size } = fstatSync(descriptor);
  closeSync(descriptor);
  return { descriptor, size };
}

function emptyFolder() {
  for (const name of readdirSync('.')) if (name !== script.written?.name) rmSync(name, { recursive: true, force: true });
}

// Writes the script's own file, which it can read and not write.
function writeOwnFile() {
  const { file, source } = script;
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, source, { mode: 0o400 });
  script.written = bare({ name: slice(file, baseline.folder.length + 1), ...markOf(file) });
  baseline.emptySize = sizeWhenEmpty();
}

// By which a file is known that nobody has changed.
function markOf(file) {
  const { ino, size, mtimeMs, mode } = lstatSync(file, { throwIfNoEntry: false }) ?? {};
  return { ino, size, mtimeMs, mode };
}

function hasChangedOwnFile() {
  const { ino, size, mtimeMs, mode } = markOf(script.file);
  const { written } = script;
  return ino !== written.ino || size !== written.size || mtimeMs !== written.mtimeMs || mode !== written.mode;
}

// The size of the folder, if that tells whether there is something in it.
function sizeWhenEmpty() {
  mkdirSync('any');
  const { size } = lookAtFolder();
  rmdirSync('any');
  const empty = lookAtFolder().size;
  return empty < size ? empty : undefined;
}

const inode = descriptor => fstatSync(descriptor).ino;

// The events of the process that somebody listens to, and who that is.
function listenersNow() {
  const names = apply(eventNames, process, []);
  const lists = [];
  for (let index = 0; index < names.length; index++) lists[index] = apply(rawListeners, process, [names[index]]);
  return bare({ names, lists });
}

let baseline;

// To be called once the process is ready for its first call; a script has not run yet.
function takeBaseline() {
  // What was imported ahead may have written there, and what is empty must be so for every call.
  emptyFolder();
  baseline = bare({
    folder: apply(cwd, process, []),
    environment: { ...process.env },
    globals: new Set([...ownKeys(globalThis), ...NAMES]),
    globalCount: keys(globalThis).length,
    descriptor: lookAtFolder().descriptor,
    emptySize: sizeWhenEmpty(),
    outputs: [inode(1), inode(2)],
    listeners: listenersNow(),
    consoleState: Object.getOwnPropertySymbols(console).map(symbol => [symbol, console[symbol]]),
  });
}

// Whether the next call finds what the first one found, or can be made to.
function cleanUp() {
  if (traces.isLasting || traces.hasSet || apply(getActiveResourcesInfo, process, []).length > 0) return false;
  if (hasLoadedOtherFiles()) return false;
  if (!forgetListeners() || !isConsoleUnchanged()) return false;
  if (!stdout.isUnchanged() || !stderr.isUnchanged()) return false;
  traces.stdin = undefined;
  process.exitCode = undefined;
  process._exiting = false;
  if (apply(cwd, process, []) !== baseline.folder) chdir(baseline.folder);
  if ((traces.reachesFiles || traces.hasWritten) && !cleanUpFiles()) return false;
  if (traces.hasChangedEnvironment) restoreEnvironment();
  if (reach.measures) forgetMarks();
  // The engine keeps the text of the last match, for all to see.
  if (reach.matches) apply(match, NOTHING_TO_MATCH, ['']);
  if (!script.isReady) {
    script.module = undefined;
    forgetGlobals();
  }
  return isWorldUnchanged();
}

// The top level of a function's module may change the process for good: what it has made is there to stay.
function keepWhatTheTopLevelMade() {
  baseline.listeners = listenersNow();
  baseline.environment = { ...process.env };
  traces.hasChangedEnvironment = traces.hasSet = false;
  watchAnew();
}

// The same of files and descriptors.
function cleanUpFiles() {
  umask(0o077);
  const { outputs } = baseline;
  if (inode(1) !== outputs[0] || inode(2) !== outputs[1]) return false;
  const { descriptor, size } = lookAtFolder();
  if (script.written !== undefined && hasChangedOwnFile()) writeOwnFile();
  if (size !== baseline.emptySize) emptyFolder();
  if (descriptor === baseline.descriptor) return true;
  // A function's module may keep files open from call to call.
  if (!script.isReady) return false;
  baseline.descriptor = descriptor;
  traces.keepsMore = true;
  return descriptor < 128;
}

// Whether the call has left nothing for the server to see to.
function isSilent() {
  const { keepsMore, hasWritten } = traces;
  traces.keepsMore = traces.hasWritten = false;
  return !keepsMore && !hasWritten && stdout.isSilent && stderr.isSilent;
}

// Variables that were assigned to and never declared, and others where the script may have defined some.
function forgetGlobals() {
  const names = reach.writesGlobals ? ownKeys(globalThis) : keys(globalThis);
  if (!reach.writesGlobals && names.length === baseline.globalCount) return;
  for (let index = 0; index < names.length; index++) {
    if (!baseline.globals.has(names[index])) delete globalThis[names[index]];
  }
}

const match = RegExp.prototype.exec;
const NOTHING_TO_MATCH = /(?:)/;

// What programs have measured.
function forgetMarks() {
  performance.clearMarks();
  performance.clearMeasures?.();
}

function restoreEnvironment() {
  const { env } = process;
  for (const name of keys(env)) if (!(name in baseline.environment)) delete env[name];
  Object.assign(env, baseline.environment);
  traces.hasChangedEnvironment = false;
}

// Whether those are `listeners`, by what Node keeps of them: to ask for that would make lists of it.
function isHeardBy({ names, lists }) {
  const { _events: events, _eventsCount: count } = process;
  if (events === undefined || count !== names.length) return false;
  for (let index = 0; index < count; index++) if (!isSame(events[names[index]], lists[index])) return false;
  return true;
}

// A sole listener stands there by itself.
function isSame(now, before) {
  if (!isArray(now)) return before.length === 1 && now === before[0];
  if (now.length !== before.length) return false;
  for (let index = 0; index < now.length; index++) if (now[index] !== before[index]) return false;
  return true;
}

function forgetListeners() {
  if (process.hasUncaughtExceptionCaptureCallback()) process.setUncaughtExceptionCaptureCallback(null);
  if (isHeardBy(baseline.listeners)) return true;
  const names = apply(eventNames, process, []);
  for (let index = 0; index < names.length; index++) {
    let isNew = true;
    for (let at = 0; at < baseline.listeners.names.length; at++) isNew &&= baseline.listeners.names[at] !== names[index];
    if (isNew) apply(removeAllListeners, process, [names[index]]);
  }
  return isHeardBy(baseline.listeners);
}

// Groups that are still open, counters and stopwatches.
function isConsoleUnchanged() {
  const { consoleState } = baseline;
  if (console._times?.size > 0) return false;
  for (let index = 0; index < consoleState.length; index++) {
    const [symbol, value] = consoleState[index];
    if (console[symbol] !== value || (isMap(value) && value.size > 0)) return false;
  }
  return true;
}
