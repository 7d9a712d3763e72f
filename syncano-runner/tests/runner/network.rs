//! Scripts in Python that talk to others, and whom they may talk to.

use std::net::IpAddr;
use std::time::Duration;

use syncano_core::{NetworkPolicy, RunStatus};
use syncano_runner::{Isolation, Outcome, Runner, RunnerBuilder, Script};

use crate::outside::Outside;
use crate::support::{call, neighbour_is_fine, runner_or_skip, script, value, within};

/// The level that has a network, on a machine whose operator lets scripts reach the test's own server.
pub(crate) fn local(builder: RunnerBuilder) -> RunnerBuilder {
    builder
        .isolation(Isolation::Namespace)
        .allow_network("127.0.0.1/32".parse().expect("it is a network"))
        .host("outside.example", [IpAddr::from([127, 0, 0, 1])])
        .host("inside.example", [IpAddr::from([127, 0, 0, 2])])
}

/// The same without what the operator allows.
pub(crate) fn public_only(builder: RunnerBuilder) -> RunnerBuilder {
    builder.isolation(Isolation::Namespace).host("inside.example", [IpAddr::from([127, 0, 0, 2])])
}

/// Addresses that nobody's script may reach, in spellings of all kinds, with the test's own port or one of a service.
pub(crate) const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.1.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "localhost",
    "LOCALHOST.",
    "inside.example",
    "0.0.0.0",
];

