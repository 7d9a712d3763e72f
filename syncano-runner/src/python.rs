//! Python.

use std::ffi::OsString;

use syncano_core::Language;

use crate::interpreter::Interpreter;
use crate::limits::Limits;
use crate::recipe::{Recipe, ZygoteProgram};

/// All of a worker's program but the part that runs.
macro_rules! definitions {
    () => {
        concat!(
            include_str!("python/channel.py"),
            include_str!("python/machine.py"),
            include_str!("python/style.py"),
            include_str!("python/leftovers.py"),
            include_str!("python/script.py"),
            include_str!("python/check.py"),
            include_str!("python/values.py"),
            include_str!("python/answer.py"),
            include_str!("python/between_calls.py"),
            include_str!("python/worker.py"),
        )
    };
}

pub(crate) static PYTHON: Recipe = Recipe {
    language: Language::Python,
    product: "Python",
    executable: "python3",
    oldest: (3, 8),
    packages: ["python3"; 3],
    // Isolated (-I), no compiled files written (-B); and without `site` (-S), which runs what packages have put into `.pth` files.
    probe: &["-I", "-S", "-B", "-c", PROBE],
    arguments,
    environment: &[
        // Numerical libraries start a thread per processor.
        ("OPENBLAS_NUM_THREADS", "1"),
        ("OMP_NUM_THREADS", "1"),
    ],
    // The parts share one namespace, and the last one runs.
    program: concat!(definitions!(), include_str!("python/start.py")),
    zygote: Some(ZygoteProgram {
        program: include_str!("python/zygote.py"),
        definitions: definitions!(),
        start: include_str!("python/start.py"),
    }),
    reserved: 512 * 1024 * 1024,
    stack: 8 * 1024 * 1024,
    // It raises MemoryError, and shows where it stands by itself.
    last_words: |_| false,
};

/// A shim in front of an interpreter starts it just the same, and the interpreter then names itself.
const PROBE: &str = "import os, sys
executable = os.path.abspath(sys.executable)
above = os.path.dirname(os.path.dirname(executable))
is_environment = os.path.exists(os.path.join(above, 'pyvenv.cfg'))
print('path', executable if is_environment else os.path.realpath(getattr(sys, '_base_executable', None) or executable))
print('version', '%d.%d.%d' % sys.version_info[:3])
folders = sorted({sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix} | ({above} if is_environment else set()))
if is_environment:
    # And what its .pth files add: the operator has named it, and with it what it is made of.
    packages = os.path.join(above, 'lib', 'python%d.%d' % sys.version_info[:2], 'site-packages')
    for name in sorted(os.listdir(packages)) if os.path.isdir(packages) else []:
        if not name.endswith('.pth'): continue
        for line in open(os.path.join(packages, name), encoding='utf-8', errors='replace'):
            line = line.strip()
            if not line or line.startswith(('#', 'import ', 'import\t')): continue
            path = os.path.realpath(os.path.join(packages, line))
            if os.path.exists(path) and not any(path.startswith(folder + '/') for folder in folders): folders.append(path)
for folder in folders: print('file', folder)
# Distributions keep the site's own start-up files here.
print('file', '/etc/python%d.%d' % sys.version_info[:2])";

fn arguments(_: &Interpreter, _: &Limits) -> Vec<OsString> {
    ["-I", "-B", "-X", "utf8", "-c", include_str!("python/bootstrap.py")].map(OsString::from).into()
}
