// A worker that has no script of its own compiles those of others, to say what is wrong with them. None is run.

// A line of output for each source: what a process has found out survives its end.
async function checkAll(sources) {
  script.filename = '<script>';
  for (const source of sources) {
    const found = await check(source);
    stdout.write(encode(`${stringify(found)}\n`));
  }
  script.source = undefined;
}

// What keeps a source from being compiled, and where; nothing if it can be.
async function check(source) {
  script.source = source;
  try {
    await compile();
    // As where it is run: what is no program must at least be a module.
    if (script.problem !== undefined) {
      if (requestsOf(script.module).length === 0) await script.module.link(importModule);
      if (!hasModuleSyntax(script.module)) throw script.problem;
    }
    return {};
  } catch (error) {
    if (error instanceof RangeError) return { too_large: true };
    return { message: error.message, ...placeOf(error) };
  } finally {
    script.program = script.module = script.problem = undefined;
  }
}

// Node shows the line, and marks, before it says what is wrong.
function placeOf({ stack }) {
  const shown = /^<script>:(\d+)\n([^\n]*)\n(?:([ \t]*)\^)?/.exec(stack);
  if (shown === null) return {};
  const [, line, text, before] = shown;
  const column = before === undefined ? undefined : [...text.slice(0, before.length)].length + 1;
  return { line: Number(line), column };
}

