//! Functions that a program exports are called; those of other platforms are told of.

use serde_json::json;
use syncano_core::RunStatus;

use crate::support::*;

#[tokio::test]
async fn a_function_that_a_program_exports_is_called() {
    let runner = node_or_skip!();
    let interop = "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", { value: true });\n";
    let called = "console.log('called', ctx.args.n)";
    for source in [
        format!("const run = (ctx) => {{ {called} }}\nexports.default = run;"),
        format!("exports.default = main;\nfunction main(ctx) {{\n  {called}\n}}"),
        format!("exports.default = main;\nfunction main(ctx) {{\n  {called}\n}}\n\nasync function other() {{}}\n// The end.\n"),
        format!("module.exports = async function (ctx) {{ {called} }}"),
        // TypeScript, Babel, esbuild, webpack, a universal module, and what minifiers make.
        format!("{interop}exports.default = run;\nconst os_1 = require(\"os\");\nfunction run(ctx) {{ {called} }}\n//# sourceMappingURL=x.js.map"),
        format!("{interop}exports[\"default\"] = void 0;\nvar _default = exports[\"default\"] = function _default(ctx) {{\n  {called};\n}};"),
        format!("{interop}exports.default = void 0;\nvar _default = ({{ n }}, {{ config }}) => {{\n  console.log('called', n);\n}};\n\
                 exports.default = _default;\nmodule.exports = exports.default;"),
        format!("var all = {{}};\nmodule.exports = all;\nvar run = (ctx) => {called};\nObject.defineProperty(all, 'default', {{ get: () => run }});\n\
                 // Annotate the CommonJS export names for ESM import in node:\n0 && (module.exports = {{}});"),
        format!("module.exports =\n/******/ (function(modules) {{\n{}/******/ \treturn modules[0]();\n/******/ }})([function() {{ \
                 return {{ default: function (ctx) {{ {called} }} }} }}]);", "/******/ \tvar a = 1;\n".repeat(100)),
        format!("/******/ (() => {{\n{}/******/ \tmodule.exports = {{ default: ctx => {called} }};\n/******/ }})()\n;", "/******/ \tvar a = 1;\n".repeat(100)),
        format!("(function (global, factory) {{\n  typeof exports === 'object' && typeof module !== 'undefined' ? module.exports = factory() : \
                 (global.x = factory());\n}})(this, (function () {{ 'use strict';\n  return function (ctx) {{ {called} }};\n}}));"),
        format!("\"use strict\";Object.defineProperty(exports,\"__esModule\",{{value:!0}});exports.default=e;function e(ctx){{{called}}}"),
        format!("\"use strict\";Object.defineProperty(exports,\"__esModule\",{{value:!0}}),exports.default=ctx=>{{{called}}};"),
        // What another function makes.
        format!("const wrap = f => ctx => f(ctx);\nexports.default = wrap(ctx => {{ {called} }})"),
        // Called by itself, and then not once more.
        "const main = () => { console.log('called', ARGS.n) };\nmodule.exports = main;\nmain();".to_owned(),
        "function main() { console.log('called', ARGS.n) }\nmodule.exports = main;\nif (require.main === module) {\n  main();\n}".to_owned(),
    ] {
        let script = javascript(&source);
        for n in [5, 6] {
            let outcome = runner.run(&script, call(&format!("{{\"n\":{n}}}"))).await;
            assert_eq!(outcome.status, RunStatus::Success, "{source}: {}", outcome.stderr);
            assert_eq!((outcome.stdout, &*outcome.stderr), (format!("called {n}"), ""), "{source}");
        }
    }
}

#[tokio::test]
async fn it_finds_arguments_by_either_convention() {
    let runner = node_or_skip!();
    let source = "module.exports = (ctx, second) => {\n  const { n, config, HttpResponse } = ctx;\n  \
                  return new HttpResponse(200, [n, ctx.n, ctx.args, Object.keys(ctx), { ...ctx }.n === undefined, config, second.meta]);\n}";
    let outcome = runner.run(&javascript(source), call(r#"{"n":1,"config":2}"#)).await;
    let content: serde_json::Value = serde_json::from_slice(&response(&outcome).content).unwrap();
    let names = ["args", "config", "meta", "HttpResponse", "setResponse", "log", "error"];
    assert_eq!(content, json!([1, 1, {"n": 1, "config": 2}, names, true, {}, {}]));
}

#[tokio::test]
async fn an_entry_point_that_nothing_calls_is_told_of() {
    let runner = node_or_skip!();
    for (source, warning) in [
        (
            "export async function main({ x }) { return { x } }",
            "the script exports `main` but nothing calls it",
        ),
        (
            "module.exports = { async handler(event) { return 1 } }",
            "the script exports `handler` but nothing calls it",
        ),
        (
            "exports.handler = async event => 1;\nexports.other = 5",
            "the script exports `handler` but nothing calls it",
        ),
        ("export default { async fetch(request) { return new Response('hi') } }", {
            "the script's default export is an object with `fetch` but nothing calls it"
        }),
        ("function main({ x }) { return { x } }", "the script defines `main` but nothing calls it"),
        (
            "const handler = async ({ x }) => { return { x } }",
            "the script defines `handler` but nothing calls it",
        ),
        ("module.exports = async (args) => ({ x: args.x })", "returned something that is no `HttpResponse`"),
        (
            "exports.handler = async event => ({ statusCode: 200 })",
            "returned something that is no `HttpResponse`",
        ),
        ("(args) => ({ x: args.x })", "returned something that is no `HttpResponse`"),
    ] {
        let outcome = runner.run(&javascript(source), call(r#"{"x":5}"#)).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, ""), "{source}");
        for part in
            ["warning: ", warning, "write `export default async function (args, { config, meta }) { … }`"]
        {
            assert!(outcome.stderr.contains(part), "{source}: {}", outcome.stderr);
        }
    }
    for (source, error) in [
        (
            "const a = 1\nDeno.serve(() => new Response('hi'))",
            "`Deno` is another platform's: write `export default",
        ),
        (
            "addEventListener('fetch', event => event)",
            "`addEventListener` is another platform's: write `export default",
        ),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        assert!(outcome.stderr.contains(error), "{source}: {}", outcome.stderr);
    }
    // Nothing is said where something was done, or nothing was to be.
    for source in [
        "function main() { return 1 }\nmain()",
        "function helper() {}",
        "const x = 5;",
        "setResponse(new HttpResponse(204));\nfunction main() {}",
        "exports.handler = 5",
        "module.exports = ctx => { ctx.setResponse(new HttpResponse(204)); return 5 }",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stderr), (RunStatus::Success, ""), "{source}");
    }
}

#[tokio::test]
async fn errors_of_the_last_statement_name_its_place() {
    let runner = node_or_skip!();
    for (source, place) in [
        ("nothing", "<test>:1:1"),
        ("nothing.x", "<test>:1:9"),
        ("const a = 1;\n// comment\nnothing.x(a)", "<test>:3:9"),
        ("go();\n\nfunction go() {\n  nothing\n}", "<test>:4:3"),
        ("exports.default = go;\nfunction go() {\n  throw new Error('x')\n}", "<test>:3:9"),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        assert!(outcome.stderr.contains(place), "{source}: {}", outcome.stderr);
    }
}
