// How a script is compiled: as a program, whose value may be a function, or as a module. Node's own compiler decides.

// What Node says when something that only modules may have stands in a program.
const MODULE_SYNTAX = [
  'Cannot use import statement outside a module',
  "Unexpected token 'export'",
  "Cannot use 'import.meta' outside a module",
  'await is only valid in async functions and the top level bodies of modules',
  // Of `for await`.
  'Unexpected reserved word',
];

// How many modules a process makes, each call of a script that isn't a function's one.
const MODULES_AT_MOST = 1000;
let modulesMade = 0;

// A program, unless that fails and it is a module.
async function compile() {
  const { source, filename } = script;
  let problem;
  try {
    new vm.Script(source, { filename });
    // Functions don't begin with `#!`.
    const body = source.startsWith('#!') ? `//${source.slice(2)}` : source;
    const last = lastStatement(body);
    const code = last === undefined || !last.isReturnable ? body : returning(last);
    const columnOffset = code.startsWith(RETURN) ? -RETURN.length : 0;
    script.program = vm.compileFunction(code, [], { filename, columnOffset, importModuleDynamically });
    script.isExporting = last !== undefined && /\bexports\b/.test(last.text);
    return;
  } catch (error) {
    problem = error;
  }
  const isModule = MODULE_SYNTAX.includes(problem.message);
  // Node never lets go of a module, and becomes slower with each.
  if (++modulesMade === MODULES_AT_MOST) traces.isLasting = true;
  const identifier = filename;
  try {
    script.module = quietly(
      () => new vm.SourceTextModule(source, { identifier, importModuleDynamically, initializeImportMeta }),
    );
  } catch (error) {
    // Where a function should be asynchronous the program's error says so.
    throw isModule && error.message !== 'Unexpected reserved word' ? await withPlace(error) : problem;
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

// Statements that have no value; those of the first kind may come after the end of what runs.
const FUNCTION = /^(?:async\s+)?function\b/;
const DECLARATION = /^(?:(?:async\s+)?function|class|const|let|var)\b/;

// How many beginnings of statements are tried, and how much text is compiled for that: the value of a program stands at its
// end.
const CANDIDATES = 64;
const COMPILED_AT_MOST = 8 * 1024 * 1024;

// The statement whose value is that of the program, if it is an expression: `text`, after `before`; `rest` are declarations,
// which have no value. `isReturnable`: a `return` there would skip nothing. Node's compiler decides where statements begin.
function lastStatement(source) {
  let candidates = Math.min(CANDIDATES, Math.max(4, Math.floor(COMPILED_AT_MOST / source.length)));
  let end = withoutTrailingEnds(source);
  // A bundle is one statement of many lines.
  const directive = /^(?:\s|(['"])use strict\1;?)*/.exec(source)[0].length;
  if (/^(?:[(!me]|\/\*)/.test(source.slice(directive)) && compiles(`(${end.slice(directive)}\n)`)) {
    return { before: end.slice(0, directive), text: end.slice(directive), rest: '', isReturnable: true };
  }
  let isReturnable = true;
  let start = end.length;
  while (candidates > 0 && start > 0) {
    start = beginning(end, start);
    const isLine = /(?:^|\n);*$/.test(end.slice(Math.max(0, start - 8), start));
    let at = start;
    while (end[at] === ';' || (!isLine && end[at] === ' ')) at++;
    const last = end.slice(at);
    if (last === '' || /^(?:\s|\/[/*])/.test(last)) continue;
    candidates--;
    if (DECLARATION.test(last)) {
      if (!compiles(last) || !compiles(end.slice(0, at))) continue;
      isReturnable &&= FUNCTION.test(last);
      end = withoutTrailingEnds(end.slice(0, at));
      start = end.length;
      continue;
    }
    if (NO_EXPRESSION.test(last) || !compiles(`(${last}\n)`)) continue;
    const before = withoutTrailingComments(end.slice(0, at));
    if (!compiles(before) || !endsAStatement(before, last)) continue;
    // Columns on the line of a `return` are moved: nobody counts those of what a tool has written.
    if (!isLine && !/\bexports\b|=>|\bfunction\b/.test(last)) return undefined;
    return { before, text: end.slice(before.length), rest: source.slice(end.length), isReturnable };
  }
  return undefined;
}

// Where a line or what follows a semicolon begins, before `start`.
function beginning(text, start) {
  return start < 2 ? 0 : Math.max(text.lastIndexOf('\n', start - 2), text.lastIndexOf(';', start - 2)) + 1;
}

// The engine takes what follows a comma for a statement of its own, whose place errors name.
const RETURN = 'return(0,';

// The program with a `return` before its last statement. Every line keeps its number.
function returning({ before, text, rest }) {
  const end = /[^;\s]/.test(rest) ? `;${rest.replace(/^[;\s]*?(?:\/\/.*)?\n/, '')}` : '';
  return `${before}${before === '' ? '' : ';'}${RETURN}${text}\n)${end}`;
}

// Without the comments and semicolons after the last statement.
function withoutTrailingEnds(text) {
  const without = withoutTrailingComments(text);
  let end = without === text.trimEnd() || compiles(without) ? without : text.trimEnd();
  while (end.endsWith(';')) end = end.slice(0, -1).trimEnd();
  return end;
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
