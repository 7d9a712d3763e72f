// A script: what it sees, and how a call runs it.

// Whether a value is an HttpResponse, and the text of one that is Refused: the classes themselves say so, by parts of theirs
// that no script can give to anything else.
let isResponse;
let refusalIn;

const PROPERTY = bare({ value: undefined, writable: true, enumerable: false, configurable: true });

// An HTTP answer of the script's own: hand it to `setResponse`, or return it. Its fields may be set afterwards, by the names of
// either runtime: `status_code` or `statusCode`.
class HttpResponse {
  #made = true;

  constructor(status_code = 200, content = '', content_type = 'application/json', headers = {}) {
    this.status_code = status_code;
    this.content = content;
    this.content_type = content_type;
    this.headers = headers;
  }

  get statusCode() {
    return this.status_code;
  }

  set statusCode(value) {
    this.status_code = value;
  }

  get contentType() {
    return this.content_type;
  }

  set contentType(value) {
    this.content_type = value;
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
  // The name of a file with the source, if the script has one, and how that was made.
  written: undefined,
  // One of the two, once it is compiled: a function that runs the program, with what it declares in its own scope; or a
  // module.
  program: undefined,
  module: undefined,
  // The value of the program may be a function that it exports.
  isExporting: false,
  // The module has been evaluated to its end and its default export is a function: it is kept. Any other one serves one call.
  isReady: false,
  // Why it is no program, where it may turn out that it is no module either.
  problem: undefined,
});

let requireFromScript;

function load(name, config, source) {
  const folder = process.cwd();
  const file = `${folder}/${name.replaceAll('/', '_')}.js`;
  script.name = name;
  script.config = config;
  script.source = source;
  script.file = file;
  script.filename = `<${name}>`;
  requireFromScript = createRequire(file);
  if (source === undefined) return;
  readReach(source);
  if (OWN_FILE.test(source)) writeOwnFile();
}

// What leads a script to its own file. Other scripts find their folder empty.
const OWN_FILE = /\bimport\s*\.\s*meta\b|\b__filename\b|\bargv\b|\bmain\s*\.\s*filename\b|\bmodule\s*\.\s*(?:filename|id)\b/;

// What the program exports: the `module` that it finds.
let ownModule;

// The names that a script finds at the start of each call, beside `ARGS`, `CONFIG` and `META`.
const NAMES = ['require', 'module', 'exports', '__filename', '__dirname', 'HttpResponse', 'AppError', 'setResponse'];

function provideNames() {
  const { file } = script;
  const module = (ownModule = new Module(file));
  module.filename = file;
  requireFromScript.main = module;
  process.argv = [process.execPath, file];
  const values = [requireFromScript, module, module.exports, file, baseline.folder, HttpResponse, AppError, setResponse];
  for (let index = 0; index < NAMES.length; index++) define(globalThis, NAMES[index], values[index]);
}

// One call. Its answer may come later.
function run() {
  // What a module makes of them is its own business, as its variables are.
  if (!script.isReady) provideNames();
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
  const handler = typeof returned !== 'function' && script.isExporting ? exportedFunction() : returned;
  if (typeof handler === 'function') runHandler(handler);
}

// `module.exports = function` or `exports.default = function`, which a bundle hides from the value of the program.
function exportedFunction() {
  const { exports } = ownModule;
  if (typeof exports === 'function' || typeof exports !== 'object' || exports === null) return exports;
  return exports.default;
}

// What a script returned, for `await`, which takes a promise for what it is only if its constructor is the right one; a
// script may have changed that of all of them.
function own(value) {
  if (isPromise(value)) define(value, 'constructor', Promise);
  return value;
}

// The function that is the value of a program gets all that it may ask for in one object, as on Syncano. One that was written
// for a module takes the arguments by their names: it finds them there, too, and the rest in a second parameter.
async function runHandler(handler) {
  const call = given;
  state.hasCalled = true;
  state.awaits = 'the function that is the value of the script';
  try {
    const { log, error } = console;
    const args = givenArgs();
    const context = { args, config: givenConfig(), meta: givenMeta(), HttpResponse, setResponse, log, error };
    const inherited = isGiven(MAIN) ? named() : args;
    if (typeof inherited === 'object' && inherited !== null && !isArray(inherited)) setPrototypeOf(context, inherited);
    const returned = await own(handler(context, context));
    if (call !== given) return;
    state.awaits = undefined;
    // What is still pending is waited for, as in every program.
    if (isResponse(returned)) setResponse(returned);
    else if (returned !== undefined) state.isDropped = true;
  } catch (error) {
    if (call === given) fail(error);
  }
}

async function runModule() {
  const { module, isReady } = script;
  // What settles when its call has ended is nobody's answer.
  const call = given;
  state.awaits = 'the top level of the script';
  try {
    if (!isReady) {
      await module.link(importModule);
      if (script.problem !== undefined && !hasModuleSyntax(module)) throw script.problem;
      await own(module.evaluate());
      if (call !== given) return;
    }
    const main = 'default' in module.namespace ? module.namespace.default : undefined;
    state.awaits = undefined;
    if (typeof main !== 'function') {
      // A program as well.
      script.isReady = false;
      state.namespace = module.namespace;
      return;
    }
    if (!isReady) {
      script.isReady = true;
      keepWhatTheTopLevelMade();
    }
    state.awaits = 'the default function';
    state.isFunction = true;
    const returned = await own(main(named(), { config: givenConfig(), meta: givenMeta(), HttpResponse }));
    if (call === given) succeed(returned);
  } catch (error) {
    if (call === given) fail(error);
  }
}
