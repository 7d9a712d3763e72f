//! Values that JSON or UTF-8 can't say as they are.

use bytes::Bytes;
use syncano_core::RunStatus;
use syncano_runner::Answer;

use crate::support::*;

#[tokio::test]
async fn negative_zeros_keep_their_sign() {
    let runner = node_or_skip!();
    for (expression, json) in [
        ("-0", "-0"),
        ("new Number(-0)", "-0"),
        ("[0, -0, { a: -0, b: [new Number(-0)] }]", r#"[0,-0,{"a":-0,"b":[-0]}]"#),
        ("({ toJSON: () => -0 })", "-0"),
        ("({ a: { toJSON: () => ({ b: -0, c: 1 }) } })", r#"{"a":{"b":-0,"c":1}}"#),
        ("['-0', '\"-0\"', -0, { '-0': '-0' }]", r#"["-0","\"-0\"",-0,{"-0":"-0"}]"#),
        ("new HttpResponse(200, [-0])", "[-0]"),
    ] {
        let script = javascript(&format!("export default () => {expression}"));
        let outcome = runner.run(&script, call("{}")).await;
        let answered = match outcome.answer {
            Some(Answer::Value(value)) => value,
            Some(Answer::Response(response)) => response.content,
            other => panic!("{expression}: {other:?}, {}", outcome.stderr),
        };
        assert_eq!(answered, Bytes::from(json), "{expression}");
    }
    let script = javascript("export default () => { throw new AppError('Low', { by: -0 }) }");
    let outcome = runner.run(&script, call("{}")).await;
    assert!(format!("{:?}", outcome.answer).contains(":-0}}"), "{:?}", outcome.answer);
}

#[tokio::test]
async fn halves_of_characters_are_refused_with_their_place() {
    let runner = node_or_skip!();
    let hint = "UTF-8 does not have: send `text.toWellFormed()`";
    for (expression, place) in [
        ("'a\\ud800'", "it is a text with half"),
        ("({ a: [0, { b: '\\udc00' }] })", "its `a[1].b` is a text with half"),
        ("({ a: { '\\ud83d': 1 } })", "its `a` is an object whose key \"\\ud83d\" has half"),
        ("[-0, { toJSON: () => '\\ud800' }]", "its `[1]` is a text with half"),
        ("'\u{1f980}'[0]", "it is a text with half"),
        ("new HttpResponse(200, ['\\ud800'])", "its `[0]` is a text with half"),
    ] {
        let script = javascript(&format!("export default () => {{ return {expression} }}"));
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{expression}");
        assert!(outcome.stderr.contains(place), "{expression}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(hint), "{expression}: {}", outcome.stderr);
    }
    for (expression, json) in [
        ("'\\ud83e\\udd80'", "\"\u{1f980}\""),
        (r"'C:\\ud800'", r#""C:\\ud800""#),
        (r"({ '\\udata': 1 })", r#"{"\\udata":1}"#),
    ] {
        let script = javascript(&format!("export default () => {{ return {expression} }}"));
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(
            outcome.answer,
            Some(Answer::Value(Bytes::from(json))),
            "{expression}: {}",
            outcome.stderr
        );
    }
}

#[tokio::test]
async fn what_is_too_deep_is_told_with_the_limit() {
    let runner = node_or_skip!();
    let deep = |levels: u32, value: &str| {
        javascript(&format!(
            "export default () => {{ let v = {value}; for (let n = 0; n < {levels}; n++) v = n % 2 ? [v] : {{ v }}; return v \
             }}"
        ))
    };
    for value in ["1", "new Date(0)", "({ toJSON: () => 1 })"] {
        let outcome = runner.run(&deep(190, value), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
        for levels in [210, 5_000, 100_000] {
            let outcome = runner.run(&deep(levels, value), call("{}")).await;
            assert_eq!(outcome.status, RunStatus::Failure, "{levels}");
            let expected = "it is nested more than 200 levels deep";
            assert!(outcome.stderr.contains(expected), "{levels}: {}", outcome.stderr);
        }
    }
    let own = "export default () => { let v = 1; for (let n = 0; n < 5000; n++) v = [v]; return { toJSON: () => v } }";
    let outcome = runner.run(&javascript(own), call("{}")).await;
    assert!(outcome.stderr.contains("nested more than 200 levels deep"), "{}", outcome.stderr);
}
