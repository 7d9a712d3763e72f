//! Node.

use std::ffi::OsString;

use syncano_core::Language;

use crate::interpreter::Interpreter;
use crate::limits::Limits;
use crate::recipe::Recipe;

pub(crate) static NODE: Recipe = Recipe {
    language: Language::JavaScript,
    product: "Node",
    executable: "node",
    oldest: (18, 0),
    packages: ["nodejs"; 3],
    probe: &["-e", PROBE],
    arguments,
    environment: &[],
    // The parts share one scope, and the last one runs.
    program: concat!(
        include_str!("node/channel.js"),
        include_str!("node/packages.js"),
        include_str!("node/given.js"),
        include_str!("node/script.js"),
        include_str!("node/compile.js"),
        include_str!("node/imports.js"),
        include_str!("node/machine.js"),
        include_str!("node/entry.js"),
        include_str!("node/check.js"),
        include_str!("node/json.js"),
        include_str!("node/answer.js"),
        include_str!("node/reach.js"),
        include_str!("node/watch.js"),
        include_str!("node/between_calls.js"),
        include_str!("node/network.js"),
        include_str!("node/worker.js"),
    ),
    // It can't be copied once it has threads.
    zygote: None,
    // A gigabyte for itself, half of one per `Worker`, and four for a WebAssembly memory.
    reserved: 8 * 1024 * 1024 * 1024,
    // Every thread of the engine has one, and all of it counts as memory.
    stack: 2 * 1024 * 1024,
    last_words,
};

/// Starting a shim starts the interpreter, which then names itself.
const PROBE: &str = "const { realpathSync, readFileSync } = require('fs');
const { dirname, join, basename } = require('path');
const executable = realpathSync(process.execPath);
console.log('path ' + executable);
console.log('version ' + process.versions.node);
console.log('file ' + executable);
const folder = dirname(executable);
if (basename(folder) === 'bin') console.log('file ' + join(dirname(folder), 'lib'));
for (const option of ['--disable-wasm-trap-handler'])
  if (process.allowedNodeEnvironmentFlags.has(option)) console.log('option ' + option);
let code = 0;
for (const [, from, to] of readFileSync('/proc/self/maps', 'latin1').matchAll(/^(\\w+)-(\\w+) rwx/gm))
  code += parseInt(to, 16) - parseInt(from, 16);
console.log('code ' + code);";

fn arguments(node: &Interpreter, limits: &Limits) -> Vec<OsString> {
    let megabytes = limits.memory / (1024 * 1024);
    // The rest is for the young generation, compiled code, buffers and threads: the engine's own limit must come first,
    // since it knows no way out of the kernel's.
    let old = (megabytes * 5 / 8).max(8);
    let young = (megabytes / 24).clamp(1, 16);
    let mut arguments = vec![
        // Otherwise one thread per processor, for work that a single script hardly has.
        "--v8-pool-size=1".to_owned(),
        format!("--max-old-space-size={old}"),
        format!("--max-semi-space-size={young}"),
        "--input-type=commonjs".to_owned(),
        "--experimental-vm-modules".to_owned(),
        // A script that spins shows where.
        "--trace-sigint".to_owned(),
    ];
    arguments.extend(node.options.iter().cloned());
    arguments.extend(["-e".to_owned(), include_str!("node/bootstrap.js").to_owned()]);
    arguments.into_iter().map(OsString::from).collect()
}

const OURS: [&str; 3] = ["<syncano worker>", "node:", "[eval]"];

/// How Node says that there is no memory left. (The last one is a failed change of the rights to some memory.)
const OUT_OF_MEMORY: [&str; 4] = [
    "JavaScript heap out of memory",
    "Fatal process out of memory",
    "Fatal JavaScript out of memory",
    "SetPermissions(",
];

/// Where pages about Node's own insides begin.
const DUMPS: [&str; 2] = ["<--- Last few GCs --->", "#\n# Fatal "];

/// Node writes the stack of a script that is interrupted itself, our frames at its end, and when it runs out of memory
/// it adds what none but its makers can read.
fn last_words(stderr: &mut String) -> bool {
    let start = DUMPS.iter().filter_map(|dump| stderr.rfind(dump)).min();
    let dump = start.map_or("", |start| &stderr[start..]);
    let out_of_memory = OUT_OF_MEMORY.iter().any(|text| dump.contains(text));
    if out_of_memory && let Some(start) = start {
        stderr.truncate(start);
    }
    loop {
        let kept = stderr.trim_end().len();
        stderr.truncate(kept);
        let last = stderr.rfind('\n').map_or(0, |end| end + 1);
        let line = stderr[last..].trim_start();
        if line.starts_with("at ") && OURS.iter().any(|ours| line.contains(ours)) {
            stderr.truncate(last);
        } else {
            return out_of_memory;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_of_an_interrupted_script_ends_with_the_script() {
        let mut stderr =
            "before\nKEYBOARD_INTERRUPT: interrupted\n    at spin (<test>:1:18)\n    at <test>:3:1\n    \
                          at Script.runInThisContext (node:vm:122:12)\n    at run (<syncano worker>:7:1)\n\n"
                .to_owned();
        assert!(!last_words(&mut stderr));
        assert_eq!(
            stderr,
            "before\nKEYBOARD_INTERRUPT: interrupted\n    at spin (<test>:1:18)\n    at <test>:3:1"
        );
    }

    #[test]
    fn a_crash_for_want_of_memory_leaves_what_the_script_wrote() {
        let mut stderr = "mine\n\n<--- Last few GCs --->\n[1:0x1] 5 ms: Mark-Compact\n\n<--- JS stacktrace --->\n\nFATAL \
                          ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native \
                          stack trace -----\n 1: 0xb78db3 [node]\n"
            .to_owned();
        assert!(last_words(&mut stderr));
        assert_eq!(stderr, "mine");
        let mut stderr = "mine\n#\n# Fatal error in , line 0\n# unreachable code\n".to_owned();
        let before = stderr.trim_end().to_owned();
        assert!(!last_words(&mut stderr));
        assert_eq!(stderr, before);
    }
}
