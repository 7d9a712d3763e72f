// A script: what it sees, how it is read, and how a call runs it.

// Whether a value is an HttpResponse, and the text of one that is Refused: the classes themselves say so, by parts of theirs
// that no script can give to anything else.
let isResponse;
let refusalIn;

const PROPERTY = bare({ value: undefined, writable: true, enumerable: false, configurable: true });

// An HTTP answer of the script's own: hand it to `setResponse`, or return it.
class HttpResponse {
  #made = true;

  constructor(status_code = 200, content = '', content_type = 'application/json', headers = {}) {
    this.status_code = status_code;
    this.content = content;
    this.content_type = content_type;
    this.headers = headers;
  }

  static {
    isResponse = value => typeof value === 'object' && value !== null && #made in value;
  }
}

const appErrors = new WeakSet();
const addAppError = WeakSet.prototype.add.bind(appErrors);
const isAppError = WeakSet.prototype.has.bind(appErrors);

// An error that the script's callers know by its name; `data` is anything that JSON can say.
function AppError(name, data) {
  const error = construct(Error, [typeof name === 'string' ? name : ''], new.target || AppError);
  define(error, 'name', name);
  define(error, 'data', data, data !== undefined);
  addAppError(error);
  return error;
}
AppError.prototype = Object.create(Error.prototype);
define(AppError.prototype, 'constructor', AppError);
define(AppError.prototype, 'name', 'AppError');
Object.setPrototypeOf(AppError, Error);

// The script or its caller did something that has no answer; shown without a stack.
class Refused {
  #text;

  constructor(text) {
    this.#text = text;
  }

