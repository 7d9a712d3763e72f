// Everything Node is started with on its command line: read the worker's program (a frame: length, then bytes) from the
// channel and become it. Nothing here is left in the global scope, which is the script's.
(() => {
  const { readSync } = require('fs');
  const take = size => {
    const data = Buffer.allocUnsafe(size);
    for (let taken = 0; taken < size; ) {
      const count = readSync(15, data, taken, size - taken, null);
      if (count === 0) process.reallyExit(1);
      taken += count;
    }
    return data;
  };
  const program = take(take(4).readUInt32LE()).toString();
  const parameters = ['CHANNEL', 'CALLS', 'require', 'importUrl'];
  const run = require('vm').compileFunction(program, parameters, { filename: '<syncano worker>' });
  // Functions that are compiled like this have no `import()` of their own.
  run(15, 14, require, url => import(url));
})();
