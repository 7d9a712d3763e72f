//! Responses, values and application errors.

use bytes::Bytes;
use syncano_core::RunStatus;
use syncano_runner::{Answer, Response};

use crate::support::*;

#[tokio::test]
async fn the_last_response_counts() {
    let runner = runner_or_skip!();
    let outcome = run(
        &runner,
        "set_response(HttpResponse(500, 'first'))\nprint('printed')\n\
         set_response(HttpResponse('201', '<p>', 'text/html', {'X-A': 1, 'Connection': 'close'}))",
    )
    .await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "printed"));
    let expected = Response {
        status: 201,
        content_type: "text/html".to_owned(),
        headers: vec![("X-A".to_owned(), "1".to_owned())],
        content: Bytes::from("<p>"),
    };
    assert_eq!(response(&outcome), &expected);
}

#[tokio::test]
async fn defaults_and_content_of_any_kind() {
    let runner = runner_or_skip!();
    for (source, content) in [
        ("set_response(HttpResponse())", &b""[..]),
        ("set_response(HttpResponse(content={'a': 1}))", b"{'a': 1}"),
        ("set_response(HttpResponse(content=b'\\xff\\x00'))", b"\xff\x00"),
        ("def main(): return HttpResponse(content='returned')", b"returned"),
        ("def main(): set_response(HttpResponse(content='set'))", b"set"),
    ] {
        let outcome = run(&runner, source).await;
        let response = response(&outcome);
        assert_eq!((response.status, &*response.content_type), (200, "application/json"), "{source}");
        assert_eq!(&response.content[..], content, "{source}");
    }
}

#[tokio::test]
async fn what_a_response_says_may_be_set_later() {
    let runner = runner_or_skip!();
    let source = "response = HttpResponse()\nset_response(response)\nresponse.status_code = 404\n\
                  response.content = '<p>'\nresponse.content_type = 'text/html'\nresponse.headers['X-A'] = 'b'";
    let outcome = run(&runner, source).await;
    let expected = Response {
        status: 404,
        content_type: "text/html".to_owned(),
        headers: vec![("X-A".to_owned(), "b".to_owned())],
        content: Bytes::from("<p>"),
    };
    assert_eq!(response(&outcome), &expected);
    // What it hasn't would be set in vain.
    let outcome = run(&runner, "HttpResponse().status = 404").await;
    assert!(outcome.stderr.contains("no attribute 'status'"), "{}", outcome.stderr);
}

#[tokio::test]
async fn what_is_no_response_is_none() {
    let runner = runner_or_skip!();
    for source in ["set_response('text')", "set_response(HttpResponse())\nset_response(None)"] {
        let outcome = run(&runner, source).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Success, None), "{source}");
    }
}

#[tokio::test]
async fn a_failed_script_has_no_response() {
    let runner = runner_or_skip!();
    let script = script("if ARGS.get('fail'):\n    set_response(HttpResponse())\n    1/0");
    let outcome = runner.run(&script, call(r#"{"fail":true}"#)).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None));
    // And it isn't kept for the next call.
    let outcome = runner.run(&script, call("{}")).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Success, None));
}

#[tokio::test]
async fn bad_responses_fail_with_the_reason() {
    let runner = runner_or_skip!();
    for (arguments, reason) in [
        ("status_code=99", "status 99 is not within 200 to 599"),
        ("status_code=1000", "1000 is not within 200 to 599"),
        ("status_code='many'", "not a number: 'many'"),
        ("content_type='html'", "content type must be"),
        ("headers=[1]", "headers are not a dict"),
        ("headers={'A b': '1'}", "a header's name"),
        ("headers={'A': 'x\\r\\ny'}", "the value of its header `A`"),
        ("headers={str(n): 1 for n in range(51)}", "51 headers"),
        ("content='x' * (6 * 1024 * 1024 + 1)", "at most 6291456 are allowed"),
    ] {
        let outcome = run(&runner, &format!("set_response(HttpResponse({arguments}))")).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None), "{arguments}");
        assert!(outcome.stderr.contains(reason), "{arguments}: {}", outcome.stderr);
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn the_largest_response_passes() {
    let runner = runner_or_skip!();
    let outcome = run(&runner, "set_response(HttpResponse(content='x' * (6 * 1024 * 1024)))").await;
    assert_eq!(response(&outcome).content.len(), 6 * 1024 * 1024);
}

#[tokio::test]
async fn values_are_json_or_the_run_fails() {
    let runner = runner_or_skip!();
    for (expression, json) in
        [("{'a': [1, None, '\u{e4}']}", r#"{"a":[1,null,"ä"]}"#), ("None", "null"), ("1.5", "1.5")]
    {
        let outcome = run(&runner, &format!("def main():\n    return {expression}")).await;
        assert_eq!(outcome.answer, Some(Answer::Value(Bytes::from(json))), "{}", outcome.stderr);
    }
    for expression in ["float('nan')", "float('inf')", "b''", "object()", "{b'1': 3}"] {
        let outcome = run(&runner, &format!("def main():\n    return {expression}")).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{expression}");
        assert!(
            outcome.stderr.contains("what main() returned can't be written as JSON"),
            "{}",
            outcome.stderr
        );
    }
}

#[tokio::test]
async fn application_errors_are_tagged() {
    let runner = runner_or_skip!();
    for (raised, json) in [
        ("AppError('OutOfStock', {'left': 3})", r#"{"OutOfStock":{"left":3}}"#),
        ("AppError('Gone')", r#""Gone""#),
    ] {
        for source in [format!("raise {raised}"), format!("def main():\n    raise {raised}")] {
            let outcome = run(&runner, &source).await;
            assert_eq!(outcome.status, RunStatus::Failure);
            assert_eq!(outcome.answer, Some(Answer::AppError(Bytes::copy_from_slice(json.as_bytes()))));
            assert!(outcome.stderr.starts_with("Traceback"), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("AppError: "), "{}", outcome.stderr);
        }
    }
    let outcome = run(&runner, "raise AppError('X', object())").await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None));
    assert!(outcome.stderr.contains("the data of AppError 'X'"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_caught_application_error_is_nothing_special() {
    let runner = runner_or_skip!();
    let source =
        "try:\n    raise AppError('X')\nexcept AppError as error:\n    print(error.name, error.data)";
    assert_eq!(printed(&runner, source).await, "X None");
}
