// The global scope and the machine that scripts find.

// Node puts its modules, and a `require` of its own, into the global scope of what it is given on the command line. A
// script finds what it would find in a file.
function tidyGlobals() {
  for (const name of builtinModules) {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    if (property?.get !== undefined && property.configurable) delete globalThis[name];
  }
  for (const name of ['require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[name];
  define(globalThis, 'process', process);
  define(globalThis, 'console', console);
  defineProperty(globalThis, 'crypto', {
    configurable: true,
    enumerable: true,
    get: () => requireFromScript('crypto').webcrypto,
    set: value => define(globalThis, 'crypto', value),
  });
}

// `process.memoryUsage`, which reads a file that is closed here. The nearest to the memory in use is the most there ever was.
function provideMemoryUsage() {
  const rss = () => process.resourceUsage().maxRSS * 1024;
  const memoryUsage = () => {
    const heap = requireFromScript('v8').getHeapStatistics();
    return {
      rss: rss(),
      heapTotal: heap.total_heap_size,
      heapUsed: heap.used_heap_size,
      external: heap.external_memory,
      arrayBuffers: 0,
    };
  };
  process.memoryUsage = Object.assign(memoryUsage, { rss });
}

// Without /proc and /sys Node finds no processors, and none of the network but the server's proxy is a script's to see.
function provideMachine() {
  const os = require('os');
  const { cpus, userInfo, networkInterfaces } = os;
  if (cpus().length === 0) {
    const count = os.availableParallelism?.() ?? 1;
    define(os, 'cpus', () => {
      const times = () => ({ user: 0, nice: 0, sys: 0, idle: 0, irq: 0 });
      return Array.from({ length: count }, () => ({ model: 'unknown', speed: 0, times: times() }));
    }, true);
    define(os.cpus, 'name', 'cpus');
  }
  // The user of a worker may have no entry in the list of users.
  define(os, 'userInfo', options => {
    try {
      return apply(userInfo, os, [options]);
    } catch (error) {
      if (error?.code !== 'ERR_SYSTEM_ERROR') throw error;
      const as = text => (options?.encoding === 'buffer' ? Buffer.from(text) : text);
      const [uid, gid] = [process.getuid(), process.getgid()];
      return { uid, gid, username: as(USER), homedir: as(os.homedir()), shell: null };
    }
  }, true);
  define(os.userInfo, 'name', 'userInfo');
  define(os, 'networkInterfaces', () => {
    try {
      return apply(networkInterfaces, os, []);
    } catch (error) {
      if (error?.code !== 'ERR_SYSTEM_ERROR') throw error;
      return {};
    }
  }, true);
  define(os.networkInterfaces, 'name', 'networkInterfaces');
  Module.syncBuiltinESMExports();
}

const USER = 'script';

// What the kernel answers a script that starts a program.
const REFUSALS = ['EPERM', 'EACCES', 'ENOSYS'];
const NO_PROGRAMS = 'a script can start no other programs';

// Says why no program starts: the kernel's words are of rights, which nobody can give.
function explainRefusals() {
  const programs = require('child_process');
  const explain = error => {
    if (!isNativeError(error) || !REFUSALS.includes(error.code) || error.message.endsWith(NO_PROGRAMS)) return error;
    const message = `${error.message}: ${NO_PROGRAMS}`;
    const stack = error.stack.replace(error.message, () => message);
    return Object.assign(error, { message, stack });
  };
  const explained = action => ({
    __proto__: null,
    apply(target, self, values) {
      try {
        const result = apply(target, self, values);
        if (action === 'spawnSync') explain(result.error);
        return result;
      } catch (error) {
        throw explain(error);
      }
    },
  });
  // All that doesn't wait stands on this one.
  const { prototype } = programs.ChildProcess;
  define(prototype, 'spawn', new Proxy(prototype.spawn, explained('spawn')), true);
  for (const name of ['spawnSync', 'execSync', 'execFileSync']) {
    define(programs, name, new Proxy(programs[name], explained(name)), true);
  }
}

// What every script finds, whichever it is.
function provideGlobals() {
  tidyGlobals();
  provideMemoryUsage();
  provideMachine();
  provideGiven();
  process.execArgv = [];
}
