//! Packages that the operator has prepared, and scripts that name them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Runner, RunnerBuilder, Script, StartError};

use super::at_level;
use crate::support::*;

/// A folder that every user can read, and that scripts don't have for themselves.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::Builder::new().prefix("syncano-test").tempdir_in("/var/tmp").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), mode).unwrap();
        Folder(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A virtual environment with a package, one more by a `.pth` file, and one that tells when it is imported.
fn virtual_environment() -> Option<Folder> {
    let folder = Folder::new();
    let python = std::env::var("SYNCANO_TEST_PYTHON").unwrap_or("/usr/bin/python3".to_owned());
    let made = Command::new(&python)
        .args(["-m", "venv", "--without-pip"])
        .arg(folder.path().join("venv"))
        .output()
        .map_err(|error| error.to_string())
        .and_then(|output| match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stdout).into_owned()),
        });
    if let Err(problem) = made {
        assert!(std::env::var_os("CI").is_none(), "`{python} -m venv` fails: {problem}");
        eprintln!("skipped: `{python} -m venv` fails: {problem}");
        return None;
    }
    let lib = fs::read_dir(folder.path().join("venv/lib")).unwrap().next().unwrap().unwrap();
    let site = format!("venv/lib/{}/site-packages", lib.file_name().display());
    folder.write(&format!("{site}/greetings/__init__.py"), "from .inner import hello");
    folder.write(&format!("{site}/greetings/inner.py"), "def hello(name): return 'Hello, ' + name");
    folder.write(&format!("{site}/elsewhere.pth"), &folder.path().join("more").display().to_string());
    folder.write("more/further.py", "x = 'further'");
    folder.write(&format!("{site}/broken.py"), "raise ValueError('broken for good')");
    // What it changes makes a worker that notices it after a call unusable.
    folder.write(
        &format!("{site}/changing.py"),
        "import builtins, time\nbuiltins.changed = time.monotonic_ns()\nprint('imported')",
    );
    folder.write(&format!("{site}/endless.py"), "import time\ntime.sleep(1000)");
    Some(folder)
}

