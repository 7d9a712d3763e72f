//! What a script's request costs through the server's proxy, beside the same request made directly: by the same script
//! without isolation, where it has the machine's network.
//!
//! `cargo bench -p syncano-runner --bench proxy`. Each row is the p50 of a call that makes one request to a server on this
//! machine, less the p50 of a call that makes none; directly and through the proxy are measured in turn.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use syncano_core::Runtime;
use syncano_runner::{Arguments, Call, Isolation, Runner, Script};

const ROUNDS: usize = 5;
const CALLS: usize = 200;

/// A new connection for each request, and none to begin with.
const SCRIPTS: [(&str, Runtime, &str); 2] = [
    (
        "Python, urllib",
        Runtime::Python3,
        "import urllib.request\ndef main(url):\n    return url and urllib.request.urlopen(url).read().decode()",
    ),
    (
        // Nothing is open when it has its answer, so that both processes serve the next call.
        "Node, http",
        Runtime::NodeJs,
        "import http from 'node:http';
export default ({ url }) => url && new Promise((done, fail) => http.get(url, { agent: false }, answer => {
  let text = '';
  answer.on('data', data => (text += data));
  answer.socket.on('close', () => done(text));
}).on('error', fail));",
    ),
];

#[tokio::main]
async fn main() {
    let build = |isolation| {
        let builder = Runner::builder().isolation(isolation);
        builder.allow_network("127.0.0.1/32".parse().expect("a network")).build()
    };
    let direct = build(Isolation::None).expect("scripts can run here");
    let proxied = match build(Isolation::Namespace) {
        Ok(runner) => runner,
        Err(error) => return println!("skipped: {error}"),
    };
    let url = serve();
    println!("p50 of {CALLS} calls with a request less that of calls without, {ROUNDS} rounds");
    println!("{:16} {:>10} {:>10} {:>7}", "", "direct µs", "proxy µs", "ratio");
    for (name, runtime, source) in SCRIPTS {
        if let Err(missing) = direct.interpreter(runtime.language()) {
            println!("{name}: {missing}");
            continue;
        }
        let script = Script::new("demo", name, runtime, source, "{}");
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut request = [0.0; 2];
            for (runner, request) in [&direct, &proxied].into_iter().zip(&mut request) {
                *request = p50(runner, &script, &url).await - p50(runner, &script, "").await;
            }
            rounds.push(request);
        }
        rounds.sort_by(|a, b| (a[1] / a[0]).total_cmp(&(b[1] / b[0])));
        let [direct, proxied] = rounds[ROUNDS / 2];
        println!("{name:16} {direct:10.0} {proxied:10.0} {:7.2}", proxied / direct);
    }
}

/// A server that answers at once and closes the connection.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            // A request as small as these comes in one piece.
            if stream.read(&mut head).is_ok_and(|read| read > 0) {
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
            }
        }
    });
    url
}

/// Microseconds.
async fn p50(runner: &Runner, script: &Script, url: &str) -> f64 {
    let expected = if url.is_empty() { "\"\"" } else { "\"hi\"" };
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let call = Call {
            arguments: Arguments::direct(format!(r#"{{"url": "{url}"}}"#)),
            meta: "{}".to_owned(),
            timeout: Duration::from_secs(30),
        };
        let start = Instant::now();
        let outcome = runner.run(script, call).await;
        times.push(start.elapsed());
        match &outcome.answer {
            Some(syncano_runner::Answer::Value(json)) if json == expected => {}
            other => panic!("{other:?}: {}", outcome.stderr),
        }
    }
    times.sort_unstable();
    times[CALLS / 2].as_secs_f64() * 1e6
}
