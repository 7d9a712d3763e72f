//! A disk that is full for a while: nothing is confirmed that isn't stored, before, while and after.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use serde_json::{Value, json};

use super::{World, socket, sockets};

/// Where the child finds its small file system.
const FOLDER: &str = "SYNCANO_TEST_SMALL_DISK";

/// Takes all the space there is.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = File::create(&path).unwrap();
    // The smaller piece fits where the larger one doesn't.
    for size in [1 << 16, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

/// What another process sees in the database.
async fn stored_revision(url: &str) -> i64 {
    let db = Database::connect(url).await.unwrap();
    let query = Statement::from_string(DbBackend::Sqlite, "SELECT revision FROM socket WHERE name = 's'");
    let revision = db.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    db.close().await.unwrap();
    revision
}

/// The child of the next test, alone with a file system of a few MiB.
#[tokio::test]
#[ignore = "run by another test as a process of its own"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let url = format!("sqlite://{}", folder.join("s.db").display());
    let world = World::with(|server| server.database(&url)).await;
    world.publish(socket("s", "e", "print(1)")).await;
    let path = format!("{}s/", sockets());
    let read = async |world: &World| world.get(&path).await.json;
    let mut confirmed = read(&world).await;

    for round in 0..3 {
        let filler = fill(&folder);
        let mut failed = 0;
        // Some small changes may still find space in files that are there.
        for attempt in 0..30 {
            let large = json!({ "description": format!("full {round} {attempt}"),
                "config": { "large": "y".repeat(200_000) } });
            let reply = world.patch(&path, large).await;
            match reply.status.as_u16() {
                200 => confirmed = reply.json,
                status => {
                    assert!(status >= 500, "{reply:?}");
                    failed += 1;
                }
            }
            assert_eq!(read(&world).await, confirmed);
        }
        assert!(failed > 0, "the disk was never full");
        // Nor does reading need space, however many do.
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let request = world.request(reqwest::Method::GET, &path).header("X-API-KEY", &world.key);
            readers.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        assert!(readers.join_all().await.iter().all(|status| *status == 200));
        std::fs::remove_file(filler).unwrap();

        // More than there are connections.
        for attempt in 0..8 {
            let small =
                json!({ "description": format!("free {round} {attempt}"), "config": { "large": "" } });
            let reply = world.patch(&path, small).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            confirmed = reply.json;
            assert_eq!(read(&world).await, confirmed);
            assert_eq!(json!(stored_revision(&url).await), confirmed["revision"]);
        }
        let new = format!("n{round}");
        world.publish(socket(&new, &new, "print(2)")).await;
    }

    world.server.stop().await;
    let world = World::with(|server| server.database(&url)).await;
    assert_eq!(read(&world).await, confirmed);
    let list = world.get(&sockets()).await.json;
    let names: Vec<&Value> = list["objects"].as_array().unwrap().iter().map(|o| &o["name"]).collect();
    assert_eq!(names, ["s", "n0", "n1", "n2"]);
    world.server.stop().await;
    println!("it came to its end");
}

/// Runs a shell command where `$1` is a small file system of its own, which ends with the command. `sh -c` gets the
/// names of the command and its arguments from `$2` on.
fn on_a_small_disk(folder: &Path, command: &[&str]) -> Option<Command> {
    const MOUNT: &str = "mount -t tmpfs -o size=8m,mode=777 small \"$1\" && shift && exec \"$@\"";
    // The user of a namespace looks like root, but is none: back to an ordinary user after mounting.
    let ordinary = ["unshare", "--user", "--map-user=1000", "--map-group=1000"];
    for (flags, back) in [(&["-m"][..], &[][..]), (&["-rm"][..], &ordinary[..])] {
        let build = |last: &[&str]| {
            let mut unshare = Command::new("unshare");
            unshare.args(flags).args(["sh", "-c", MOUNT, "sh"]).arg(folder).args(back).args(last);
            unshare
        };
        let works = build(&["true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if works.is_ok_and(|status| status.success()) {
            return Some(build(command));
        }
    }
    None
}

#[test]
fn what_is_confirmed_around_a_full_disk_stays() {
    let folder = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    let child = ["--exact", "full_disk::child", "--ignored", "--nocapture"];
    let command: Vec<&str> = std::iter::once(test.to_str().unwrap()).chain(child).collect();
    let Some(mut command) = on_a_small_disk(folder.path(), &command) else {
        // Not even in CI: many machines allow no namespaces. The store has a test that needs none.
        eprintln!("skipped: no small file system can be mounted here, neither as root nor by `unshare -rm`");
        return;
    };
    let output = command.env(FOLDER, folder.path()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    // An ignored test that isn't found passes as well.
    assert!(said.contains("it came to its end"), "{said}");
}
