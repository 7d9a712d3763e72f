//! Scripts in JavaScript that talk to others, and whom they may talk to.

use serde_json::{Value, json};
use syncano_core::RunStatus;
use syncano_runner::{Isolation, Runner, Script};

use crate::network::{INSIDE, local, public_only};
use crate::outside::Outside;
use crate::support::{call, javascript, node_or_skip, value};

async fn answered(runner: &Runner, script: &Script, arguments: Value) -> Value {
    let outcome = runner.run(script, call(&arguments.to_string())).await;
    assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
    value(&outcome)
}

/// Fetches in each of Node's ways; what fails is told.
const FETCH: &str = "
import http from 'node:http';
import net from 'node:net';

const ways = {
    fetch: async url => (await fetch(url)).text(),
    http: url => new Promise((yes, no) => http.get(url, answer => {
        let text = '';
        answer.on('data', part => (text += part)).on('end', () => yes(text));
    }).on('error', no)),
    net: url => new Promise((yes, no) => {
        const { hostname, port, pathname } = new URL(url);
        const socket = net.connect(port, hostname.replace(/^\\[|\\]$/g, ''));
        socket.write(`GET ${pathname} HTTP/1.1\\r\\n\\r\\n`);
        socket.once('data', data => (socket.end(), yes(data.toString().split('\\r\\n\\r\\n').slice(1).join('\\n'))));
        socket.on('error', no);
    }),
};

export default async ({ port, way = 'fetch', host = 'outside.example', path = '/path?q=1' }) => {
    try {
        return await ways[way](`http://${host}:${port}${path}`);
    } catch (error) {
        const { code, message } = error.cause ?? error;
        return `failed: ${code} ${message}`;
    }
};
";

#[tokio::test]
async fn every_way_of_node_leads_out_call_after_call() {
    let runner = node_or_skip!(local);
    let outside = Outside::start().await;
    let script = javascript(FETCH);
    for _ in 0..3 {
        for way in ["fetch", "http", "net"] {
            let answer =
                answered(&runner, &script, json!({"port": outside.port(), "way": way, "path": "/x"})).await;
            let text = answer.as_str().unwrap();
            assert!(text.starts_with("GET /x HTTP/1.1"), "{way}: {text}");
        }
    }
    outside.alone().await;
}

#[tokio::test]
async fn tls_is_between_the_script_and_the_host() {
    let runner = node_or_skip!(local);
    let (outside, certificate) = Outside::start_tls().await;
    let script = javascript(
        "
import https from 'node:https';
import tls from 'node:tls';

const read = stream => new Promise((yes, no) => {
    let text = '';
    stream.on('data', part => (text += part)).on('end', () => yes(text)).on('error', no);
});

const ways = {
    https: (port, ca) => new Promise((yes, no) =>
        https.get(`https://outside.example:${port}/secret`, { ca }, answer => yes(read(answer))).on('error', no)),
    tls: (port, ca) => {
        const socket = tls.connect({ host: 'outside.example', servername: 'outside.example', port, ca });
        socket.write('GET /secret HTTP/1.1\\r\\n\\r\\n');
        return new Promise((yes, no) => socket.once('data', data => (socket.end(), yes(`${data}`))).on('error', no));
    },
    fetch: async (port, ca) => {
        // Node shows its own fetch's agent, once that is there, and not the class.
        await fetch('data:,');
        const { constructor: Agent } = globalThis[Symbol.for('undici.globalDispatcher.1')];
        const dispatcher = ca ? new Agent({ connect: { ca } }) : undefined;
        return (await fetch(`https://outside.example:${port}/secret`, { dispatcher })).text();
    },
};

export default async ({ port, certificate, way }) => {
    try {
        return await ways[way](port, certificate);
    } catch (error) {
        return `failed: ${(error.cause ?? error).code}`;
    }
};
",
    );
    let ask = |way: &'static str, certificate: Option<&str>| {
        answered(&runner, &script, json!({"port": outside.port(), "way": way, "certificate": certificate}))
    };
    for way in ["https", "tls", "fetch", "https", "fetch"] {
        let text = ask(way, Some(&certificate)).await.as_str().unwrap().to_owned();
        assert!(text.contains("GET /secret HTTP/1.1"), "{way}: {text}");
    }
    // Nobody vouches for it otherwise.
    for way in ["https", "tls", "fetch"] {
        assert_eq!(ask(way, None).await, "failed: DEPTH_ZERO_SELF_SIGNED_CERT", "{way}");
    }
}