async fn with_port(runner: &Runner, outside: &Outside, script: &Script) -> Outcome {
    runner.run(script, call(&format!(r#"{{"port": {}}}"#, outside.port()))).await
}

fn policy(script: Script, policy: &str) -> Script {
    script.network(policy.parse().expect("it is a policy"))
}

/// Fetches `path` from a host; what fails is told.
const FETCH: &str = "
import urllib.request

def main(port, host='outside.example', path='/path?q=1', data=None):
    try:
        url = f'http://{host}:{port}{path}'
        return urllib.request.urlopen(url, data and data.encode(), 20).read().decode()
    except Exception as error:
        return 'failed: ' + str(error)
";

async fn fetched(runner: &Runner, script: &Script, outside: &Outside, host: &str, path: &str) -> String {
    let arguments = serde_json::json!({"port": outside.port(), "host": host, "path": path});
    let outcome = runner.run(script, call(&arguments.to_string())).await;
    value(&outcome).as_str().expect("the script returns a text").to_owned()
}

#[tokio::test]
async fn urllib_fetches() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let outcome = with_port(&runner, &outside, &script(FETCH)).await;
    let answer = value(&outcome).as_str().unwrap().to_owned();
    assert!(answer.starts_with("GET /path?q=1 HTTP/1.1\r\n"), "{answer}");
    assert!(answer.contains(&format!("Host: outside.example:{}\r\n", outside.port())), "{answer}");
    assert!(!answer.to_lowercase().contains("proxy"), "{answer}");
    assert!(outcome.traffic.sent > 50 && outcome.traffic.received > 50, "{:?}", outcome.traffic);
    assert_eq!(outcome.status, RunStatus::Success);
}

#[tokio::test]
async fn https_is_between_the_script_and_the_host() {
    let runner = runner_or_skip!(local);
    let (outside, certificate) = Outside::start_tls().await;
    let source = "
import ssl
import urllib.request

def main(port, certificate=None):
    trust = ssl.create_default_context(cadata=certificate)
    try:
        url = f'https://outside.example:{port}/secret'
        return urllib.request.urlopen(url, context=trust).read().decode()
    except Exception as error:
        return 'failed: ' + str(error)
";
    let script = script(source);
    for _ in 0..2 {
        let arguments = serde_json::json!({"port": outside.port(), "certificate": certificate});
        let outcome = runner.run(&script, call(&arguments.to_string())).await;
        let answer = value(&outcome).as_str().unwrap().to_owned();
        assert!(answer.starts_with("GET /secret HTTP/1.1\r\n"), "{answer}");
    }
    // Nobody vouches for it otherwise: what is between looks like no other host.
    let said = with_port(&runner, &outside, &script).await;
    let said = value(&said).as_str().unwrap().to_owned();
    assert!(said.contains("CERTIFICATE_VERIFY_FAILED"), "{said}");
}

#[tokio::test]
async fn the_machine_s_certificates_are_there() {
    let runner = runner_or_skip!(local);
    if !std::path::Path::new("/etc/ssl/certs/ca-certificates.crt").exists() {
        assert!(std::env::var_os("CI").is_none(), "ca-certificates is missing");
        eprintln!("skipped: ca-certificates is missing");
        return;
    }
    let source = "
import ssl

def main():
    return len(ssl.create_default_context().get_ca_certs())
";
    let outcome = runner.run(&script(source), call("{}")).await;
    assert!(value(&outcome).as_u64().unwrap() > 50, "{}", outcome.stderr);
}

#[tokio::test]
async fn requests_fetches() {
    let runner = runner_or_skip!(local);
    let installed = std::process::Command::new("/usr/bin/python3").args(["-c", "import requests"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "python3-requests is missing");
        eprintln!("skipped: python3-requests is missing");
        return;
    }
    let plain = Outside::start().await;
    let (tls, certificate) = Outside::start_tls().await;
    let source = "
import requests

def main(plain, tls, certificate):
    with open('own.pem', 'w') as file:
        file.write(certificate)
    return [
        requests.get(f'http://outside.example:{plain}/a').text,
        requests.get(f'https://outside.example:{tls}/b', verify='own.pem').text,
        requests.get(f'http://outside.example:{plain}/redirect?http://inside.example:{plain}/').status_code,
    ]
";
    let arguments = serde_json::json!({"plain": plain.port(), "tls": tls.port(), "certificate": certificate});
    let outcome = runner.run(&script(source), call(&arguments.to_string())).await;
    let answers = value(&outcome);
    assert!(answers[0].as_str().unwrap().starts_with("GET /a HTTP/1.1"), "{answers}");
    assert!(answers[1].as_str().unwrap().starts_with("GET /b HTTP/1.1"), "{answers}");
    assert_eq!(answers[2], 403);
}

#[tokio::test]
async fn bodies_are_passed_on() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let arguments = serde_json::json!({"port": outside.port(), "data": "x".repeat(1_000_000)});
    let outcome = runner.run(&script(FETCH), call(&arguments.to_string())).await;
    assert!(value(&outcome).as_str().unwrap().len() > 1_000_000, "{}", outcome.stderr);
    assert!(outcome.traffic.sent > 1_000_000 && outcome.traffic.received > 1_000_000);
}

#[tokio::test]
async fn a_tunnel_leads_wherever_a_request_may() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let source = "
import http.client

def main(port):
    connection = http.client.HTTPConnection('127.0.0.1', 3128)
    connection.set_tunnel('outside.example', port)
    connection.request('GET', '/tunnelled')
    return connection.getresponse().read().decode()
";
    let outcome = with_port(&runner, &outside, &script(source)).await;
    assert!(value(&outcome).as_str().unwrap().starts_with("GET /tunnelled HTTP/1.1"), "{}", outcome.stderr);
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused() {
    let runner = runner_or_skip!(public_only);
    let outside = Outside::start().await;
    let script = script(FETCH);
    for host in INSIDE {
        let said = fetched(&runner, &script, &outside, host, "/").await;
        assert!(
            said.starts_with("failed: HTTP Error 403: ") && said.contains("is not a public address"),
            "{host}: {said}"
        );
    }
    assert_eq!(outside.requests().len(), 0);
}

#[tokio::test]
async fn what_a_permitted_host_redirects_to_is_checked_too() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let script = script(FETCH);
    let path = format!("/redirect?http://inside.example:{}/secret", outside.port());
    let said = fetched(&runner, &script, &outside, "outside.example", &path).await;
    assert!(said.contains("`inside.example` is not a public address"), "{said}");
    let path = format!("/redirect?http://127.0.0.1:{}/fine", outside.port());
    let said = fetched(&runner, &script, &outside, "outside.example", &path).await;
    assert!(said.starts_with("GET /fine "), "{said}");
}

