//! The folder of a script: what a call leaves in it, and where it is on a disk, which takes long to clear.

use std::time::{Duration, Instant};

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use crate::support::*;

#[tokio::test]
async fn a_folder_that_takes_long_to_remove_keeps_nobody_waiting() {
    let parent = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(parent.path(), mode).unwrap();
    let path = parent.path().to_owned();
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).directory(path));
    // Folders in folders: there are disks on which each takes milliseconds.
    let source = "import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')\nprint('made', flush=True)\nos._exit(1)";
    let outcome = run(&runner, source).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "made"), "{}", outcome.stderr);
    let start = Instant::now();
    for number in 0..6 {
        let script = Script::new("neighbour", format!("{number}"), Runtime::Python3, "print(1)", "{}");
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "1"), "{}", outcome.stderr);
    }
    let served = start.elapsed();
    // Nothing is left in the end but the folders of those that are there.
    let left = || {
        let runner = std::fs::read_dir(parent.path()).unwrap().next().unwrap().unwrap();
        std::fs::read_dir(runner.path()).unwrap().count()
    };
    while left() > 4 {
        assert!(start.elapsed() < LONG, "{} folders", left());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let gone = start.elapsed();
    assert!(served < Duration::from_secs(3) || served < gone, "served after {served:?}, gone after {gone:?}");
}

/// What a call leaves is looked for only after scripts that name something which leads to files.
#[tokio::test]
async fn however_a_script_comes_to_files_the_next_call_finds_none_of_the_one_before() {
    let runner = runner_or_skip!();
    for reach in [
        "import os as o",
        "import json, os as o",
        "import json; import os as o",
        "from json import loads; from posixpath import os as o",
        "import random, urllib.parse\no = getattr(getattr(urllib, 'request', None), 'os', None) or getattr(random, '_os')",
        "try: pass\nfinally:\n  if 1: pass\n  else: pass\n  import os as o",
        "def main(): import os as o; return o\no = main()",
        "import \\\n  os as o",
        "if True: import os as o",
        "import os.path as p; o = p.os",
        "import shutil as s\no = s.os",
        "import posix as o",
        "from importlib import import_module as i\no = i('os')",
        "o = __import__('o' + 's')",
        "exec('import o' + 's as o')",
        "o = eval('__import__(\"os\")')",
        "import random\no = random._os",
        "import json\no = json.codecs.builtins.__import__('os')",
        "import typing\no = typing.sys.modules['os']",
        "o = vars(__builtins__)['__imp' + 'ort__']('os')",
    ] {
        let source = format!(
            "{reach}\nif ARGS.get('leave'):\n    o.mkdir('left')\n    o.dup(0)\n    o.umask(0)\n\
             free = o.dup(0)\no.close(free)\nprint(o.listdir('.'), o.umask(0o77), free)"
        );
        let seen = async |arguments: &str| {
            let outcome = runner.run(&script(&source), call(arguments)).await;
            assert_eq!(outcome.status, RunStatus::Success, "{reach}: {}", outcome.stderr);
            outcome.stdout
        };
        let clean = seen("{}").await;
        assert_eq!(seen("{}").await, clean, "{reach}");
        assert!(seen("{\"leave\": 1}").await.starts_with("['left'] 0 "), "{reach}");
        assert_eq!(seen("{}").await, clean, "{reach}");
    }
}
