use super::*;

fn yml(text: &str) -> SocketYml {
    let read = read(&parse(text).unwrap(), "mine", Map::new()).unwrap();
    let definition = crate::definition::new(&read.body);
    assert!(definition.is_ok(), "{definition:?} of {}", read.body);
    read
}

fn call(name: &str, methods: &[&str]) -> Value {
    json!({"type": "script", "name": name, "methods": methods})
}

/// The first path of each file, by the name of its dependency.
fn files(yml: &SocketYml) -> Vec<(&str, &str)> {
    let name = |file: &ScriptFile| file.dependency;
    yml.files
        .iter()
        .map(|file| (yml.body["dependencies"][name(file)]["name"].as_str().unwrap(), file.paths[0].as_str()))
        .collect()
}

#[test]
fn a_yaml_stands_for_a_body() {
    let yaml = "
name: other
description: d
author: {name: a}
endpoints:
  one: {script: first, description: e}
  two:
    GET: {script: first}
    PUT: {script: second, description: f}
    POST: {script: first}
dependencies:
  scripts:
    first: {runtime_name: python3, file: scripts/first.py}
    second: {runtime_name: nodejs, source: '1', timeout: 5, config: {a: 1}}
  classes:
    book: {schema: [{name: title, type: string}]}
config:
  a: {value: 1}
  b: {prompt: 'how?'}
  c: {value: 2}
";
    let answers = json!({"b": 3, "c": 4}).as_object().unwrap().clone();
    let SocketYml { body, files, warnings } = read(&parse(yaml).unwrap(), "mine", answers).unwrap();
    let path = "scripts/first.py".to_owned();
    assert_eq!(files, [ScriptFile { dependency: 0, paths: vec![path] }]);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(
        body,
        json!({
            "name": "mine", "description": "d", "metadata": {"author": {"name": "a"}},
            "config": {"a": 1, "b": 3, "c": 4},
            "endpoints": {
                "one": {"calls": [call("first", &["*"])], "metadata": {"description": "e"}},
                "two": {
                    "calls": [call("first", &["GET", "POST"]), call("second", &["PUT"])],
                    "metadata": {"PUT": {"description": "f"}},
                },
            },
            "dependencies": [
                {"type": "script", "name": "first", "runtime_name": "python3", "source": ""},
                {"type": "script", "name": "second", "runtime_name": "nodejs", "source": "1",
                 "config": {"a": 1, "timeout": 5}},
                {"type": "class", "name": "book", "schema": [{"name": "title", "type": "string"}]},
            ],
        })
    );
    assert!(crate::definition::new(&body).is_ok());
}