#[tokio::test]
async fn a_policy_narrows_whom_a_script_may_talk_to() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let port = outside.port();
    for (rule, host, expected) in [
        ("none", "outside.example", "the network policy of the script's socket is `none`"),
        ("other.example", "outside.example", "none of the hosts of the socket's network policy"),
        ("outside.example:1", "outside.example", "none of the hosts of the socket's network policy"),
        ("127.0.0.1", "outside.example", "none of the hosts of the socket's network policy"),
        ("outside.example", "OUTSIDE.example.", "GET / HTTP/1.1"),
        ("*.example", "outside.example", "GET / HTTP/1.1"),
        ("127.0.0.1", "0x7f.1", "GET / HTTP/1.1"),
        // A policy permits no more than the operator does.
        ("inside.example", "inside.example", "not a public address"),
    ] {
        let said = fetched(&runner, &policy(script(FETCH), rule), &outside, host, "/").await;
        assert!(said.contains(expected), "{rule}, {host}: {said}");
    }
    let exact = policy(script(FETCH), &format!("outside.example:{port}"));
    assert!(fetched(&runner, &exact, &outside, "outside.example", "/").await.starts_with("GET / "));
}

#[tokio::test]
async fn the_operator_bounds_every_policy() {
    let outside = Outside::start().await;
    let runner = runner_or_skip!(|builder| local(builder).network(NetworkPolicy::None));
    let said = fetched(&runner, &script(FETCH), &outside, "outside.example", "/").await;
    assert!(said.contains("the operator of this server gives scripts no network"), "{said}");
    let runner = runner_or_skip!(|builder| local(builder).network("other.example".parse().unwrap()));
    let said = fetched(&runner, &script(FETCH), &outside, "outside.example", "/").await;
    assert!(said.contains("none of the hosts that the operator of this server allows"), "{said}");
}

#[tokio::test]
async fn what_goes_wrong_outside_is_told() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let arguments = serde_json::json!({"port": closed});
    let outcome = runner.run(&script(FETCH), call(&arguments.to_string())).await;
    let said = value(&outcome).as_str().unwrap().to_owned();
    assert!(said.contains("can't be connected to: Connection refused"), "{said}");
    let said = fetched(&runner, &script(FETCH), &outside, "no-such-host.invalid", "/").await;
    assert!(said.contains("`no-such-host.invalid` has no address"), "{said}");
    let arguments = serde_json::json!({"port": 25, "host": "192.0.43.8"});
    let outcome = runner.run(&script(FETCH), call(&arguments.to_string())).await;
    assert!(
        value(&outcome).as_str().unwrap().contains("scripts send no mail by port 25"),
        "{:?}",
        outcome.answer
    );
}

/// Returns how each way around the proxy fails; one that works is a number of zero.
const AROUND: &str = "
import errno, socket

def attempt(action):
    try:
        action()
        return 'possible'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))

