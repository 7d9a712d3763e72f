//! `syncano check`: what it finds, how it says so, and how it ends.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const BROKEN_PYTHON: &str = "def main(name)\n    return name\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

/// `syncano check` in the folder.
fn check(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncano"));
    command.arg("check").args(arguments).current_dir(folder.path()).env_clear().output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What it prints, and the exit code.
fn said(folder: &TempDir, arguments: &[&str]) -> (String, Option<i32>) {
    let output = check(folder, arguments);
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    (text(&output.stdout).to_owned(), output.status.code())
}

/// The findings as `code file:line:column`, the message behind it.
fn findings(folder: &TempDir, arguments: &[&str]) -> Vec<(String, String)> {
    let output = check(folder, &[&["--json"], arguments].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let findings = report["findings"].as_array().unwrap();
    let errors = findings.iter().filter(|finding| finding["severity"] == "error").count();
    assert_eq!(report["errors"], errors);
    assert_eq!(report["warnings"], findings.len() - errors);
    assert_eq!(output.status.code(), Some(if errors > 0 { 3 } else { 0 }), "{report:#}");
    let finding = |finding: &Value| {
        let (code, file) = (finding["code"].as_str().unwrap(), finding["file"].as_str().unwrap());
        let place = match finding["line"].as_u64() {
            Some(line) => format!("{file}:{line}:{}", finding["column"]),
            None => file.to_owned(),
        };
        (format!("{code} {place}"), finding["message"].as_str().unwrap().to_owned())
    };
    findings.iter().map(finding).collect()
}

fn places(folder: &TempDir, arguments: &[&str]) -> Vec<String> {
    findings(folder, arguments).into_iter().map(|(place, _)| place).collect()
}

#[test]
fn what_is_right_is_passed() {
    let folder = folder(&[
        ("a.py", "def main(name):\n    return name\n"),
        ("b.js", "console.log(ARGS.name)\n"),
        ("c.mjs", "export default ({ name }) => name\n"),
        ("socket.json", &definition("1").to_string()),
        (
            "socket.yml",
            "name: s\nendpoints: {e: {script: f}}\ndependencies: {scripts: {f: {runtime_name: python3, file: a.py}}}\n",
        ),
    ]);
    let (said, code) = said(&folder, &["."]);
    assert_eq!(said, "0 errors, 0 warnings in 5 files\n");
    assert_eq!(code, Some(0));
}

#[test]
fn a_script_is_shown_with_the_place() {
    let folder = folder(&[("hello.py", BROKEN_PYTHON)]);
    let (said, code) = said(&folder, &["hello.py"]);
    let expected = "\
python-syntax

  × the script has a syntax error: expected `:`, found newline
   ╭─[hello.py:1:15]
 1 │ def main(name)
   ·               ┬
   ·               ╰── expected `:`, found newline
 2 │     return name
   ╰────

1 error, 0 warnings in 1 file
";
    assert_eq!(said, expected);
    assert_eq!(code, Some(3));
}

#[test]
fn json_has_the_documented_shape() {
    let folder = folder(&[("hello.mjs", "export default () => {\n  żółw = ;\n}\n")]);
    let output = check(&folder, &["--json", "hello.mjs"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report,
        json!({
            "findings": [{
                "file": "hello.mjs", "script": null, "line": 2, "column": 10, "end_line": 2, "end_column": 11,
                "severity": "error", "code": "javascript-syntax",
                "message": report["findings"][0]["message"], "help": null,
            }],
            "files": 1, "errors": 1, "warnings": 0,
        })
    );
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("the script has a syntax error: "), "{message}");
    let empty = folder_report(&[("a.py", "")]);
    assert_eq!(empty, json!({"findings": [], "files": 1, "errors": 0, "warnings": 0}));
}

fn folder_report(files: &[(&str, &str)]) -> Value {
    serde_json::from_slice(&check(&folder(files), &["--json", "."]).stdout).unwrap()
}

/// A definition with a script of this source.
fn definition(source: &str) -> Value {
    json!({
        "name": "s",
        "endpoints": {"e": {"calls": [{"type": "script", "name": "f", "methods": ["GET"]}]}},
        "dependencies": [{"type": "script", "name": "f", "runtime_name": "python3", "source": source}],
    })
}

#[test]
fn a_definition_s_rules_are_told_where_they_are_broken() {
    let folder = folder(&[
        (
            "shape.json",
            r#"{
  "name": "my shop",
  "endpoints": {
    "a": {"calls": [{"type": "script", "name": "one", "methods": ["GET"], "timeout": 5000}]},
    "b": {"calls": []}
  },
  "dependencies": [{"type": "script", "name": "one", "runtime_name": "python3", "source": "1"}]
}"#,
        ),
        (
            "sense.json",
            r#"{
  "name": "shop",
  "endpoints": {
    "a": {"calls": [
      {"type": "script", "name": "one", "methods": ["*"]},
      {"type": "script", "name": "two", "methods": ["GET"]}
    ]},
    "b": {"calls": [{"type": "script", "name": "monthly", "methods": ["GET"]}]}
  },
  "dependencies": [
    {"type": "script", "name": "one", "runtime_name": "python3", "source": "1"},
    {"type": "script", "name": "two", "runtime_name": "python3", "source": "  "}
  ]
}"#,
        ),
    ]);
    // A list or object is shown by its key.
    assert_eq!(
        places(&folder, &["shape.json"]),
        ["name shape.json:2:11", "timeout shape.json:4:86", "no-calls shape.json:5:11"]
    );
    // What a server would take without a word is an error too, as in the macro.
    assert_eq!(
        places(&folder, &["sense.json"]),
        ["unreachable sense.json:6:41", "unresolved-call sense.json:8:48", "empty-script sense.json:12:76"]
    );
    // A script endpoint may be there.
    let output = check(&folder, &["--json", "sense.json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["errors"], &report["warnings"]), (&json!(2), &json!(1)));
    let warning = report["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "warning").unwrap();
    assert_eq!(warning["help"], "a script endpoint of that name on the server will do");
}

/// A server may have the script endpoint, so a warning alone is no failure unless somebody wants it to be.
#[test]
fn warnings_fail_only_where_they_are_denied() {
    let folder = folder(&[(
        "socket.json",
        r#"{"name": "s", "endpoints": {"e": {"calls": [{"type": "script", "name": "f", "methods": ["GET"]}]}}}"#,
    )]);
    let (text, code) = said(&folder, &["socket.json"]);
    assert!(text.contains("unresolved-call") && text.ends_with("0 errors, 1 warning in 1 file\n"), "{text}");
    assert_eq!(code, Some(0));
    assert_eq!(said(&folder, &["--deny-warnings", "socket.json"]), (text, Some(3)));
    assert_eq!(check(&folder, &["--deny-warnings", "--json", "socket.json"]).status.code(), Some(3));
}

#[test]
fn what_is_missing_or_unknown_in_a_definition_is_told() {
    let folder = folder(&[
        ("none.json", "{\"name\": \"s\",\n \"endpoints\": [1,]}"),
        ("list.json", "[3]"),
        (
            "keys.json",
            r#"{"name": "s", "endpoints": {"e": {"calls": [{"type": "script", "name": "f", "method": ["GET"]}]}}}"#,
        ),
    ]);
    let one = |file| findings(&folder, &[file]);
    assert!(one("none.json")[0].0.starts_with("json none.json:2:1"), "{:?}", one("none.json"));
    assert!(one("none.json")[0].1.starts_with("the file is not JSON: "));
    assert_eq!(one("list.json")[0].0, "type list.json:1:2");
    assert!(!one("keys.json").is_empty());
}

#[test]
fn scripts_in_definitions_are_checked() {
    let folder = folder(&[("socket.json", &definition("x = (1,\ny = 2\n").to_string())]);
    let (said, code) = said(&folder, &["socket.json"]);
    assert!(said.contains("the script `f` has a syntax error: `(` was never closed"), "{said}");
    assert!(said.contains("[socket.json, script `f`:1:5]"), "{said}");
    assert_eq!(code, Some(3));
    let output = check(&folder, &["--json", "socket.json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["script"], "f");
}

#[test]
fn of_a_list_of_definitions_each_is_checked() {
    let list = r#"[{"name": "good", "endpoints": {}},
 {"name": "bad name", "endpoints": {}}]"#;
    let folder = folder(&[("sockets.json", list)]);
    assert_eq!(
        places(&folder, &["sockets.json"]),
        ["no-endpoints sockets.json:1:19", "name sockets.json:2:11"]
    );
}

#[test]
fn a_socket_yml_is_checked_with_the_files_beside_it() {
    let yaml = |runtime: &str| {
        format!(
            "name: s\nendpoints:\n  e: {{script: f}}\n  g: {{script: h}}\ndependencies:\n  scripts:\n    f: {{runtime_name: {runtime}, file: scripts/f.py}}\n    h: {{runtime_name: nodejs, source: 'let a; let a'}}\n"
        )
    };
    let folder = folder(&[("socket.yml", &yaml("python3")), ("scripts/f.py", BROKEN_PYTHON)]);
    assert_eq!(
        places(&folder, &["socket.yml"]),
        ["python-syntax scripts/f.py:1:15", "javascript-syntax socket.yml:1:12"]
    );
    std::fs::write(folder.path().join("socket.yml"), yaml("python4")).unwrap();
    let found = findings(&folder, &["socket.yml"]);
    assert_eq!(found[0].0, "runtime socket.yml");
    assert!(found[0].1.contains("unknown runtime `python4`") && found[0].1.starts_with("at "), "{found:?}");

    std::fs::remove_file(folder.path().join("scripts/f.py")).unwrap();
    let found = findings(&folder, &["socket.yml"]);
    assert!(found[0].1.starts_with("the script file `scripts/f.py` can't be read: "), "{found:?}");
    std::fs::write(folder.path().join("socket.yml"), "a: [").unwrap();
    assert_eq!(places(&folder, &["socket.yml"]), ["yaml socket.yml"]);
    std::fs::write(folder.path().join("socket.yml"), "endpoints: {e: {}}").unwrap();
    assert_eq!(places(&folder, &["socket.yml"]), ["script-file socket.yml"]);
    std::fs::write(folder.path().join("socket.yml"), "endpoints: {e: 1}").unwrap();
    assert_eq!(places(&folder, &["socket.yml"]), ["socket-yml socket.yml"]);
}

#[test]
fn a_socket_yml_shows_nothing_of_files_elsewhere() {
    let secret = folder(&[(".env", "KEY=secret(")]);
    let outside = secret.path().join(".env");
    for source in [outside.to_str().unwrap(), "../.env", "link.py", "."] {
        let yaml = format!(
            "name: s\nendpoints: {{e: {{script: f}}}}\ndependencies: {{scripts: {{f: {{runtime_name: python3, file: '{source}'}}}}}}\n"
        );
        let folder = folder(&[("below/socket.yml", &yaml), (".env", "KEY=secret(")]);
        std::os::unix::fs::symlink(&outside, folder.path().join("below/link.py")).unwrap();
        let (said, code) = said(&folder, &["below/socket.yml"]);
        assert!(said.contains("can't be read") && !said.contains("secret"), "{source}: {said}");
        assert_eq!(code, Some(3));
    }
}

#[test]
fn of_a_folder_what_can_be_checked_is_checked() {
    let folder = folder(&[
        ("a/b/c.py", BROKEN_PYTHON),
        ("a/socket.json", "{"),
        ("a/package.json", "no definition"),
        ("a/notes.txt", "def"),
        ("a/node_modules/x.js", "let a; let a"),
        ("a/.git/x.py", BROKEN_PYTHON),
        ("a/__pycache__/x.py", BROKEN_PYTHON),
    ]);
    assert_eq!(places(&folder, &["a"]), ["python-syntax a/b/c.py:1:15", "json a/socket.json:1:1"]);
    // Each file once, however often it is named.
    assert_eq!(places(&folder, &["a/b", "a/b/c.py", "a/b/c.py"]), ["python-syntax a/b/c.py:1:15"]);
    assert_eq!(places(&folder, &["a/b", "./a/b/c.py"]), ["python-syntax ./a/b/c.py:1:15"]);
}

#[test]
fn python_is_checked_as_the_version_that_is_named() {
    let folder = folder(&[("a.py", "type Text = str\n")]);
    assert_eq!(places(&folder, &["a.py"]), ["python-syntax a.py:1:1"]);
    assert_eq!(said(&folder, &["--python", "3.12", "a.py"]).1, Some(0));
    assert_eq!(check(&folder, &["--python", "2.7", "a.py"]).status.code(), Some(2));
}

#[test]
fn what_can_t_be_read_is_no_finding() {
    let folder = folder(&[("a.txt", ""), ("empty/a.txt", "")]);
    for (path, reason) in [
        ("missing.py", "`missing.py` can't be read: No such file"),
        ("a.txt", "`a.txt` is neither a script"),
        ("empty", "`empty` holds nothing to check"),
    ] {
        for arguments in [&[path] as &[_], &["--json", path]] {
            let output = check(&folder, arguments);
            assert_eq!(output.status.code(), Some(1), "{path}");
            assert!(text(&output.stderr).contains(reason), "{output:?}");
            assert!(output.stdout.is_empty(), "{path}");
        }
    }
}

#[test]
fn text_that_is_no_text_is_a_finding() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("a.py"), b"x = '\xff'").unwrap();
    assert_eq!(places(&folder, &["a.py"]), ["utf-8 a.py"]);
}

#[test]
fn others_scripts_do_not_write_to_the_terminal() {
    let folder = folder(&[("a.py", "x = '\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}' = =\n")]);
    let (said, _) = said(&folder, &["a.py"]);
    assert!(said.contains("x = '?]0;owned?"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{said:?}");
}

#[test]
fn lines_that_nobody_can_read_are_not_shown() {
    let folder = folder(&[("a.js", &format!("const x = '{}'; let a; let a", "x".repeat(5000)))]);
    let (said, _) = said(&folder, &["a.js"]);
    assert!(said.contains("a.js:1:5026: the script has a syntax error") && said.len() < 500, "{said}");
}

/// `script` gives a command a terminal.
#[test]
fn colours_are_for_terminals_and_can_be_declined() {
    let folder = folder(&[("a.py", BROKEN_PYTHON)]);
    assert!(!said(&folder, &["a.py"]).0.contains('\u{1b}'));
    if !Path::new("/usr/bin/script").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI needs /usr/bin/script: install bsdutils");
        eprintln!("skipped: no /usr/bin/script");
        return;
    }
    let on_a_terminal = |no_color: Option<&str>| {
        let mut command = Command::new("/usr/bin/script");
        let check = format!("{} check a.py", env!("CARGO_BIN_EXE_syncano"));
        command.args(["-q", "-e", "-c", &check, "/dev/null"]).current_dir(folder.path()).env_clear();
        let output = command.envs(no_color.map(|value| ("NO_COLOR", value))).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        text(&output.stdout).to_owned()
    };
    assert!(on_a_terminal(None).contains("\u{1b}["));
    assert!(on_a_terminal(Some("")).contains("\u{1b}["));
    assert!(!on_a_terminal(Some("1")).contains('\u{1b}'));
}

#[test]
fn a_socket_file_of_any_year_is_right() {
    let hello = "setResponse(new HttpResponse(200, 'hi'))";
    let folder = folder(&[
        (
            "first/socket.yml",
            "endpoints:\n- e: {script: s}\ndependencies:\n- scripts:\n  - s: {runtime_name: python3, file: s.py}\n",
        ),
        ("first/s.py", "\u{feff}print(1)\n"),
        (
            "second/socket.yml",
            "\u{feff}name: My Socket\r\nendpoints:\r\n  getAll:\r\n    file: scripts/get-all.js\r\n    parameters: {a: 1}\r\n  e: {POST: {file: scripts/get-all.js}}\r\n",
        ),
        ("second/scripts/get-all.js", hello),
        (
            "third/socket.yml",
            "name: third\nruntime: nodejs_v8\nclasses:\n  c: [{name: a, type: text}]\nendpoints:\n  hello:\n",
        ),
        ("third/src/hello.js", hello),
        ("fourth/socket.yml", "name: fourth\nendpoints: {}\n"),
        (
            "fifth/socket.json",
            "\u{feff}{\"name\": \"s\", \"endpoints\": {\"e\": {\"private\": true, \"calls\": [{\"type\": \"script\", \"name\": \"a\", \"methods\": [\"*\"]}]}}, \"dependencies\": [{\"type\": \"script\", \"name\": \"a\", \"runtime_name\": \"python3\", \"source\": \"print(1)\"}]}",
        ),
    ]);
    let found = findings(&folder, &["."]);
    // A socket without endpoints installs, and does nothing.
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.starts_with("no-endpoints ./fourth/socket.yml"), "{found:?}");
    assert_eq!(said(&folder, &["."]).1, Some(0));
}

#[test]
fn what_a_socket_file_does_not_get_is_told() {
    let folder = folder(&[
        ("missing/socket.yml", "name: missing\nendpoints: {e: , f: {file: scripts/f.js}}\n"),
        (
            "other/socket.yml",
            "name: other\nendpoints: {e: {source: '1', timeuot: 3}, c: {channel: x}}\nevent_handlers: {a: b}\n",
        ),
        ("slip/socket.yml", "name: slip\nendpoints: {e: {source: '1', privat: true}}\n"),
        ("socket.json", "{\"name\": \"s\", \"endpoints\": {\"e\": {\"retries\": 1, \"calls\": []}}}"),
    ]);
    let found = findings(&folder, &["."]);
    let messages: Vec<&str> = found.iter().map(|(_, message)| message.as_str()).collect();
    for part in [
        "the script file `e.js` can't be read: No such file or directory (os error 2); nor is there `scripts/e.js`, `src/e.js`",
        "at /endpoints/e/timeuot: `timeuot` is kept as metadata: did you mean `timeout`?",
        "at /endpoints/c: the endpoint `c` is a channel",
        "at /event_handlers: ",
        "unknown key `privat` of the endpoint `e`: did you mean `private`?",
        "unknown key `retries`, which is ignored",
    ] {
        assert!(messages.iter().any(|message| message.contains(part)), "{part}: {found:#?}");
    }
    assert!(found.iter().any(|(place, _)| place.starts_with("unknown-key ./socket.json:1:")), "{found:#?}");
}

/// Each with its severity.
fn judged(folder: &TempDir, arguments: &[&str]) -> Vec<String> {
    let output = check(folder, &[&["--json"], arguments].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let findings = report["findings"].as_array().unwrap().iter();
    let shown = findings.map(|finding| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default();
        format!("{} {} {}: {}", text("severity"), text("code"), finding["line"], text("message"))
    });
    shown.collect()
}

#[test]
fn names_and_modules_of_scripts() {
    let folder = folder(&[
        ("a.py", "import json, jsn\ndef main(x):\n    return jso.loads(x)\n"),
        ("b.js", "const x = require('fss')\nBufer.from(x)\n"),
        ("c.mjs", "export const handler = () => 1\n"),
        ("d.py", "import pandas, lxml\ndef main(x): return pandas.DataFrame(x), lxml\n"),
    ]);
    assert_eq!(
        judged(&folder, &["."]),
        [
            "warning unknown-module 1: there is no module `jsn`: did you mean `json`?",
            "error undefined-name 3: nothing defines `jso`: did you mean `json`?",
            "warning unknown-module 1: there is no module `fss`: did you mean `fs`?",
            "error undefined-name 2: nothing defines `Bufer`: did you mean `Buffer`?",
            "warning entry-point 1: nothing calls `handler`: the server calls the default export: write `export default`",
        ]
    );
}

#[test]
fn the_version_of_node() {
    let folder = folder(&[("a.js", "console.log(/a/v)\n")]);
    assert_eq!(judged(&folder, &["a.js"]), [""; 0]);
    let old = judged(&folder, &["--node", "18", "a.js"]);
    assert!(old[0].contains("need Node 20, and the script is for Node 18"), "{old:?}");
}

#[test]
fn scripts_against_what_their_definition_declares() {
    let definition = |source: &str, config: Value| {
        json!({
            "name": "shop",
            "endpoints": {"buy": {
                "calls": [{"type": "script", "name": "buy", "methods": ["POST"]}],
                "metadata": {"POST": {
                    "outputs": {"$ref": "#/$defs/Item", "$defs": {"Item": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}, "note": {"type": "string"}},
                        "required": ["name"],
                    }}},
                    "errors": {"oneOf": [
                        {"type": "string", "enum": ["SoldOut", "Closed"]},
                        {"type": "object", "properties": {"TooMany": {}}, "required": ["TooMany"]},
                    ]},
                }},
            }},
            "dependencies": [
                {"type": "script", "name": "buy", "runtime_name": "python3", "source": source, "config": config},
            ],
        })
        .to_string()
    };
    let found = |source: &str, config| {
        judged(&folder(&[("socket.json", &definition(source, config))]), &["socket.json"])
    };
    let source = "def main(n):\n    if n:\n        raise AppError('TooMny', n)\n    return {'nam': 'x'}\n";
    assert_eq!(
        found(source, json!({})),
        [
            "error undeclared-error 3: the script `buy` raises `TooMny`, which no endpoint declares: did you mean `TooMany`?",
            "error missing-field 4: the script `buy` returns no `name`, which its result needs: did you mean `name` by `nam`?",
        ]
    );
    let right = "def main(n):\n    if n: raise AppError('TooMany', n)\n    raise AppError('Closed')\n    return {'name': 'x'}\n";
    assert_eq!(found(right, json!({})), [""; 0]);
    let import = "import jsn\ndef main(n): return {'name': jsn.x}\n";
    let message = "unknown-module 1: the script `buy`: there is no module `jsn`: did you mean `json`?";
    assert_eq!(found(import, json!({})), [format!("error {message}")]);
    assert_eq!(found(import, json!({"environment": "science"})), [format!("warning {message}")]);
}
