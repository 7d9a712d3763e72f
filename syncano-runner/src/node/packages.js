// The packages of the script's environment: a folder `node_modules` that the operator has prepared, which `require` finds by
// NODE_PATH.

const packages = bare({
  folder: process.env.NODE_PATH,
  prefix: `${process.env.NODE_PATH}/`,
  // How many files have been loaded, the last time somebody looked.
  loaded: 0,
});

// Not a path, and no URL.
function isPackage(specifier) {
  return /^(?:@[\w.~-]+\/)?[\w~-][\w.~-]*(?:\/|$)/.test(specifier) && !/(?:^|\/)\.\.(?:\/|$)/.test(specifier);
}

// What `import(specifier)` gives in a file beside the packages.
const importPackage = (() => {
  if (packages.folder === undefined) return undefined;
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  if (importModuleDynamically === undefined) {
    // Before Node 20.12 its own loader is not to be had for a file that isn't there.
    return specifier => importUrl(pathToFileURL(requireFromScript.resolve(specifier)).href);
  }
  const filename = `${packages.folder}/../script.mjs`;
  return vm.compileFunction('return import(specifier)', ['specifier'], { filename, importModuleDynamically });
})();

// Whether files were loaded that aren't of packages, which stay as imported modules do.
function hasLoadedOtherFiles() {
  const files = keys(Module._cache);
  if (files.length === packages.loaded) return false;
  for (let index = 0; index < files.length; index++) {
    if (packages.folder === undefined || !startsWith(files[index], packages.prefix)) return true;
  }
  packages.loaded = files.length;
  return false;
}

// Only so far is a source looked at for what it begins with.
const BEGINNING = 8 * 1024;
const NEITHER = /(?:\s+|\/\/.*|\/\*[^]*?\*\/|;|(['"])use strict\1|^#!.*)*/y;
const IMPORT = /import\s*(?:[\w$*{},\s]+from\s*)?(['"])([^'"\n]+)\1[ \t]*(?:;|$)/my;
const REQUIRE = /(?:const|let|var)\s[\w$\s{},:]+=\s*require\(\s*(['"])([^'"\n]+)\1\s*\)(?:\.[\w$]+)*[ \t]*(?:;|$)/my;

// Loads the packages that a script begins with. Nothing of it runs before them, so they may as well have been loaded. What
// fails is left to the call: its error belongs there.
async function preloadPackages(source) {
  const text = source.slice(0, BEGINNING);
  for (let at = 0; ; ) {
    NEITHER.lastIndex = at;
    NEITHER.test(text);
    IMPORT.lastIndex = REQUIRE.lastIndex = NEITHER.lastIndex;
    const [imports, requires] = [IMPORT.exec(text), REQUIRE.exec(text)];
    const found = imports ?? requires;
    if (found === null) return;
    at = found.index + found[0].length;
    const specifier = found[2];
    if (isBuiltin(specifier) || !isPackage(specifier)) continue;
    try {
      if (imports !== null) await importModule(specifier);
      else requireFromScript(specifier);
    } catch {
      return;
    }
  }
}