#[tokio::test]
async fn a_program_fetches_call_after_call() {
    let runner = node_or_skip!(local);
    let outside = Outside::start().await;
    let script = javascript(
        "fetch(`http://outside.example:${ARGS.port}/`).then(answer => answer.text()).then(text => console.log(text.length > 0));",
    );
    for _ in 0..3 {
        let outcome = runner.run(&script, call(&json!({"port": outside.port()}).to_string())).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "true"), "{}", outcome.stderr);
        assert!(outcome.traffic.received > 0);
    }
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused() {
    let runner = node_or_skip!(public_only);
    let outside = Outside::start().await;
    let script = javascript(FETCH);
    for host in INSIDE {
        for way in ["fetch", "http", "net"] {
            let said =
                answered(&runner, &script, json!({"port": outside.port(), "way": way, "host": host})).await;
            let said = said.as_str().unwrap();
            assert!(
                said.starts_with("failed: EACCES ") && said.contains("is not a public address"),
                "{way} {host}: {said}"
            );
        }
    }
    assert_eq!(outside.requests().len(), 0);
}

#[tokio::test]
async fn redirects_and_policies_are_checked() {
    let runner = node_or_skip!(local);
    let outside = Outside::start().await;
    let script = javascript(FETCH);
    let path = format!("/redirect?http://inside.example:{}/secret", outside.port());
    let said = answered(&runner, &script, json!({"port": outside.port(), "path": path})).await;
    assert!(said.as_str().unwrap().contains("`inside.example` is not a public address"), "{said}");
    let none = javascript(FETCH).network("none".parse().unwrap());
    let said = answered(&runner, &none, json!({"port": outside.port()})).await;
    assert!(said.as_str().unwrap().contains("the network policy of the script's socket is `none`"), "{said}");
}

#[tokio::test]
async fn what_goes_wrong_outside_has_nodes_own_codes() {
    let runner = node_or_skip!(local);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = javascript(FETCH);
    let said = answered(&runner, &script, json!({"port": closed})).await;
    assert!(said.as_str().unwrap().starts_with("failed: ECONNREFUSED "), "{said}");
    let said = answered(&runner, &script, json!({"port": 80, "host": "no-such-host.invalid"})).await;
    assert!(said.as_str().unwrap().starts_with("failed: ENOTFOUND "), "{said}");
}

#[tokio::test]
async fn there_is_no_way_around_the_proxy() {
    let runner = node_or_skip!(local);
    let outside = Outside::start().await;
    let script = javascript(
        "import dgram from 'node:dgram';
        import net from 'node:net';
        const failure = start => new Promise(done => {
            try {
                const it = start().on('error', error => done(error.code));
                for (const event of ['listening', 'connect', 'message']) it.on(event, () => done('possible'));
            } catch (error) {
                done(error.code);
            }
        });
        export default async ({ port }) => [
            await failure(() => dgram.createSocket('udp4').bind(0)),
            await failure(() => net.createServer().listen(0, '127.0.0.1')),
            await failure(() => net.connect({ path: '/tmp/socket' })),
            await failure(() => {
                const { TCP, TCPConnectWrap, constants } = process.binding('tcp_wrap');
                const handle = new TCP(constants.SOCKET);
                const request = new TCPConnectWrap();
                const events = new (require('events'))();
                request.oncomplete = status => events.emit('error', { code: status });
                const now = handle.connect(request, '127.0.0.1', port);
                if (now) process.nextTick(() => events.emit('error', { code: now }));
                return events;
            }),
        ];",
    );
    let found = answered(&runner, &script, json!({"port": outside.port()})).await;
    for how in found.as_array().unwrap() {
        assert!(how != "possible" && how != &json!(0), "{found}");
    }
    assert_eq!(outside.requests().len(), 0);
}

#[tokio::test]
async fn without_namespaces_a_script_is_told_that_there_is_no_network() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process));
    let said = answered(&runner, &javascript(FETCH), json!({"port": 80, "host": "192.0.2.1"})).await;
    assert!(said.as_str().unwrap().contains("scripts have no network at this level of isolation"), "{said}");
}