  static {
    refusalIn = value => (typeof value === 'object' && value !== null && #text in value ? value.#text : undefined);
  }
}

function define(object, name, value, enumerable = false) {
  PROPERTY.value = value;
  PROPERTY.enumerable = enumerable;
  defineProperty(object, name, PROPERTY);
  PROPERTY.value = undefined;
}

// Makes `response`, an HttpResponse, the answer of this call. The last one counts.
function setResponse(response) {
  state.response = response;
}

const script = bare({
  name: '',
  filename: '',
  config: '',
  source: '',
  file: '',
  // One of the two, once it is compiled: a function that runs the program, with what it declares in its own scope; or a
  // module, which is kept for the next call if its default export is a function.
  program: undefined,
  module: undefined,
  // Why it is no program, where it may turn out that it is no module either.
  problem: undefined,
});

// What Node says when something that only modules may have stands in a program.
const MODULE_SYNTAX = [
  'Cannot use import statement outside a module',
  "Unexpected token 'export'",
  "Cannot use 'import.meta' outside a module",
];
const TOP_LEVEL_AWAIT = 'await is only valid in async functions and the top level bodies of modules';

// A program, unless that fails and it is a module. Node's own compiler decides.
async function compile() {
  const { source, filename } = script;
  let problem;
  try {
    new vm.Script(source, { filename });
    // Functions don't begin with `#!`.
    const body = source.startsWith('#!') ? `//${source.slice(2)}` : source;
    const returning = withValue(body);
    const columnOffset = returning?.startsWith('return(') ? -'return('.length : 0;
    script.program = vm.compileFunction(returning ?? body, [], { filename, columnOffset, importModuleDynamically });
    return;
  } catch (error) {
    problem = error;
  }
  const isModule = MODULE_SYNTAX.includes(problem.message);
  try {
    script.module = quietly(() => new vm.SourceTextModule(source, { identifier: filename, importModuleDynamically }));
  } catch (error) {
    throw isModule || problem.message === TOP_LEVEL_AWAIT ? await withPlace(error) : problem;
  }
  // Another mistake may come before the first `import` or `export`.
  script.problem = isModule ? undefined : problem;
}

function compiles(text) {
  try {
    new vm.Script(text);
    return true;
  } catch {
    return false;
  }
}

// What can't be the beginning of a statement that is an expression.
const NO_EXPRESSION = /^(?:[{};]|(?:async\s+)?function\b|class\b|let\b)/;

// How many lines are looked at: the value of a program stands at its end.
const CANDIDATES = 64;

// A program whose last statement may be a function, made to return it, or undefined. A program has a value, that of its last
// statement; a function has none without `return`, so that is put before the statement, if it is an expression that begins
// a line without indentation. Node's compiler decides where statements begin.
function withValue(source) {
  let end = source.trimEnd();
  while (end.endsWith(';')) end = end.slice(0, -1).trimEnd();
  let start = end.length;
  for (let count = 0; count < CANDIDATES && start > 0; count++) {
    start = end.lastIndexOf('\n', start - 2) + 1;
    while (end[start] === ';') start++;
    const last = end.slice(start);
    if (/^(?:\s|\/[/*])/.test(last) || NO_EXPRESSION.test(last) || !compiles(`(${last}\n)`)) continue;
    const before = withoutTrailingComments(end.slice(0, start));
    if (!compiles(before) || !endsAStatement(before, last)) continue;
    const mayBeAFunction = /=>|function|class/.test(last) || /^[\w$.\s]+$/.test(last);
    if (!mayBeAFunction) return undefined;
    return `${before}${before === '' ? '' : ';'}return(${end.slice(before.length)}\n)`;
  }
  return undefined;
}

function withoutTrailingComments(text) {
  const lines = text.split('\n');
  while (lines.length > 0 && /^\s*(?:\/\/.*)?$/.test(lines[lines.length - 1])) lines.pop();
  return lines.join('\n').trimEnd();
}

// Whether `last` begins a statement after `before`, or goes on with one.
function endsAStatement(before, last) {
  if (before === '') return true;
  // What follows on the same line would be part of a comment.
  if (compiles(`${before} )`)) return false;
  return compiles(`${before} 0`) || !compiles(`${before} ${last}`);
}

const COMPILE_IN_A_THREAD = `process.emitWarning = () => {};
const { source, identifier } = require('worker_threads').workerData;
new (require('vm').SourceTextModule)(source, { identifier });`;

// The error of a module that can't be compiled, with its line. That is in a part of the error that no program can read; Node
// puts it into the stack of an error that a thread has not caught.
function withPlace(error) {
  const { Worker } = require('worker_threads');
  return new Promise(resolve => {
    const workerData = { source: script.source, identifier: script.filename };
    // Newer engines take half a gigabyte for machine code unless they are told how little there will be.
    const resourceLimits = { codeRangeSizeMb: 16 };
    const thread = new Worker(COMPILE_IN_A_THREAD, { eval: true, workerData, resourceLimits });
    thread.on('error', ({ message, stack }) => {
      const place = /^[^]*?(?=\w*Error: )/.exec(stack);
      if (message === error.message && place !== null) error.stack = place[0] + error.stack;
    });
    thread.on('exit', () => resolve(error));
  });
}

// What a module imports; older versions of Node have another name for it.
function requestsOf(module) {
  return module.dependencySpecifiers ?? module.moduleRequests;
}

// Whether a module imports or exports anything; one that imports nothing has been linked.
function hasModuleSyntax(module) {
  // The one key that every namespace has is a symbol.
  return requestsOf(module).length > 0 || ownKeys(module.namespace).length > 1;
}

// Node warns of its experimental modules; that we use them is not the script's concern.
function quietly(action) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

const imported = new Map();

// The module that `import … from specifier` means: one of Node's own, or one of a package.
function importModule(specifier) {
  const name = isBuiltin(specifier) && !specifier.startsWith('node:') ? `node:${specifier}` : specifier;
  if (!imported.has(name)) {
    imported.set(name, isBuiltin(name) ? ofNode(name) : ofPackage(name));
  }
  return imported.get(name);
}

function ofNode(name) {
  const exported = requireFromScript(name);
  return withExports(name, { ...exported, default: exported });
}

function withExports(identifier, exported) {
  const names = keys(exported);
  const fill = function () {
    for (const name of names) this.setExport(name, exported[name]);
  };
  return quietly(() => new vm.SyntheticModule(names, fill, { identifier }));
}

async function ofPackage(specifier) {
  if (packages.folder === undefined || !isPackage(specifier)) {
    const others = packages.folder === undefined ? '' : ' and the packages of its environment';
    throw new Error(
      `cannot import '${specifier}': a script is one file, which can import Node's own modules, such as 'node:fs'${others}`,
    );
  }
  traces.reachesFiles = true;
  return withExports(specifier, await importPackage(specifier));
}

// `import(specifier)`
async function importModuleDynamically(specifier) {
  const module = await importModule(specifier);
  if (module.status === 'unlinked') await module.link(() => {});
  if (module.status === 'linked') await module.evaluate();
  return module;
}

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

let requireFromScript;

// What every script finds, whichever it is.
function provideGlobals() {
  tidyGlobals();
  provideMemoryUsage();
  provideGiven();
  process.execArgv = [];
}

function load(name, config, source) {
  const folder = process.cwd();
  const file = `${folder}/${name.replaceAll('/', '_')}.js`;
  script.name = name;
  script.config = config;
  script.source = source;
  script.file = file;
  script.filename = `<${name}>`;
  requireFromScript = createRequire(file);
}

// What a script finds at the start of each call.
function provideNames() {
  const { file } = script;
  const module = new Module(file);
  module.filename = file;
  requireFromScript.main = module;
  process.argv = [process.execPath, file];
  define(globalThis, 'require', requireFromScript);
  define(globalThis, 'module', module);
  define(globalThis, 'exports', module.exports);
  define(globalThis, '__filename', file);
  define(globalThis, '__dirname', baseline.folder);
  define(globalThis, 'HttpResponse', HttpResponse);
  define(globalThis, 'AppError', AppError);
  define(globalThis, 'setResponse', setResponse);
}

// What was given to the call that runs. Few functions ask for `ARGS`, so it is read when somebody does.
let given = bare({ args: undefined, config: undefined, meta: undefined });

const UNREAD = Symbol('unread');

class Given {
  constructor(frame) {
    // It stays until the call has been answered.
    this.frame = frame;
    this.args = this.config = this.meta = UNREAD;
  }
}
setPrototypeOf(Given.prototype, null);

function givenText(index) {
  return textAt(given.frame, NUMBER_SIZE, index, NUMBER_SIZE + 4 * TEXTS);
}

function givenValue(index) {
  const text = givenText(index);
  return text === undefined ? undefined : read(text);
}

function read(text) {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new Refused(`the arguments can't be read: ${error.message}`) : error;
  }
}

const isGiven = index => readLength(given.frame, NUMBER_SIZE + 4 * index) !== ABSENT;

// The named arguments of the default function.
function named() {
  if (isGiven(MAIN)) return givenValue(MAIN);
  return isGiven(QUERY) || isGiven(BODY) ? givenValue(MERGED) : givenArgs();
}

function readArgs() {
  const merged = givenValue(MERGED);
  if (!isGiven(QUERY) && !isGiven(BODY)) return merged;
  const query = givenValue(QUERY);
  const body = givenValue(BODY);
  const args = isArray(merged) ? {} : copyOf(merged);
  args.POST = body ?? {};
  args.GET = query ?? {};
  return args;
}

const givenArgs = () => (given.args === UNREAD ? (given.args = readArgs()) : given.args);
const givenConfig = () => (given.config === UNREAD ? (given.config = parse(script.config)) : given.config);
const givenMeta = () => (given.meta === UNREAD ? (given.meta = meta.read(givenText(META))) : given.meta);

// The value of a text that is often the one of the call before: a literal is copied in a fraction of the time that reading takes.
class Repeated {
  #text;
  #times = 0;
  #copy;

  read(text) {
    if (text === this.#text && this.#copy !== undefined) {
      const copy = this.#copy;
      return copy();
    }
    const value = read(text);
    if (text !== this.#text) {
      this.#text = text;
      this.#times = 0;
      this.#copy = undefined;
    } else if (++this.#times === COMPILED_AFTER) {
      this.#copy = literal(text);
    }
    return value;
  }
}

const COMPILED_AFTER = 8;

// A function that returns the value of a JSON text, or nothing. JSON is JavaScript, but for one name.
function literal(text) {
  if (indexOf(text, '__proto__') >= 0 || indexOf(text, '\\u') >= 0) return undefined;
  try {
    return Function(`return (${text}\n)`);
  } catch {
    // It is too deep for that.
    return undefined;
  }
}

const meta = new Repeated();

// Once for all calls, and for good.
function provideGiven() {
  const provide = (name, get, set) => defineProperty(globalThis, name, bare({ get, set, enumerable: false, configurable: false }));
  provide('ARGS', givenArgs, value => (given.args = value));
  provide('CONFIG', givenConfig, value => (given.config = value));
  provide('META', givenMeta, value => (given.meta = value));
}

// As `{ ...object }`, after which the engine would need microseconds for each property that is added.
function copyOf(object) {
  const copy = {};
  const names = keys(object);
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    // To assign what every object has would be to give it a prototype, or what a script has made of that.
    if (name in copy) define(copy, name, object[name], true);
    else copy[name] = object[name];
  }
  return copy;
}

// One call. Its answer may come later.
function run() {
  // What a module makes of them is its own business, as its variables are.
  if (script.module === undefined || script.module.status === 'unlinked') provideNames();
  if (script.program !== undefined) runProgram();
  else runModule();
}

function runProgram() {
  let returned;
  try {
    returned = apply(script.program, globalThis, []);
  } catch (error) {
    // Left to Node where the script listens to what nobody catches.
    if (isHeard('uncaughtException') || process.hasUncaughtExceptionCaptureCallback()) throw error;
    fail(error);
    return;
  }
  if (typeof returned === 'function') runHandler(returned);
}

// What a script returned, for `await`, which takes a promise for what it is only if its constructor is the right one; a
// script may have changed that of all of them.
function own(value) {
  if (isPromise(value)) define(value, 'constructor', Promise);
  return value;
}

// The function that a program's last statement is.
async function runHandler(handler) {
  state.awaits = 'the function that is the value of the script';
  try {
    const { log, error } = console;
    const context = { args: givenArgs(), config: givenConfig(), meta: givenMeta(), HttpResponse, setResponse, log, error };
    const returned = await own(handler(context));
    state.awaits = undefined;
    // What is still pending is waited for, as in every program.
    if (isResponse(returned)) setResponse(returned);
  } catch (error) {
    fail(error);
  }
}

async function runModule() {
  const { module } = script;
  const isNew = module.status === 'unlinked';
  state.awaits = 'the top level of the script';
  try {
    if (isNew) {
      await module.link(importModule);
      if (script.problem !== undefined && !hasModuleSyntax(module)) throw script.problem;
      await own(module.evaluate());
    }
    const main = 'default' in module.namespace ? module.namespace.default : undefined;
    state.awaits = undefined;
    if (typeof main !== 'function') {
      // A program as well: the next call gets a module of its own.
      script.module = undefined;
      return;
    }
    // The listeners of its top level stay.
    if (isNew) baseline.listeners = listenersNow();
    state.awaits = 'the default function';
    state.isFunction = true;
    succeed(await own(main(named(), { config: givenConfig(), meta: givenMeta(), HttpResponse })));
  } catch (error) {
    fail(error);
  }
}
