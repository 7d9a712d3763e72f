//! ARGS, CONFIG, META, and the arguments of default functions.

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
    let runner = node_or_skip!();
    let script = javascript("console.log(JSON.stringify(ARGS))");
    for payload in ["{}", r#"{"a":[1,{"b":null}]}"#, "[1,2]", r#"{"__proto__":{"a":1}}"#] {
        assert_eq!(runner.run(&script, call(payload)).await.stdout, payload);
    }
}

#[tokio::test]
async fn an_endpoint_run_sees_body_and_query_too() {
    let runner = node_or_skip!();
    let source = "console.log(JSON.stringify([ARGS, CONFIG, META]))";
    let script = Script::new("instance", "test", Runtime::NodeJsV6, source, r#"{"key":"secret"}"#);
    let outcome =
        runner.run(&script, endpoint_call(r#"{"a":"q","b":2}"#, r#"{"a":"q"}"#, r#"{"a":1,"b":2}"#)).await;
    let seen: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let args = json!({"a": "q", "b": 2, "GET": {"a": "q"}, "POST": {"a": 1, "b": 2}});
    assert_eq!(seen, json!([args, {"key": "secret"}, {"executed_by": "socket_endpoint"}]));
}

#[tokio::test]
async fn a_default_function_gets_the_merged_keys_only() {
    let runner = node_or_skip!();
    let script = javascript("export default given => [given, ARGS.GET]");
    let outcome = runner.run(&script, endpoint_call(r#"{"a":1}"#, r#"{"a":"1"}"#, "{}")).await;
    assert_eq!(value(&outcome), json!([{"a": 1}, {"a": "1"}]));
    // Or the named ones, where there are some; or a list.
    let mut call = endpoint_call(r#"{"name":"x"}"#, "{}", r#"{"name":"x"}"#);
    call.arguments.main = Some(r#"{"item":{"name":"x"}}"#.to_owned());
    assert_eq!(value(&runner.run(&script, call).await), json!([{"item": {"name": "x"}}, {}]));
    let script = javascript("export default list => list.length");
    assert_eq!(value(&runner.run(&script, crate::support::call("[1,2]")).await), json!(2));
}

#[tokio::test]
async fn arguments_that_are_no_json_fail_the_call() {
    let runner = node_or_skip!();
    let script = javascript("console.log(Object.keys(ARGS).length)");
    for bad in ["{", "\u{1}", "", "{\"a\":}"] {
        let outcome = runner.run(&script, call(bad)).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{bad}");
        assert!(outcome.stderr.starts_with("the arguments can't be read: "), "{}", outcome.stderr);
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let outcome = runner.run(&script, call(&deep)).await;
    assert!(outcome.stdout == "1" || outcome.status == RunStatus::Failure, "{outcome:?}");
}

#[tokio::test]
async fn large_arguments_and_values_pass() {
    let runner = node_or_skip!();
    let script = javascript("export default ({ text }) => text");
    let text = "\u{e4}\u{1f980}".repeat(300_000);
    let arguments = serde_json::to_string(&json!({ "text": text })).unwrap();
    assert_eq!(value(&runner.run(&script, call(&arguments)).await), json!(text));
}

#[tokio::test]
async fn half_characters_do_not_break_anything() {
    let runner = node_or_skip!();
    let source = "export default ({ x }) => {\n  console.log(x);\n  return [x + '\\u{1f980}', '\\\\ud800'].map(t => \
                  t.toWellFormed());\n}";
    let outcome = runner.run(&javascript(source), call(r#"{"x":"a\ud800"}"#)).await;
    assert_eq!(value(&outcome), json!(["a\u{fffd}\u{1f980}", "\\ud800"]), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "a\u{fffd}");
}

/// What is the same in each call is not read anew for each.
#[tokio::test]
async fn every_call_gets_its_own() {
    let runner = node_or_skip!();
    let source = "export default ({ n }, { config, meta }) => {
        const seen = [n, ARGS.n, ARGS.POST.n, config.list, meta, META === meta, CONFIG === config, ARGS === ARGS];
        const shown = JSON.stringify(seen);
        config.list.push(1);
        meta.request.x = ARGS.x = 1;
        for (const name of ['ARGS', 'CONFIG', 'META']) {
            try { delete globalThis[name]; } catch {}
            try { Object.defineProperty(globalThis, name, { value: 1 }); } catch {}
        }
        if (n % 2) ARGS = CONFIG = META = undefined;
        else if (n % 3) meta.__proto__ = Object.prototype.y = null;
        return [shown, typeof ARGS, delete Object.prototype.y];
    }";
    let script = Script::new("instance", "test", Runtime::NodeJs, source, r#"{"list":[]}"#);
    for meta in [
        r#"{"request":{"a":["\u007f"]}}"#,
        r#"{"request":{"a":["b"]},"n":1.5e3}"#,
        r#"{"request":{},"__proto__":{"a":1}}"#,
    ] {
        for n in 0..30 {
            let one = format!("{{\"n\":{n}}}");
            let mut call = endpoint_call(&one, "{}", &one);
            meta.clone_into(&mut call.meta);
            let outcome = value(&runner.run(&script, call).await);
            let meta = meta.replace("\\u007f", "\u{7f}").replace("1.5e3", "1500");
            let expected = format!("[{n},{n},{n},[],{meta},true,true,true]");
            assert_eq!(outcome, json!([expected, if n % 2 == 1 { "undefined" } else { "object" }, true]));
        }
    }
}

#[tokio::test]
async fn the_arguments_of_a_direct_run_are_args_itself() {
    let runner = node_or_skip!();
    let script = javascript("export default given => { given.x = 1; return [given === ARGS, ARGS]; }");
    for _ in 0..2 {
        assert_eq!(value(&runner.run(&script, call(r#"{"a":1}"#)).await), json!([true, {"a": 1, "x": 1}]));
    }
}

#[tokio::test]
async fn what_a_script_has_made_of_buffers_doesn_t_matter() {
    let runner = node_or_skip!();
    let source = "Buffer.prototype.toString = Buffer.prototype.readUInt32LE = () => 'mine';\nexport default given => [given, ARGS.GET]";
    let outcome = runner.run(&javascript(source), endpoint_call(r#"{"a":1}"#, r#"{"b":"1"}"#, "{}")).await;
    assert_eq!(value(&outcome), json!([{"a": 1}, {"b": "1"}]));
}
