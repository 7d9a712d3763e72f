// Entry points of other platforms, which nothing calls here: a script that has nothing but one does nothing, and says nothing.

const WAY_OUT = 'write `export default async function (args, { config, meta }) { … }`, whose result is the answer';

// The functions that another platform would call.
const ENTRY_POINT = '(main|handler|handle|lambdaHandler|run|fetch|serve|onRequest)';
const DECLARED = [
  new RegExp(`^(?:async\\s+)?function\\s*\\*?\\s*${ENTRY_POINT}\\s*\\(`, 'm'),
  new RegExp(`^(?:const|let|var)\\s+${ENTRY_POINT}\\s*=\\s*(?:async\\b|function\\b|\\([^()]*\\)\\s*=>|[\\w$]+\\s*=>)`, 'm'),
];

// The name of the first function within `exported`.
function functionIn(exported) {
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return undefined;
  const names = keys(exported);
  for (let index = 0; index < names.length; index++) {
    if (typeof exported[names[index]] === 'function') return names[index];
  }
  return undefined;
}

// What the script defines as an entry point and nothing calls, in words.
function unusedEntryPoint() {
  const exported = state.namespace ?? ownModule.exports;
  const name = functionIn(exported);
  if (name !== undefined) return `the script exports \`${name}\``;
  const inner = functionIn(exported?.default);
  if (inner !== undefined) return `the script's default export is an object with \`${inner}\``;
  for (const pattern of DECLARED) {
    const found = pattern.exec(script.source)?.[1];
    // Whoever calls it names it once more.
    if (found !== undefined && script.source.match(new RegExp(`\\b${found}\\b`, 'g')).length === 1) {
      return `the script defines \`${found}\``;
    }
  }
  return undefined;
}

// Says why a call that has come to its end has nothing to show for it, where that can be told.
function warnOfNothing() {
  if (!stdout.isSilent || !stderr.isSilent || isResponse(state.response)) return;
  let text;
  if (state.isDropped) {
    text = 'the function that is the value of the script returned something that is no `HttpResponse`, which is dropped';
  } else if (!state.hasCalled) {
    const found = unusedEntryPoint();
    if (found !== undefined) text = `${found} but nothing calls it`;
  }
  if (text !== undefined) stderr.write(encode(`warning: ${text}: ${WAY_OUT}\n`));
}

// What other platforms have in the global scope.
const FOREIGN = /^(Deno|Bun|addEventListener) is not defined$/;

// The way out for a script of another platform, to be shown below its error.
function hintFor(error) {
  if (!isNativeError(error)) return '';
  const name = FOREIGN.exec(messageOf(error))?.[1];
  return name === undefined ? '' : `\`${name}\` is another platform's: ${WAY_OUT}\n`;
}
