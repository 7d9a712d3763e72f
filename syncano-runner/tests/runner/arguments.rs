//! ARGS, CONFIG, META, and the arguments of `main`.

use serde_json::json;
use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Arguments, Call, Script};

use crate::support::*;

fn endpoint_call(merged: &str, query: &str, body: &str) -> Call {
    let arguments = Arguments {
        merged: Some(merged.to_owned()),
        query: Some(query.to_owned()),
        body: Some(body.to_owned()),
        main: None,
    };
    Call { arguments, meta: r#"{"executed_by": "socket_endpoint"}"#.to_owned(), timeout: LONG }
}

#[tokio::test]
async fn a_direct_run_sees_its_payload() {
    let runner = runner_or_skip!();
    let script = script("import json\nprint(json.dumps(ARGS))");
    for payload in ["{}", r#"{"a":[1,{"b":null}]}"#, "[1,2]"] {
        let outcome = runner.run(&script, call(payload)).await;
        assert_eq!(outcome.stdout.replace(' ', ""), payload);
    }
}

#[tokio::test]
async fn an_endpoint_run_sees_body_and_query_too() {
    let runner = runner_or_skip!();
    let source = "import json\nprint(json.dumps([ARGS, CONFIG, META], sort_keys=True))";
    let script = Script::new("instance", "test", Runtime::Python, source, r#"{"key":"secret"}"#);
    let outcome =
        runner.run(&script, endpoint_call(r#"{"a":"q","b":2}"#, r#"{"a":"q"}"#, r#"{"a":1,"b":2}"#)).await;
    let seen: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let args = json!({"a": "q", "b": 2, "GET": {"a": "q"}, "POST": {"a": 1, "b": 2}});
    assert_eq!(seen, json!([args, {"key": "secret"}, {"executed_by": "socket_endpoint"}]));
}

#[tokio::test]
async fn main_gets_the_merged_keys_only() {
    let runner = runner_or_skip!();
    let script = script("def main(**given):\n    return [given, ARGS['GET']]");
    let outcome = runner.run(&script, endpoint_call(r#"{"a":1}"#, r#"{"a":"1"}"#, "{}")).await;
    assert_eq!(value(&outcome), json!([{"a": 1}, {"a": "1"}]));
}

#[tokio::test]
async fn main_gets_the_named_arguments_where_there_are_some() {
    let runner = runner_or_skip!();
    let script = script("def main(item):\n    return item");
    let mut call = endpoint_call(r#"{"name":"x"}"#, "{}", r#"{"name":"x"}"#);
    call.arguments.main = Some(r#"{"item":{"name":"x"}}"#.to_owned());
    assert_eq!(value(&runner.run(&script, call).await), json!({"name": "x"}));
}

#[tokio::test]
async fn changes_to_what_a_call_got_are_gone_in_the_next() {
    let runner = runner_or_skip!();
    let source =
        "def main():\n    CONFIG['n'].append(1); ARGS['x'] = META['y'] = 1\n    return [CONFIG, len(META)]";
    let script = Script::new("instance", "test", Runtime::Python3, source, r#"{"n":[]}"#);
    for _ in 0..2 {
        assert_eq!(value(&runner.run(&script, call("{}")).await), json!([{"n": [1]}, 1]));
    }
}

#[tokio::test]
async fn every_kind_of_parameter() {
    let runner = runner_or_skip!();
    let script = script("def main(a, b=2, /, c=3, *, d, e=5):\n    return [a, b, c, d, e]");
    for (given, expected) in [
        (r#"{"a":1,"d":4}"#, json!([1, 2, 3, 4, 5])),
        (r#"{"a":1,"b":0,"c":0,"d":0,"e":0}"#, json!([1, 0, 0, 0, 0])),
    ] {
        assert_eq!(value(&runner.run(&script, call(given)).await), expected);
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let runner = runner_or_skip!();
    for (source, given, expected) in [
        ("def main(name): pass", "{}", "main() needs the argument `name`"),
        ("def main(*, name): pass", "{}", "main() needs the argument `name`"),
        ("def main(name, /): pass", "{}", "main() needs the argument `name`"),
        ("def main(name): pass", r#"{"name":1,"nmae":2}"#, "main() has no parameter `nmae`; it takes `name`"),
        ("def main(): pass", r#"{"x":1}"#, "main() has no parameter `x`; it takes no arguments"),
        ("def main(a, b): pass", "[1]", "the arguments are a list, which goes to a sole parameter"),
    ] {
        let outcome = runner.run(&script(source), call(given)).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        assert!(outcome.stderr.contains(expected), "{source}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("Traceback"), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_list_goes_to_a_sole_parameter() {
    let runner = runner_or_skip!();
    for source in [
        "def main(items): return items",
        "def main(items, /): return items",
        "def main(*, items): return items",
    ] {
        assert_eq!(value(&runner.run(&script(source), call("[1,2]")).await), json!([1, 2]));
    }
}

#[tokio::test]
async fn arguments_that_python_cannot_hold_fail_the_call_alone() {
    let runner = runner_or_skip!();
    let script = script("print(len(ARGS))");
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for bad in [&*deep, "{", "\u{1}"] {
        let outcome = runner.run(&script, call(bad)).await;
        assert_eq!(outcome.status, RunStatus::Failure);
        assert!(!outcome.stderr.is_empty());
    }
    assert_eq!(runner.run(&script, call("{}")).await.stdout, "0");
}

#[tokio::test]
async fn large_arguments_and_values_pass() {
    let runner = runner_or_skip!();
    let script = script("def main(text): return text");
    let text = "\u{e4}\u{1f980}".repeat(300_000);
    let arguments = serde_json::to_string(&json!({ "text": text })).unwrap();
    assert_eq!(value(&runner.run(&script, call(&arguments)).await), json!(text));
}

#[tokio::test]
async fn half_characters_are_joined_or_refused() {
    let runner = runner_or_skip!();
    let script = script("def main(x, y=None):\n    print(ascii(x))\n    return x if y is None else x + y");
    let outcome = runner.run(&script, call(r#"{"x":"a\ud83d","y":"\ude00"}"#)).await;
    assert_eq!((value(&outcome), &*outcome.stdout), (json!("a\u{1f600}"), "'a\\ud83d'"));
    let outcome = runner.run(&script, call(r#"{"x":"a\ud800"}"#)).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("holds half of a surrogate pair"), "{}", outcome.stderr);
}
