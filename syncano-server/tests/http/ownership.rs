//! Who owns scripts and script endpoints, after any order of changes.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

use super::script_endpoints::{endpoint, endpoints};
use super::scripts::{script, scripts};
use super::{World, sockets};

/// Names of dependencies and script endpoints. One is like the name that a second `a` would get.
const NAMES: [&str; 3] = ["a", "b", "a-2"];

#[derive(Debug, Clone)]
enum Dependency {
    /// The source of a new script.
    New(u8),
    /// Which of the scripts that are there, in the order of their numbers.
    Existing(usize),
    /// None: the call needs a script endpoint.
    Absent,
}

#[derive(Debug, Clone)]
enum Step {
    Publish(u8, Vec<Dependency>),
    Recheck(u8),
    Unpublish(u8),
    MakeScript(u8),
    DeleteScript(usize),
    MakeEndpoint(usize, usize),
    DeleteEndpoint(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let dependency = prop_oneof![
        4 => (1..3u8).prop_map(Dependency::New),
        1 => (0..4usize).prop_map(Dependency::Existing),
        1 => Just(Dependency::Absent),
    ];
    let dependencies = prop::collection::vec(dependency, 1..=NAMES.len());
    prop_oneof![
        6 => (0..3u8, dependencies).prop_map(|(socket, list)| Step::Publish(socket, list)),
        2 => (0..3u8).prop_map(Step::Recheck),
        2 => (0..3u8).prop_map(Step::Unpublish),
        1 => (1..3u8).prop_map(Step::MakeScript),
        1 => (0..4usize).prop_map(Step::DeleteScript),
        1 => (0..NAMES.len(), 0..4usize).prop_map(|(name, script)| Step::MakeEndpoint(name, script)),
        1 => (0..NAMES.len()).prop_map(Step::DeleteEndpoint),
    ]
}

struct Test {
    world: World,
    db: DatabaseConnection,
    /// Scripts that a person made and did not delete.
    own: Vec<i64>,
}

impl Test {
    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let rows = self.db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    async fn nth_script(&self, index: usize) -> Option<i64> {
        self.numbers("SELECT id FROM script ORDER BY id").await.get(index).copied()
    }

    async fn take(&mut self, step: &Step) {
        let world = &self.world;
        let at = |socket: &u8| format!("{}s{socket}/", sockets());
        match step {
            Step::Publish(socket, list) => {
                let mut dependencies = Vec::new();
                for (name, dependency) in NAMES.iter().zip(list) {
                    dependencies.extend(match dependency {
                        Dependency::New(source) => Some(json!({
                            "type": "script", "name": name, "runtime_name": "python3",
                            "source": source.to_string(),
                        })),
                        Dependency::Existing(index) => {
                            let id = self.nth_script(*index).await.unwrap_or(9999);
                            Some(json!({ "type": "script", "name": name, "script": id }))
                        }
                        Dependency::Absent => None,
                    });
                }
                let calls: Vec<Value> = NAMES[..list.len()]
                    .iter()
                    .map(|name| json!({ "type": "script", "name": name, "methods": ["GET"] }))
                    .collect();
                let body = json!({
                    "name": format!("s{socket}"),
                    "endpoints": { format!("e{socket}"): { "calls": calls } },
                    "dependencies": dependencies,
                });
                let reply = world.send(reqwest::Method::PUT, &at(socket), Some(body.clone())).await;
                let reply = if reply.status == 404 { world.post(&sockets(), body).await } else { reply };
                assert!(reply.status.is_success(), "{reply:?}");
            }
            Step::Recheck(socket) => {
                world.post(&format!("{}recheck/", at(socket)), json!({})).await;
            }
            Step::Unpublish(socket) => {
                world.delete(&at(socket)).await;
            }
            Step::MakeScript(source) => {
                let body = json!({ "runtime_name": "python3", "source": source.to_string() });
                self.own.push(world.post(&scripts(), body).await.json["id"].as_i64().unwrap());
            }
            Step::DeleteScript(index) => {
                if let Some(id) = self.nth_script(*index).await
                    && world.delete(&script(id)).await.status == 204
                {
                    self.own.retain(|own| *own != id);
                }
            }
            Step::MakeEndpoint(name, index) => {
                if let Some(id) = self.nth_script(*index).await {
                    world.post(&endpoints(), json!({ "name": NAMES[*name], "script": id })).await;
                }
            }
            Step::DeleteEndpoint(name) => {
                world.delete(&endpoint(NAMES[*name])).await;
            }
        }
    }