def main(port):
    kinds = {
        'udp': (socket.AF_INET, socket.SOCK_DGRAM),
        'raw': (socket.AF_INET, socket.SOCK_RAW, 1),
        'sctp': (socket.AF_INET, socket.SOCK_STREAM, 132),
        'mptcp': (socket.AF_INET, socket.SOCK_STREAM, 262),
        'inet6': (socket.AF_INET6, socket.SOCK_STREAM),
        'unix': (socket.AF_UNIX, socket.SOCK_STREAM),
        'netlink': (socket.AF_NETLINK, socket.SOCK_RAW),
        'packet': (socket.AF_PACKET, socket.SOCK_RAW),
        'vsock': (40, socket.SOCK_STREAM),
        'alg': (38, socket.SOCK_SEQPACKET),
    }
    found = {name: attempt(lambda: socket.socket(*kind)) for name, kind in kinds.items()}
    def tcp(action):
        return attempt(lambda: action(socket.socket()))
    found['bind'] = tcp(lambda it: it.bind(('127.0.0.1', 0)))
    found['listen'] = tcp(lambda it: it.listen())
    found['ulp'] = tcp(lambda it: it.setsockopt(6, 31, b'tls'))
    found['direct'] = tcp(lambda it: it.connect(('127.0.0.1', port)))
    found['metadata'] = tcp(lambda it: it.connect(('169.254.169.254', 80)))
    found['private'] = tcp(lambda it: it.connect(('10.0.0.1', 80)))
    return found
";

#[tokio::test]
async fn there_is_no_way_around_the_proxy() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let found = value(&with_port(&runner, &outside, &script(AROUND)).await);
    for (what, how) in found.as_object().unwrap() {
        assert!(
            ["EPERM", "EACCES", "ECONNREFUSED", "ENETUNREACH"].contains(&how.as_str().unwrap()),
            "{what}: {how}"
        );
    }
    for kind in [
        "udp", "raw", "sctp", "mptcp", "inet6", "unix", "netlink", "packet", "vsock", "alg", "bind",
        "listen", "ulp",
    ] {
        assert_eq!(found[kind], "EPERM", "{kind}");
    }
    assert_eq!(outside.requests().len(), 0);
}

/// An alias that leads nowhere, and heads that aren't any.
#[tokio::test]
async fn the_proxy_bears_nonsense() {
    let runner = runner_or_skip!(local);
    let source = r"
import socket

def main():
    answers = []
    for text in (b'\0' * 100, b'GET http://[ HTTP/1.1\r\n\r\n', b'CONNECT / HTTP/1.1\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n',
                 b'GET /a%20b:1 HTTP/1.1\r\n\r\n', b'GET ftp://outside.example/ HTTP/1.1\r\n\r\n',
                 b'CONNECT outside.example:0 HTTP/1.1\r\n\r\n', b'GET http://outside.example/ HTTP/1.1\r\nX: ' + b'x' * 100000):
        with socket.create_connection(('127.0.0.1', 3128), 20) as proxy:
            try:
                proxy.sendall(text)
                answers.append(proxy.recv(1000).decode().split(' ')[1:2])
            except ConnectionError:
                answers.append(['400'])
    with socket.create_connection(('127.1.2.3', 3128), 20) as alias:
        answers.append(alias.recv(1).decode())
    return answers
";
    let answers = value(&runner.run(&script(source), call("{}")).await);
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 9);
    assert!(answers[..8].iter().all(|answer| answer[0].as_str().unwrap().starts_with('4')), "{answers:?}");
    assert_eq!(answers[8], "");
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn what_a_call_leaves_open_is_closed_with_it() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let source = "
import socket
kept = []

def main(port):
    answers = []
    for proxy in kept:
        proxy.settimeout(20)
        try:
            answers.append(proxy.recv(10).decode())
        except ConnectionError:
            answers.append('')
    kept.clear()
    proxy = socket.create_connection(('127.0.0.1', 3128))
    proxy.sendall(b'CONNECT outside.example:%d HTTP/1.1\\r\\n\\r\\n' % port)
    answers.append(proxy.recv(1000).decode().split('\\r')[0])
    proxy.sendall(b'GET /hang HTTP/1.1\\r\\n\\r\\n')
    kept.append(proxy)
    return answers
