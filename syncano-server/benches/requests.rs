//! What a request costs in the server, without a connection and without a process: `cargo bench -p syncano-server`.
//!
//! `route` goes through the table of routes. `refused arguments` is a call up to the check of its arguments, `run` one that does
//! everything but run a script, since its interpreter is missing. `run, stored` counts in what its trace costs the writer:
//! runs come one after another, and the time ends when all are stored.

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Method, Request, Response};
use secrecy::ExposeSecret as _;
use serde_json::json;
use syncano_server::TestServer;
use tokio::runtime::Runtime;

const BODY: &[u8] = br#"{"name":"Ada","n":100}"#;
const SOCKETS: &str = "/v1.1/instances/bench/sockets/";
const CALL: &str = "/v1.1/instances/bench/endpoints/sockets/s/e/";

struct World {
    runtime: Runtime,
    server: TestServer,
}

impl World {
    fn new() -> World {
        let runtime = Runtime::new().expect("a runtime");
        let folder = std::env::temp_dir();
        let nowhere = folder.join("no-interpreter-is-here");
        let server = TestServer::builder().with(|server| server.node(nowhere)).start();
        let server = runtime.block_on(server).expect("a server");
        let world = World { runtime, server };
        world.made("/v1.1/instances/", &json!({ "name": "bench" }));
        let inputs = json!({
            "type": "object",
            "properties": { "name": { "type": "string" }, "n": { "type": "integer" } },
            "required": ["name", "n"],
            "additionalProperties": false,
        });
        let call = json!({ "type": "script", "methods": ["POST"], "name": "e" });
        let metadata = json!({ "POST": { "inputs": inputs } });
        let dependency =
            json!({ "type": "script", "runtime_name": "nodejs_library_v1.0", "name": "e", "source": "1" });
        let socket = json!({
            "name": "s",
            "endpoints": { "e": { "calls": [call], "metadata": metadata } },
            "dependencies": [dependency],
        });
        world.made(SOCKETS, &socket);
        world
    }

    fn send(&self, method: Method, path: &str, body: Bytes) -> Response<Bytes> {
        let key = self.server.account_key().expose_secret();
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("x-api-key", key).body(body).expect("a request");
        self.runtime.block_on(self.server.server().answer(request, ([127, 0, 0, 1], 4000).into()))
    }

    fn made(&self, path: &str, body: &serde_json::Value) {
        let answer = self.send(Method::POST, path, body.to_string().into());
        assert_eq!(answer.status(), 201, "{answer:?}");
    }

    fn call(&self) {
        let answer = self.send(Method::POST, CALL, Bytes::from_static(BODY));
        assert_eq!(answer.headers()["syncano-status"], "failure", "{answer:?}");
    }

    /// Whoever reads traces waits until all are stored.
    fn settle(&self) {
        let path = format!("{CALL}traces/?page_size=1");
        assert_eq!(self.send(Method::GET, &path, Bytes::new()).status(), 200);
    }

    fn stored(&self, runs: u64) -> Duration {
        self.settle();
        let start = Instant::now();
        (0..runs).for_each(|_| self.call());
        self.settle();
        start.elapsed()
    }
}

fn requests(criterion: &mut Criterion) {
    let world = World::new();
    criterion.bench_function("route", |bencher| {
        bencher.iter(|| world.send(Method::GET, "/health", Bytes::new()));
    });
    criterion.bench_function("refused arguments", |bencher| {
        bencher.iter(|| {
            let answer = world.send(Method::POST, CALL, Bytes::from_static(br#"{"name":5,"n":100}"#));
            assert_eq!(answer.status(), 400);
        });
    });
    criterion.bench_function("run", |bencher| bencher.iter(|| world.call()));
    criterion.bench_function("run, stored", |bencher| bencher.iter_custom(|runs| world.stored(runs)));
}

criterion_group!(benches, requests);
criterion_main!(benches);