#[test]
fn an_endpoint_may_have_a_file_of_its_own() {
    let yml = yml("
runtime: nodejs_v8
endpoints:
  getAll:
    file: scripts/get-all.js
    description: All
    parameters: {a: {type: string, example: 1}}
  again: {file: ./scripts/get-all.js}
  by-method:
    POST: {file: scripts/_write.js, description: Writes}
    GET: {file: other/get-all.js}
  hello:
  inline: |
    setResponse(new HttpResponse(200, 'hi'))
  nested: {GET: {description: x}, PUT: 'print(1)'}
  ball: {file: scripts/8ball.js, runtime: nodejs_v6}
  report: {file: report.py}
  named: {script: lib/named.js}
");
    assert_eq!(
        files(&yml),
        [
            ("get-all", "scripts/get-all.js"),
            ("script-8ball", "scripts/8ball.js"),
            ("get-all-2", "other/get-all.js"),
            ("write", "scripts/_write.js"),
            ("hello", "hello.js"),
            ("named", "lib/named.js"),
            ("nested-get", "nested/GET.js"),
            ("report", "report.py"),
        ]
    );
    let runtime = |name: &str| {
        let dependencies = yml.body["dependencies"].as_array().unwrap();
        dependencies.iter().find(|dependency| dependency["name"] == name).unwrap()["runtime_name"].clone()
    };
    assert_eq!(
        (runtime("get-all"), runtime("report"), runtime("script-8ball")),
        (json!("nodejs_v8"), json!("python3"), json!("nodejs_v6"))
    );
    let endpoint = |name: &str| yml.body["endpoints"][name].clone();
    assert_eq!(endpoint("again")["calls"], json!([call("get-all", &["*"])]));
    assert_eq!(
        endpoint("by-method"),
        json!({
            "calls": [call("get-all-2", &["GET"]), call("write", &["POST"])],
            "metadata": {"POST": {"description": "Writes"}},
        })
    );
    assert_eq!(endpoint("getAll")["metadata"]["parameters"]["a"]["example"], 1);
    // A file that has no folder is looked for where the tools kept scripts; one that has is there.
    let hello = yml.files.iter().find(|file| file.paths[0] == "hello.js").unwrap();
    assert_eq!(
        hello.paths,
        [
            "hello.js",
            "scripts/hello.js",
            "src/hello.js",
            ".dist/src/hello.js",
            "dist/hello.js",
            "bin/hello.js"
        ]
    );
    let by_method = yml.files.iter().find(|file| file.paths[0] == "nested/GET.js").unwrap();
    assert_eq!(by_method.paths[2], "src/nested/GET.js");
}

#[test]
fn private_cache_and_timeout_mean_what_they_say() {
    let yml = yml("
timeout: 20
endpoints:
  a: {source: '1', private: true, timeout: '2.5', cache: 60.0}
  b: {source: '2', private: yes, GET: {source: '3', private: no, cache: 1}, POST: {script: x, private: 1}, PUT: {script: x}}
  c: {source: '4', private: null, acl: {'*': [GET]}}
dependencies: {scripts: {x: {source: '5', runtime_name: python3}}}
");
    let endpoint = |name: &str| yml.body["endpoints"][name].clone();
    assert_eq!(
        endpoint("a"),
        json!({"private": true, "timeout": 2.5, "cache": 60, "calls": [call("a", &["*"])], "metadata": {}})
    );
    assert_eq!((&endpoint("b")["private"], &endpoint("b")["timeout"]), (&json!(true), &json!(20)));
    assert_eq!(
        endpoint("b")["calls"],
        json!([
            {"type": "script", "name": "b-get", "methods": ["GET"], "private": false, "cache": 1},
            {"type": "script", "name": "x", "methods": ["POST"], "private": true},
            {"type": "script", "name": "x", "methods": ["PUT"]},
            {"type": "script", "name": "b", "methods": ["*"]},
        ])
    );
    assert_eq!((endpoint("c").get("private"), &endpoint("c")["acl"]), (None, &json!({"*": ["GET"]})));
}

#[test]
fn the_shapes_of_every_year_are_read() {
    // The template of the first tool: lists of mappings.
    let first = yml("
endpoints:
  - one: {script: s}
  - two: {POST: {script: s}}
dependencies:
  - scripts:
      - s: {runtime_name: python_library_v5.0, file: s.py}
");
    assert_eq!(files(&first), [("s", "s.py")]);
    assert_eq!(first.body["endpoints"].as_object().unwrap().len(), 2);
    // Scripts without a section of their own.
    let second = yml("
endpoints: {e: {GET: {script: get-it}}}
dependencies: {get-it: {runtime_name: nodejs_library_v1.0, file: scripts/get-it.js, description: d}}
");
    assert_eq!((files(&second), second.warnings.len()), (vec![("get-it", "scripts/get-it.js")], 0));
    // Classes at the top, as lists or with a schema.
    let third = yml("
runtime: nodejs_v6
version: 0.1
classes:
  message: [{name: text, type: text}, {name: from, type: reference, target: user, filter_index: true}]
  room: {about: x, schema: [{name: name, type: string}]}
  empty:
endpoints: {e: }
");
    assert_eq!(third.body["dependencies"][2]["schema"].as_array().unwrap().len(), 2, "{}", third.body);
    assert_eq!(third.body["metadata"], json!({"version": 0.1}));
    // No endpoint yet.
    assert_eq!(yml("name: n\nendpoints: {}").body["endpoints"], json!({}));
    // The raw format as YAML.
    let raw = yml("
endpoints: {e: {calls: [{type: script, name: a, methods: [GET]}], private: true}}
dependencies: {scripts: {a: {runtime_name: python3, source: 'print(1)'}}}
");
    assert_eq!(raw.body["endpoints"]["e"]["calls"], json!([call("a", &["GET"])]));
    assert_eq!(
        yml("endpoints: {e: {file: e.js, methods: POST}}").body["endpoints"]["e"]["calls"][0]["methods"],
        json!(["POST"])
    );
}

#[test]
fn yaml_is_read_as_it_was_written() {
    let one =
        |text: &str| yml(text).body["endpoints"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(one("\u{feff}endpoints:\r\n  hello:\r\n    file: scripts/a.js\r\n"), ["hello"]);
    assert_eq!(one("# a\n#\tb\nendpoints:\t# c\n  hello: {file: a.js}\t\n\t\n"), ["hello"]);
    // Of a repeated key the last one counts.
    assert_eq!(yml("description: a\ndescription: b\nendpoints: {e: {file: a.js}}").body["description"], "b");
    let long =
        yml(&format!("description: {}\nreadme: {}\nendpoints: {{}}", "é".repeat(300), "x".repeat(5000)));
    assert_eq!(long.body["description"].as_str().unwrap().chars().count(), 256);
    assert_eq!((long.body["metadata"].as_object().unwrap().len(), long.warnings.len()), (1, 2));
    assert_eq!(yml("description: 2.5\nendpoints: {e: {file: a.js}}").body["description"], "2.5");
    let anchored = yml("
base: &base {private: true, description: d}
endpoints:
  a: {<<: *base, file: a.js}
  b: *base
");
    assert_eq!(anchored.body["endpoints"]["a"]["private"], true);
    assert_eq!(anchored.body["endpoints"]["b"]["private"], true);
    assert_eq!(
        yml("config: {1: {value: 2}, true: x}\nendpoints: {}").body["config"],
        json!({"1": 2, "true": "x"})
    );
    assert_eq!(yml("---\nendpoints: {e: {file: a.js}}\n...\n").files.len(), 1);
    assert_eq!(yml("%YAML 1.1\n---\nendpoints: {e: {file: a.js}}\n").files.len(), 1);
}

#[test]
fn what_is_installed_otherwise_than_the_file_says_is_a_warning() {
    let SocketYml { body, warnings, .. } = yml("
endpoints:
  chat: {channel: 'room.{user}'}
  e: {file: e.js, timeuot: 3, title: x, GET: {file: e.js, outputs: {type: nonsense}}}
endpoint: {}
event_handlers: {schedule.interval.30_seconds: {script: e}, data.user.create: 'print(1)'}
hosting: {src: x}
dependencies: {scripts: {s: {source: '1', runtime_name: python3, sorce: x, retries: 1}}, sockets: {weather: {version: 1}}}
config: {key: {required: true}, other: {required: true, value: 1}}
");
    assert_eq!(body["endpoints"].as_object().unwrap().keys().collect::<Vec<_>>(), ["e"]);
    assert_eq!(body["metadata"].as_object().unwrap().len(), 4, "nothing is lost: {body}");
    assert_eq!(body["endpoints"]["e"]["metadata"], json!({"timeuot": 3, "title": "x"}));
    let begins = [
        "at /config/key: `key` is required and has no value",
        "at /dependencies/scripts/s/retries: unknown key `retries`, which is ignored",
        "at /dependencies/scripts/s/sorce: unknown key `sorce`, which is ignored: did you mean `source`?",
        "at /dependencies/sockets: `sockets` is kept as metadata",
        "at /endpoint: `endpoint` is kept as metadata: did you mean `endpoints`?",
        "at /endpoints/chat: the endpoint `chat` is a channel and isn't installed",
        "at /endpoints/e/GET/outputs: it is no JSON Schema and is ignored",
        "at /endpoints/e/timeuot: `timeuot` is kept as metadata: did you mean `timeout`?",
        "at /event_handlers: `event_handlers` is kept as metadata: no endpoint and no schedule is made of them",
        "at /hosting: `hosting` is kept as metadata: no files are served",
    ];
    let mut sorted = warnings;
    sorted.sort();
    assert_eq!(sorted.len(), begins.len(), "{sorted:#?}");
    for (warning, begin) in sorted.iter().zip(begins) {
        assert!(warning.starts_with(begin), "{warning}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (yaml, said) in [
        ("[1]", "no mapping"),
        ("endpoints: 1", "`endpoints`"),
        ("endpoints: [e]", "`endpoints`"),
        ("endpoints: {e: 1}", "the endpoint `e` is no mapping"),
        ("endpoints: {e: {GET: 1}}", "GET of the endpoint `e`"),
        ("endpoints: {e: {file: [a]}}", "`file` of the endpoint `e` is no text"),
        (
            "endpoints: {e: {file: a.js, privat: true}}",
            "`privat` of the endpoint `e`: did you mean `private`?",
        ),
        (
            "endpoints: {e: {POST: {file: a.js, Private: true}}}",
            "POST of the endpoint `e`: did you mean `private`?",
        ),
        ("runtime: nodejs_v9", "`runtime`: unknown runtime `nodejs_v9`"),
        ("endpoints: {e: {file: a.js, runtime: 8}}", "`runtime` of the endpoint `e` is no text"),
        ("dependencies: {scripts: {s: 1}}", "the script `s` is no mapping"),
        ("dependencies: {scripts: {s: {config: 1}}}", "`config` of the script `s`"),
    ] {
        let yaml = parse(yaml).unwrap();
        let problem = read(&yaml, "s", Map::new()).unwrap_err();
        assert!(problem.contains(said), "{problem}");
    }
}
