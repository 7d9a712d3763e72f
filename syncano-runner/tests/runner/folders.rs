//! Folders that take long to remove, at the level `process`, where they are on a disk.

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