";
    let script = script(source);
    let first = with_port(&runner, &outside, &script).await;
    assert_eq!(value(&first), serde_json::json!(["HTTP/1.1 200 OK"]), "{}", first.stderr);
    outside.alone().await;
    let second = with_port(&runner, &outside, &script).await;
    assert_eq!(value(&second), serde_json::json!(["", "HTTP/1.1 200 OK"]), "{}", second.stderr);
    outside.alone().await;
}

#[tokio::test]
async fn a_call_that_ends_early_closes_what_it_opened() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let script = script(FETCH);
    let arguments = serde_json::json!({"port": outside.port(), "path": "/hang"}).to_string();
    // Out of time, once the request is there.
    let mut late = call(&arguments);
    late.timeout = Duration::from_secs(5);
    assert_eq!(runner.run(&script, late).await.status, RunStatus::Timeout);
    outside.alone().await;
    assert_eq!(outside.requests().len(), 1);
    // The caller goes away.
    tokio::select! {
        outcome = runner.run(&script, call(&arguments)) => panic!("{outcome:?}"),
        () = outside.asked(2) => {}
    }
    outside.alone().await;
}

#[tokio::test]
async fn thousands_of_connections_wait_for_each_other() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let source = "
import socket

def main(port):
    kept = []
    for _ in range(900):
        proxy = socket.socket()
        proxy.setblocking(False)
        try:
            proxy.connect(('127.0.0.1', 3128))
        except BlockingIOError:
            pass
        kept.append(proxy)
    for proxy in kept[:10]:
        proxy.setblocking(True)
        proxy.sendall(b'CONNECT outside.example:%d HTTP/1.1\\r\\n\\r\\n' % port)
        proxy.recv(100)
    while True:
        pass
";
    let arguments = format!(r#"{{"port": {}}}"#, outside.port());
    let mut hostile = call(&arguments);
    hostile.timeout = Duration::from_secs(3);
    let hostile_script = script(source);
    let run = runner.run(&hostile_script, hostile);
    let other = Script::new("neighbour", "fetch", syncano_core::Runtime::Python3, FETCH, "{}");
    let others = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fetched(&runner, &other, &outside, "outside.example", "/").await
    };
    let (outcome, said) = tokio::join!(run, others);
    assert_eq!(outcome.status, RunStatus::Timeout);
    assert!(said.starts_with("GET / "), "{said}");
    outside.alone().await;
}

#[tokio::test]
async fn a_flood_waits_for_the_script() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let source = "
import time, urllib.request

def main(port):
    answer = urllib.request.urlopen(f'http://outside.example:{port}/flood')
    answer.read(10)
    time.sleep(2)
    return 'done'
";
    let outcome = with_port(&runner, &outside, &script(source)).await;
    assert_eq!(value(&outcome), "done");
    outside.alone().await;
    // What buffers of the kernel's on both ways hold, and not what two seconds could bring.
    assert!(outside.flooded() < 64 << 20, "{}", outside.flooded());
}

#[tokio::test]
async fn without_namespaces_there_is_no_network() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    let outcome = runner
        .run(
            &script("import os; print(sorted(k for k in os.environ if 'proxy' in k.lower()))"),
            within(Duration::from_secs(60)),
        )
        .await;
    assert_eq!(outcome.stdout, "[]");
    for source in [
        "import urllib.request\nurllib.request.urlopen('http://192.0.2.1/')",
        "import urllib.request\nurllib.request.urlopen('https://api.example.com/')",
        "import socket\nsocket.create_connection(('192.0.2.1', 80))",
        "import http.client\nhttp.client.HTTPConnection('localhost').request('GET', '/')",
    ] {
        let outcome = runner.run(&script(source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        let said = "scripts have no network at this level of isolation: it takes the level `namespace`";
        assert!(outcome.stderr.trim_end().ends_with(said), "{source}: {}", outcome.stderr);
    }
    // Other errors have nothing to do with it.
    let outcome = runner.run(&script("open('/etc/shadow')"), call("{}")).await;
    assert!(!outcome.stderr.contains("network"), "{}", outcome.stderr);
}
