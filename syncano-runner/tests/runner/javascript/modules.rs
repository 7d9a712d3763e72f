//! Modules that fail before they have a default function: the next call begins anew.

use serde_json::json;
use syncano_core::RunStatus;

use crate::support::*;

#[tokio::test]
async fn a_module_that_failed_is_evaluated_anew() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    for (condition, cause) in [
        ("if (META.fail) throw new Error('no configuration')", "no configuration"),
        (
            "await new Promise((yes, no) => setTimeout(() => META.fail ? no(new Error('no network')) : yes(), 2))",
            { "no network" },
        ),
        ("if (META.fail) await new Promise(() => {})", "nothing is pending any more"),
        (
            "if (META.fail) { setTimeout(() => { throw new Error('behind') }); await new Promise(ok => setTimeout(ok, 1000)) }",
            { "behind" },
        ),
        ("if (META.fail) await import('./nothing.js')", "cannot import './nothing.js'"),
        ("if (META.fail) process.exit(3)", ""),
    ] {
        let source = format!(
            "globalThis.tried = (globalThis.tried ?? 0) + 1;\nprocess.env.TRIED = 'x'.repeat((process.env.TRIED?.length ?? 0) + 1);\n\
             let calls = 0;\n{condition};\nexport default () => [globalThis.tried, process.env.TRIED.length, ++calls]"
        );
        let script = javascript(&source);
        let failing = || syncano_runner::Call { meta: r#"{"fail":1}"#.to_owned(), ..call("{}") };
        for _ in 0..3 {
            let outcome = runner.run(&script, failing()).await;
            assert_eq!(outcome.status, RunStatus::Failure, "{condition}");
            assert!(outcome.stderr.contains(cause), "{condition}: {}", outcome.stderr);
        }
        // Nothing of what failed is left, and what works is kept.
        for n in 1..=3 {
            assert_eq!(value(&runner.run(&script, call("{}")).await), json!([1, 1, n]), "{condition}");
        }
        // Once it works its top level doesn't run again.
        assert_eq!(value(&runner.run(&script, failing()).await), json!([1, 1, 4]), "{condition}");
    }
}

#[tokio::test]
async fn an_import_that_fails_tells_the_same_cause_each_time() {
    let runner = node_or_skip!();
    for (source, cause) in [
        ("import x from './x.js';\nexport default () => x", "cannot import './x.js'"),
        ("import x from 'lodash';\nexport default () => x", "cannot import 'lodash'"),
        ("import d from './d.json' with { type: 'json' };\nexport default () => d", "d.json"),
        ("import x from 'https://esm.sh/x';\nexport default () => x", "cannot import 'https://esm.sh/x'"),
        ("import x from 'node:nothing';\nexport default () => x", "node:nothing"),
        ("import { nothing } from 'node:fs';\nexport default () => nothing", "nothing"),
        ("export default async () => (await import('lodash')).default", "cannot import 'lodash'"),
        ("import('lodash')", "cannot import 'lodash'"),
        ("const x = require('lodash');\nmodule.exports = x", "Cannot find module 'lodash'"),
        ("throw new Error('top');\nexport default () => 1", "Error: top"),
        ("await Promise.reject(new Error('top'));\nexport default () => 1", "Error: top"),
        ("export default () => 1;\nconst x = ;", "SyntaxError: Unexpected token ';'"),
    ] {
        let script = javascript(source);
        let mut texts = Vec::new();
        for _ in 0..3 {
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!(outcome.status, RunStatus::Failure, "{source}");
            assert!(outcome.stderr.contains(cause), "{source}: {}", outcome.stderr);
            texts.push(outcome.stderr);
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{source}: {texts:?}");
    }
}

#[tokio::test]
async fn modules_may_be_imported_several_times_at_once() {
    let runner = node_or_skip!();
    let source = "const all = await Promise.all(['fs', 'node:fs', 'fs', 'os'].map(name => import(name)));\n\
                  export default () => [all[0] === all[1], all[1] === all[2], typeof all[3].cpus]";
    assert_eq!(value(&runner.run(&javascript(source), call("{}")).await), json!([true, true, "function"]));
}

/// A promise of a call that has ended may be settled by a later one.
#[tokio::test]
async fn what_an_earlier_call_waited_for_answers_no_later_one() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    let source = "let settle;\nexport default ({ n }) => {\n  if (n === 1) return new Promise(ok => (settle = ok));\n  \
                  settle('stolen');\n  return new Promise(ok => setTimeout(ok, 5, 'own'));\n}";
    let script = javascript(source);
    assert_eq!(runner.run(&script, call(r#"{"n":1}"#)).await.status, RunStatus::Failure);
    for _ in 0..2 {
        assert_eq!(value(&runner.run(&script, call(r#"{"n":2}"#)).await), json!("own"));
    }
}

/// Node keeps every module that it ever made.
#[tokio::test]
async fn a_process_makes_so_many_modules_and_no_more() {
    let runner =
        node_or_skip!(|builder| builder.isolation(syncano_runner::Isolation::Process).max_workers(1));
    let script = javascript(
        "export const pid = process.pid;\nif (META.fail) throw new Error('no');\nconsole.log(pid)",
    );
    let first = runner.run(&script, call("{}")).await.stdout;
    for n in 0..1000 {
        let meta = if n % 2 == 0 { r#"{"fail":1}"# } else { "{}" };
        runner.run(&script, syncano_runner::Call { meta: meta.to_owned(), ..call("{}") }).await;
    }
    let last = runner.run(&script, call("{}")).await;
    assert_eq!(last.status, RunStatus::Success, "{}", last.stderr);
    assert_ne!(first, last.stdout);
}
