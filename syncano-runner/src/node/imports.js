// What a script imports: Node's own modules, and packages of its environment.

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

// What has been imported, each ready to be used. What fails is not among them: the next call tries it anew.
const imported = new Map();

// The module that `import … from specifier` means: one of Node's own, or one of a package.
function importModule(specifier) {
  const name = isBuiltin(specifier) && !startsWith(specifier, 'node:') ? `node:${specifier}` : specifier;
  let found = imported.get(name);
  if (found === undefined) {
    found = importFirst(name);
    imported.set(name, found);
  }
  return found;
}

async function importFirst(name) {
  try {
    const exported = isBuiltin(name) ? ofNode(name) : await ofPackage(name);
    const names = keys(exported);
    const fill = function () {
      for (const name of names) this.setExport(name, exported[name]);
    };
    const module = quietly(() => new vm.SyntheticModule(names, fill, { identifier: name }));
    await module.link(() => {});
    await module.evaluate();
    return module;
  } catch (error) {
    imported.delete(name);
    throw error;
  }
}

function ofNode(name) {
  const exported = requireFromScript(name);
  return { ...exported, default: exported };
}

async function ofPackage(specifier) {
  if (packages.folder === undefined || !isPackage(specifier)) {
    const others = packages.folder === undefined ? '' : ' and the packages of its environment';
    throw new Error(
      `cannot import '${specifier}': a script is one file, which can import Node's own modules, such as 'node:fs'${others}`,
    );
  }
  traces.reachesFiles = true;
  try {
    return await importPackage(specifier);
  } catch (error) {
    // Node keeps a module whose evaluation failed, for as long as the process lives.
    if (!ABSENCES.includes(error?.code)) traces.isLasting = true;
    throw error;
  }
}

// How Node says that there is no such module, which stays so.
const ABSENCES = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'ERR_UNSUPPORTED_DIR_IMPORT'];

// `import(specifier)`
const importModuleDynamically = specifier => importModule(specifier);

// `import.meta`
function initializeImportMeta(meta) {
  const { file } = script;
  meta.dirname = baseline.folder;
  meta.filename = file;
  meta.resolve = specifier => {
    if (isBuiltin(specifier)) return startsWith(specifier, 'node:') ? specifier : `node:${specifier}`;
    if (isPackage(specifier)) return pathToFileURL(requireFromScript.resolve(specifier)).href;
    return new URL(specifier, meta.url).href;
  };
  meta.url = pathToFileURL(file).href;
}