/// Packages as npm lays them out: for `require`, for `import`, for both.
fn node_modules() -> Folder {
    let folder = Folder::new();
    let package = |name: &str, package_json: &str, file: &str, text: &str| {
        folder.write(&format!("node_modules/{name}/package.json"), package_json);
        folder.write(&format!("node_modules/{name}/{file}"), text);
    };
    package("old", "{}", "index.js", "exports.hello = name => 'Hello, ' + name;");
    package(
        "new",
        r#"{"type":"module","exports":{"import":"./main.js"}}"#,
        "main.js",
        "import { hello } from 'old';\nexport const greet = hello;\nexport default 'new';",
    );
    package("@scope/inner", r#"{"main":"a.js"}"#, "a.js", "module.exports = require('old').hello('scope');");
    folder.write("node_modules/@scope/inner/deep.js", "module.exports = 'deep';");
    package("broken", "{}", "index.js", "throw new Error('broken for good')");
    let moody = "if (globalThis.META?.fail) throw new Error('moody');\nexport default 'fine';";
    package("moody", r#"{"type":"module","exports":"./main.js"}"#, "main.js", moody);
    package(
        "patcher",
        "{}",
        "index.js",
        "module.exports = () => { String.prototype.hack = 1; Math.max = () => 5; };",
    );
    package(
        "changing",
        "{}",
        "index.js",
        "Reflect.changed = process.hrtime.bigint();\nprocess.on('exit', () => {});\nconsole.log('loaded')",
    );
    package("endless", r#"{"type":"module","main":"e.js"}"#, "e.js", "await new Promise(() => {})");
    folder
}

fn of(environment: &str, runtime: Runtime, source: &str) -> Script {
    Script::new("instance", "test", runtime, source, "{}").environment(environment)
}

async fn stdout(runner: &Runner, script: &Script) -> String {
    let outcome = runner.run(script, call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
    outcome.stdout
}

fn with(path: PathBuf) -> impl FnOnce(RunnerBuilder) -> RunnerBuilder {
    move |builder| at_level(builder).environment("tools", path)
}

#[tokio::test]
async fn a_python_script_finds_the_packages_that_it_names() {
    let Some(folder) = virtual_environment() else { return };
    let runner = runner_or_skip!(with(folder.path().join("venv")));
    let source = "import greetings\nfrom further import x\ndef main(name): return [greetings.hello(name), x]";
    let outcome = runner.run(&of("tools", Runtime::Python3, source), call(r#"{"name":"Ada"}"#)).await;
    assert_eq!(value(&outcome), json!(["Hello, Ada", "further"]));
    let fresh = of("tools", Runtime::Python3, source).fresh(true);
    assert_eq!(value(&runner.run(&fresh, call(r#"{"name":"Ada"}"#)).await), json!(["Hello, Ada", "further"]));
    // Who doesn't name it doesn't.
    let outcome = runner.run(&script("import greetings"), call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("No module named 'greetings'"), "{}", outcome.stderr);
    // It is a script like any other, in all else.
    let source = "import greetings, os\nfor attempt in [\n    lambda: open(greetings.__file__, 'a'),\n    \
                  lambda: open(os.path.dirname(greetings.__file__) + '/mine', 'w'),\n    lambda: open('/etc/shadow'),\n    \
                  lambda: os.listdir('/var/tmp'),\n]:\n    try: print('DONE', attempt())\n    except OSError: print('refused')";
    assert_eq!(
        stdout(&runner, &of("tools", Runtime::Python3, source)).await,
        "refused\n".repeat(4).trim_end()
    );
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn what_a_python_script_begins_with_is_there_before_its_first_call() {
    let Some(folder) = virtual_environment() else { return };
    let runner = runner_or_skip!(with(folder.path().join("venv")));
    // What the import changed is no call's, so it stays, and the process with it; what a call adds to it doesn't.
    let source = "'''doc'''\nimport changing\nfrom builtins import changed\nprint(changed, state.append(1) or len(state))";
    let source = source.replace("state", "changing.__dict__.setdefault('calls', [])");
    let script = of("tools", Runtime::Python3, &source);
    let first = stdout(&runner, &script).await;
    let second = stdout(&runner, &script).await;
    let (said, first) = first.split_once('\n').unwrap();
    assert_eq!(said, "imported");
    assert_eq!(first.split_once(' ').unwrap().0, second.split_once(' ').unwrap().0);
    assert_eq!((&first[first.len() - 2..], &second[second.len() - 2..]), (" 1", " 1"));
    // Not what comes after something else: that may change what an import does.
    let source = "import os\nos.environ['X'] = 'set'\nimport changing\nprint(os.environ['X'])";
    let script = of("tools", Runtime::Python3, source);
    for _ in 0..2 {
        assert_eq!(stdout(&runner, &script).await, "imported\nset");
    }
    // The errors of an import are those of the call.
    for (source, status, said) in [
        ("import greetings, broken", RunStatus::Failure, "ValueError: broken for good"),
        ("import missing", RunStatus::Failure, "No module named 'missing'"),
        ("import greetings\ndef", RunStatus::Failure, "SyntaxError"),
        ("from . import greetings", RunStatus::Failure, "ImportError"),
    ] {
        let outcome = runner.run(&of("tools", Runtime::Python3, source), call("{}")).await;
        assert_eq!(outcome.status, status, "{source}");
        assert!(outcome.stderr.contains(said) && outcome.stderr.contains("line"), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn an_import_that_does_not_end_is_a_call_s_that_does_not_end() {
    let Some(folder) = virtual_environment() else { return };
    let runner = runner_or_skip!(with(folder.path().join("venv")));
    let script = of("tools", Runtime::Python3, "import endless");
    let outcome = runner.run(&script, within(std::time::Duration::from_millis(200))).await;
    assert_eq!(outcome.status, RunStatus::Timeout, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("endless.py"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_javascript_finds_the_packages_that_it_names() {
    let folder = node_modules();
    let runner = node_or_skip!(with(folder.path().join("node_modules")));
    for source in [
        "const { hello } = require('old'), inner = require('@scope/inner');\nconsole.log(hello('Ada'), inner, require('@scope/inner/deep'))",
        "import { hello } from 'old';\nimport inner from '@scope/inner';\nimport deep from '@scope/inner/deep.js';\n\
         export default () => { console.log(hello('Ada'), inner, deep) }",
        "import * as old from 'old';\nimport inner from '@scope/inner';\nimport deep from '@scope/inner/deep.js';\n\
         export default () => { console.log(old.default.hello('Ada'), inner, deep) }",
    ] {
        let script = of("tools", Runtime::NodeJs, source);
        for _ in 0..2 {
            assert_eq!(stdout(&runner, &script).await, "Hello, Ada Hello, scope deep", "{source}");
        }
    }
    // Packages that can't be required: newer versions of Node find them by what they export for `import`.
    let source = "import fallback, { greet } from 'new';\nexport default () => [greet('Ada'), fallback]";
    let dynamic = "export default async () => { const { greet, default: d } = await import('new'); return [greet('Ada'), d] }";
    for source in [source, dynamic] {
        let script = of("tools", Runtime::NodeJs, source);
        let outcome = runner.run(&script, call("{}")).await;
        if runner.interpreter(Language::JavaScript).unwrap().version().starts_with("18.") {
            assert!(outcome.stderr.contains("ERR_PACKAGE_PATH_NOT_EXPORTED"), "{}", outcome.stderr);
        } else {
            assert_eq!(value(&outcome), json!(["Hello, Ada", "new"]));
        }
    }
    let outcome = runner.run(&javascript("require('old')"), call("{}")).await;
    assert!(outcome.stderr.contains("Cannot find module 'old'"), "{}", outcome.stderr);
    let outcome =
        runner.run(&of("tools", Runtime::NodeJs, "import './mine.js'; export default 1"), call("{}")).await;
    assert!(outcome.stderr.contains("cannot import './mine.js'"), "{}", outcome.stderr);
    let source = "const fs = require('fs'), old = require.resolve('old');\nfor (const attempt of [\n  \
                  () => fs.appendFileSync(old, 'x'),\n  () => fs.writeFileSync(old + '.mine', 'x'),\n  \
                  () => fs.readFileSync('/etc/shadow'),\n  () => fs.readdirSync('/var/tmp'),\n]) {\n  \
                  try { console.log('DONE', attempt()) } catch { console.log('refused') }\n}";
    assert_eq!(
        stdout(&runner, &of("tools", Runtime::NodeJs, source)).await,
        "refused\n".repeat(4).trim_end()
    );
    other_node_is_fine(&runner).await;
}

/// Node keeps a module whose evaluation failed.
#[tokio::test]
async fn a_package_that_fails_once_is_tried_anew_by_the_next_call() {
    let folder = node_modules();
    let runner = node_or_skip!(with(folder.path().join("node_modules")));
    for source in [
        "export default async () => (await import('moody')).default",
        "const moody = (await import('moody')).default;\nexport default () => moody",
        "import('moody').then(moody => setResponse(new HttpResponse(200, JSON.stringify(moody.default))))",
    ] {
        let script = of("tools", Runtime::NodeJs, source);
        let failing = syncano_runner::Call { meta: r#"{"fail":1}"#.to_owned(), ..call("{}") };
        for _ in 0..2 {
            let outcome = runner.run(&script, failing.clone()).await;
            assert_eq!(outcome.status, RunStatus::Failure, "{source}");
            assert!(outcome.stderr.contains("Error: moody"), "{source}: {}", outcome.stderr);
        }
        for _ in 0..2 {
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!(outcome.status, RunStatus::Success, "{source}: {}", outcome.stderr);
        }
    }
}

#[tokio::test]
async fn what_a_package_has_changed_for_a_program_reaches_no_other_call() {
    let folder = node_modules();
    let runner = node_or_skip!(with(folder.path().join("node_modules")));
    let source = "const patch = require('patcher');\nconsole.log('x'.hack, Math.max(1, 2));\npatch();";
    let script = of("tools", Runtime::NodeJs, source);
    for _ in 0..3 {
        assert_eq!(stdout(&runner, &script).await, "undefined 2");
    }
}

#[tokio::test]
async fn what_a_javascript_begins_with_is_there_before_its_first_call() {
    let folder = node_modules();
    let runner = node_or_skip!(with(folder.path().join("node_modules")));
    for (beginning, rest) in [
        ("// first\n'use strict';\nconst changing = require('changing');\n", ""),
        ("/* first */ import 'changing';\n", "export default () => {}\n"),
    ] {
        let source = format!("{beginning}{rest}console.log(Reflect.changed)");
        let source = source.replace("=> {}\nconsole.log(Reflect.changed)", "=> console.log(Reflect.changed)");
        let script = of("tools", Runtime::NodeJs, &source);
        let first = stdout(&runner, &script).await;
        let second = stdout(&runner, &script).await;
        assert_eq!(first, format!("loaded\n{second}"), "{source}");
    }
    let source = "process.env.X = 'set';\nconst changing = require('changing');\nconsole.log(process.env.X)";
    assert_eq!(stdout(&runner, &of("tools", Runtime::NodeJs, source)).await, "loaded\nset");
    for (source, said) in [
        ("const a = require('broken')", "broken for good"),
        ("const a = require('missing')", "Cannot find module 'missing'"),
        ("import 'broken'; export default 1", "broken for good"),
        ("import 'missing'; export default 1", "Cannot find package 'missing'"),
        ("import 'old'; export default (", "SyntaxError"),
    ] {
        let outcome = runner.run(&of("tools", Runtime::NodeJs, source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        let said = if said.contains("package") && !outcome.stderr.contains(said) {
            "Cannot find module 'missing'"
        } else {
            said
        };
        assert!(outcome.stderr.contains(said), "{source}: {}", outcome.stderr);
    }
    // It waits for something that can't happen, which is the call's to say.
    let source = "import 'endless';\nexport default () => 1";
    let outcome = runner.run(&of("tools", Runtime::NodeJs, source), call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("nothing is pending any more"), "{}", outcome.stderr);
}

#[tokio::test]
async fn an_environment_that_is_not_there_is_a_failure_that_lists_what_is() {
    let folder = node_modules();
    let runner = node_or_skip!(with(folder.path().join("node_modules")));
    for (name, runtime, said) in [
        (
            "web",
            Runtime::NodeJs,
            "there is no environment `web` on this server: for JavaScript it has `tools`",
        ),
        ("web", Runtime::Python3, "there is no environment `web` on this server: it has none for Python"),
        (
            "tools",
            Runtime::Python3,
            "the environment `tools` is one of JavaScript, not of Python: it has none for Python",
        ),
    ] {
        let outcome = runner.run(&of(name, runtime, "1"), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stderr), (RunStatus::Failure, said));
    }
    let [environment] = runner.environments() else { panic!("there is one") };
    assert_eq!((environment.name(), environment.language()), ("tools", Language::JavaScript));
}

fn refusal(environments: &[(&str, &Path)]) -> String {
    let mut builder = at_level(Runner::builder()).max_workers(2);
    for (name, path) in environments {
        builder = builder.environment(*name, *path);
    }
    match builder.build() {
        Err(StartError::Environment { name, problem, .. }) => format!("{name}: {problem}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn what_can_not_be_used_is_refused_at_the_start() {
    let folder = node_modules();
    // Where the level can't be had there is nothing to see.
    let runner = node_or_skip!(at_level);
    drop(runner);
    let modules = folder.path().join("node_modules");
    folder.write("venv/pyvenv.cfg", "home = /usr/bin");
    let (plain, missing, venv) = (folder.path(), folder.path().join("missing"), folder.path().join("venv"));
    for (environments, said) in [
        (vec![("a", &*plain)], "a: it is neither a virtual environment"),
        (vec![("a", &*missing)], "a: No such file"),
        (vec![("a", &*venv)], "can't be started"),
        (vec![("A b", &*modules)], "A b: a name has 1 to 64 lower-case letters"),
        (vec![("a", &*modules), ("a", &*modules)], "has that name already"),
    ] {
        let refusal = refusal(&environments);
        assert!(refusal.contains(said), "{refusal}");
    }
    if rustix::process::geteuid().is_root() {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&modules, mode).unwrap();
        let refusal = refusal(&[("a", &modules)]);
        assert!(refusal.contains("chmod -R a+rX"), "{refusal}");
    }
}

#[tokio::test]
async fn packages_run_nothing_outside_of_a_script() {
    let Some(folder) = virtual_environment() else { return };
    let site = fs::read_dir(folder.path().join("venv/lib")).unwrap().next().unwrap().unwrap().path();
    let mark = folder.path().join("ran");
    let code = format!("import os; os.getppid() and open({mark:?}, 'a').write('outside')\n");
    fs::write(site.join("site-packages/zz.pth"), code).unwrap();
    let runner = runner_or_skip!(with(folder.path().join("venv")));
    let script = of("tools", Runtime::Python3, "from greetings import hello; print(hello('Ada'))");
    assert_eq!(stdout(&runner, &script).await, "Hello, Ada");
    assert!(!mark.exists());
}

#[tokio::test]
async fn what_an_import_ahead_writes_does_not_hide_what_calls_write() {
    let Some(folder) = virtual_environment() else { return };
    let site = fs::read_dir(folder.path().join("venv/lib")).unwrap().next().unwrap().unwrap().path();
    let caching = "import os\nos.makedirs(os.path.join(os.getcwd(), '.cache'), exist_ok=True)";
    fs::write(site.join("site-packages/caching.py"), caching).unwrap();
    let runner = runner_or_skip!(with(folder.path().join("venv")));
    let source = "import caching\nimport os\nos.makedirs('.cache', exist_ok=True)\nprint(os.listdir('.cache'))\nopen('.cache/a', 'w').write('secret')";
    let script = of("tools", Runtime::Python3, source);
    for _ in 0..3 {
        assert_eq!(stdout(&runner, &script).await, "[]");
    }
}