    async fn check(&self) {
        let none = async |what: &str, sql: &str| assert_eq!(self.numbers(sql).await, [0; 0], "{what}");
        none(
            "a script that a socket owns and doesn't run",
            "SELECT id FROM script WHERE socket_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM script_endpoint AS e \
             WHERE e.script_id = script.id AND e.socket_id = script.socket_id)",
        )
        .await;
        none(
            "a script endpoint that a socket owns and doesn't use",
            "SELECT id FROM script_endpoint AS e WHERE socket_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM \
             socket_script_endpoint AS u WHERE u.script_endpoint_id = e.id AND u.socket_id = e.socket_id)",
        )
        .await;
        none(
            "an owner in another state than `ok` of something that was never installed",
            "SELECT id FROM socket WHERE status = 'ok' AND installed IS NULL",
        )
        .await;
        let there = self.numbers("SELECT id FROM script").await;
        assert!(self.own.iter().all(|own| there.contains(own)), "a person's script is gone");
        self.check_sources().await;
    }

    /// What is installed means the scripts that the definition says.
    async fn check_sources(&self) {
        let list = self.world.get(&sockets()).await.json;
        for socket in list["objects"].as_array().unwrap().iter().filter(|socket| socket["status"] == "ok") {
            let used = format!(
                "SELECT u.name, s.source, s.id FROM socket_script_endpoint AS u \
                 JOIN script_endpoint AS e ON e.id = u.script_endpoint_id JOIN script AS s ON s.id = e.script_id \
                 JOIN socket ON socket.id = u.socket_id WHERE socket.name = {}",
                socket["name"].to_string().replace('"', "'")
            );
            let rows = self.db.query_all_raw(Statement::from_string(DbBackend::Sqlite, used)).await.unwrap();
            let used: Vec<(String, String, i64)> = rows
                .iter()
                .map(|row| {
                    let text = |index| row.try_get_by_index(index).unwrap();
                    (text(0), text(1), row.try_get_by_index(2).unwrap())
                })
                .collect();
            let calls = socket["endpoints"].as_object().unwrap().values().next().unwrap();
            for call in calls["calls"].as_array().unwrap() {
                assert!(used.iter().any(|(name, ..)| *name == call["name"]), "{call} runs nothing");
            }
            for dependency in socket["dependencies"].as_array().unwrap() {
                let (_, source, id) =
                    used.iter().find(|(name, ..)| *name == dependency["name"]).expect("it is used");
                assert_eq!(dependency["source"], **source, "{dependency}");
                assert!(dependency["script"].is_null() || dependency["script"] == *id, "{dependency}");
            }
        }
    }
}

async fn run(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let world = World::with(|server| server.database(&url)).await;
    let db = Database::connect(&url).await.unwrap();
    let mut test = Test { world, db, own: Vec::new() };
    for step in &steps {
        test.take(step).await;
        test.check().await;
    }
    // In the end nothing that sockets brought along is left.
    for socket in 0..3 {
        test.take(&Step::Unpublish(socket)).await;
        test.check().await;
    }
    assert_eq!(test.numbers("SELECT id FROM script WHERE socket_id IS NOT NULL").await, [0; 0]);
    assert_eq!(test.numbers("SELECT script_endpoint_id FROM socket_script_endpoint").await, [0; 0]);
    test.world.server.stop().await;
}

#[test]
fn ownership_survives_any_order_of_changes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // `PROPTEST_CASES` asks for more.
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: asked.unwrap_or(24), failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&prop::collection::vec(step(), 1..16), |steps| {
        let shown = format!("{steps:?}");
        runtime
            .block_on(async { tokio::spawn(run(steps)).await })
            .map_err(|error| TestCaseError::fail(format!("{error} after {shown}")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// One dependency was taken for unchanged although another had just changed what both ran.
#[tokio::test]
async fn dependencies_that_shared_a_script_part() {
    let publish = |list: &[Dependency]| Step::Publish(0, list.to_vec());
    let (one, two) = (Dependency::New(1), Dependency::New(2));
    run(vec![
        publish(std::slice::from_ref(&one)),
        publish(&[one.clone(), Dependency::Existing(0)]),
        publish(&[two, one]),
    ])
    .await;
}
