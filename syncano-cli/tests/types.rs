//! `syncano types`: the files that it writes are compared with those that stand beside the scripts, and the real pyright and
//! tsc check the scripts with them. `UPDATE_GOLDEN=1 cargo test -p syncano-cli --test types` rewrites the files.
//!
//! The checkers come from npm, once, into the target folder. Where npm or the network is missing their tests are skipped and
//! say why; in CI that is a failure.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

// Not all of it is needed here.
#[allow(dead_code)]
#[path = "../../tests/real-clients/installed.rs"]
mod installed;
/// Examples' sockets, for their definitions.
#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/packages/src/main.rs"]
mod packages;
#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/quickstart/src/main.rs"]
mod quickstart;
mod running;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use syncano_client::{Client, ExposeSecret as _, Socket, socket};
use tempfile::TempDir;

use running::Serve;

/// What travels between Rust and scripts here, in many a representation.
mod shop {
    use super::{Deserialize, JsonSchema, Serialize};
    use std::collections::BTreeMap;

    #[derive(Serialize, JsonSchema)]
    pub(super) struct OrderLine {
        pub(super) article: String,
        pub(super) quantity: i32,
        #[serde(rename = "price-in-cents", skip_serializing_if = "Option::is_none")]
        pub(super) price: Option<u64>,
    }

    #[derive(Deserialize, JsonSchema)]
    pub(super) struct Receipt {
        #[serde(rename = "taken")]
        _taken: Vec<Taken>,
        #[serde(rename = "by_article")]
        _by_article: BTreeMap<String, f64>,
        #[serde(rename = "pair")]
        _pair: (String, u8),
        /// Which recurses, and may be missing.
        #[serde(rename = "next")]
        _next: Option<Box<Receipt>>,
    }

    #[derive(Deserialize, JsonSchema)]
    pub(super) struct Taken {
        #[serde(rename = "article")]
        _article: String,
        #[serde(rename = "state")]
        _state: State,
    }

    #[derive(Deserialize, JsonSchema)]
    pub(super) enum State {
        Gone,
        Delayed {
            #[serde(rename = "days")]
            _days: u8,
        },
    }
}

#[socket(name = "python_shop", runtime = "python3")]
mod python_shop {
    use super::shop::{OrderLine, Receipt};

    #[endpoint("take", POST, file = "types/scripts/take.py")]
    pub async fn take(lines: Vec<OrderLine>, note: Option<String>) -> Receipt;

    #[endpoint("left", GET, file = "types/scripts/left.py")]
    pub async fn left(article: &str) -> Vec<Option<(u32, bool)>>;

    /// The script is no file.
    #[endpoint("left", POST, source = "def main(article): return None")]
    pub async fn left_now(article: &str);
}

#[socket(name = "javascript_shop", runtime = "nodejs")]
mod javascript_shop {
    use super::shop::{OrderLine, Receipt, State};

    #[endpoint("total", POST, file = "types/scripts/total.js")]
    pub async fn total(lines: Vec<OrderLine>, vat_percent: Option<String>) -> Receipt;

    #[endpoint("state", GET, file = "types/scripts/state.js")]
    pub async fn state(article: &str) -> State;
}

/// The same functions with scripts that do what they must not.
#[socket(name = "wrong_shop", runtime = "python3")]
mod wrong_shop {
    use super::shop::{OrderLine, Receipt, State};

    #[endpoint("take", POST, file = "types/wrong/take.py")]
    pub async fn take(lines: Vec<OrderLine>, note: Option<String>) -> Receipt;

    #[endpoint("left", GET, file = "types/wrong/left.py")]
    #[allow(deprecated)]
    pub async fn left(article: Option<String>) -> Vec<Option<(u32, bool)>>;

    #[endpoint("total", POST, file = "types/wrong/total.js")]
    #[allow(deprecated)]
    pub async fn total(lines: Vec<OrderLine>, vat_percent: Option<String>) -> Receipt;

    #[endpoint("state", GET, file = "types/wrong/state.js")]
    #[allow(deprecated)]
    pub async fn state(article: Option<String>) -> State;
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A copy of a folder's scripts alone.
fn scripts_of(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| ["py", "js", "mjs"].iter().any(|known| extension == *known))
        {
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    copy
}

fn syncano_types(arguments: &[&str], key: Option<&str>, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_syncano"))
        .arg("types")
        .args(arguments)
        .env_clear()
        .envs(key.map(|key| ("SYNCANO_KEY", key)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Writes the types beside a copy of the scripts.
fn typed(scripts: &Path, sockets: &[Socket]) -> TempDir {
    let copy = scripts_of(scripts);
    let output =
        syncano_types(&["-", "--scripts", copy.path().to_str().unwrap()], None, &json!(sockets).to_string());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    copy
}

/// The types that were written are those that stand beside the scripts.
fn golden(scripts: &Path, made: &Path) {
    let types = |folder: &Path| -> BTreeSet<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".pyi") || name.ends_with(".d.ts")).collect()
    };
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for name in types(made) {
            fs::copy(made.join(&name), scripts.join(&name)).unwrap();
        }
    }
    assert_eq!(types(made), types(scripts));
    for name in types(made) {
        let read = |folder: &Path| fs::read_to_string(folder.join(&name)).unwrap();
        assert_eq!(read(made), read(scripts), "{} differs", scripts.join(&name).display());
    }
}

/// The folder with pyright and tsc. `None`: skip the test.
fn checkers() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("types");
    let modules = installed::node_modules(&folder("tests/types/install"), &target, "checkers");
    Some(installed::found(&modules)?.join(".bin"))
}

/// What a checker says of the folder, and whether it is content.
fn run(checker: &Path, arguments: &[&str], folder: &Path) -> (bool, String) {
    let output = Command::new(checker).args(arguments).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn pyright(checkers: &Path, folder: &Path) -> (bool, String) {
    run(&checkers.join("pyright"), &["--pythonpath", "/usr/bin/python3", "."], folder)
}

/// As `syncano types --help` has it.
fn tsc(checkers: &Path, folder: &Path) -> (bool, String) {
    let arguments = "--noEmit --checkJs --strict --noImplicitAny false --moduleDetection force syncano.d.ts";
    let mut arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        arguments.extend(Some(name).filter(|name| name.ends_with("js")));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(&checkers.join("tsc"), &arguments, folder)
}

fn shops() -> [Socket; 2] {
    [python_shop::definition(), javascript_shop::definition()]
}

/// The folders of the examples' scripts, in Python and with packages from npm, and what they are for.
fn examples() -> [(PathBuf, Vec<Socket>); 2] {
    let quickstart = vec![quickstart::text_tools::definition(), quickstart::my_custom_socket::definition()];
    [
        (folder("../examples/quickstart/scripts"), quickstart),
        (folder("../examples/packages/scripts"), vec![packages::comments::definition()]),
    ]
}

#[test]
fn the_types_beside_the_scripts_are_those_of_their_definitions() {
    let scripts = folder("tests/types/scripts");
    golden(&scripts, typed(&scripts, &shops()).path());
    for (scripts, sockets) in examples() {
        golden(&scripts, typed(&scripts, &sockets).path());
    }
}

#[test]
fn scripts_that_keep_their_types_pass_the_checkers() {
    let Some(checkers) = checkers() else { return };
    let folder = typed(&folder("tests/types/scripts"), &shops());
    for (content, said) in [pyright(&checkers, folder.path()), tsc(&checkers, folder.path())] {
        assert!(content, "{said}");
    }
    let [quickstart, packages] = examples().map(|(scripts, sockets)| typed(&scripts, &sockets));
    let (content, said) = pyright(&checkers, quickstart.path());
    assert!(content, "{said}");
    // The package's own types count, too.
    let modules = checkers.parent().unwrap();
    std::os::unix::fs::symlink(modules, packages.path().join("node_modules")).unwrap();
    let (content, said) = tsc(&checkers, packages.path());
    assert!(content, "{said}");
}

#[test]
fn what_breaks_the_types_is_found_in_the_bodies() {
    let Some(checkers) = checkers() else { return };
    let folder = typed(&folder("tests/types/wrong"), &[wrong_shop::definition()]);
    let found = |(content, said): (bool, String), places: &[&str]| {
        assert!(!content, "{said}");
        for place in places {
            assert!(said.contains(place), "{place} is not in\n{said}");
        }
        let errors = said.lines().filter(|line| line.contains("error")).count();
        assert!(errors >= places.len(), "{said}");
    };
    let python = [
        r#"take.py:2:16 - error: "upper" is not a known attribute of "None""#,
        "take.py:3:41 - error: Type \"list[dict[str, int | str]]\"",
        r#"take.py:5:15 - error: Argument missing for parameter "name""#,
        "take.py:6:",
        "left.py:2:7 - error: Could not access item in TypedDict",
        "left.py:3:14 - error: Argument of type \"dict[str, int]\"",
        "left.py:4:27 - error: Argument of type \"Literal['404']\"",
        "syncano_check.pyi:11:24 - error: Type \"(lines: list[str], note: str | None = None) -> TakeResult\"",
    ];
    found(pyright(&checkers, folder.path()), &python);
    let javascript = [
        "state.js(4,7): error TS2322: Type 'string | undefined'",
        "state.js(5,15): error TS2353",
        "state.js(6,18): error TS2345: Argument of type 'string'",
        "total.js(3,16): error TS2339: Property 'amount'",
        "total.js(3,30): error TS2554",
        "total.js(4,31): error TS18048: 'vat_percent'",
        "total.js(4,51): error TS2322: Type '\"Lost\"'",
    ];
    found(tsc(&checkers, folder.path()), &javascript);
}

#[tokio::test]
async fn what_is_published_has_the_same_types() {
    let data = TempDir::new().unwrap();
    let account = [("SYNCANO_ADMIN_EMAIL", "ann@example.org"), ("SYNCANO_ADMIN_PASSWORD", "a long password")];
    let server = Serve::start(&data, &account).await;
    let client = Client::connect(&server.url).unwrap();
    let client = client.log_in("ann@example.org", "a long password").await.unwrap();
    let key = client.key().unwrap().expose_secret().to_owned();
    let instance = client.create_or_open_instance("my-app").await.unwrap();
    for socket in shops() {
        instance.publish(&socket).await.unwrap();
    }
    let scripts = folder("tests/types/scripts");
    let copy = scripts_of(&scripts);
    let arguments =
        ["--url", &server.url, "--instance", "my-app", "--scripts", copy.path().to_str().unwrap()];
    let output = syncano_types(&arguments, Some(&key), "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    golden(&scripts, copy.path());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 3, "{said}");
    server.stop().await;
}

#[test]
fn what_it_cannot_read_or_write_it_says() {
    let refused = |arguments: &[&str], input: &str| {
        let output = syncano_types(arguments, None, input);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&["-"], r#"{"name": "shop", "endpoints": 3}"#);
    assert!(said.contains("standard input is no definition of a socket: at /endpoints: "), "{said}");
    let definition = json!(python_shop::definition()).to_string();
    let said = refused(&["-", "--scripts", "/nowhere"], &definition);
    assert!(said.contains("the folder `/nowhere` can't be read"), "{said}");
    assert!(refused(&["--instance", "my-app"], "").contains("set SYNCANO_KEY"));
    // What somebody else wrote stays.
    let own = TempDir::new().unwrap();
    fs::write(own.path().join("__builtins__.pyi"), "x: int\n").unwrap();
    let said = refused(&["-", "--scripts", own.path().to_str().unwrap()], &definition);
    assert!(said.contains("was not made by this command"), "{said}");
    assert_eq!(fs::read_to_string(own.path().join("__builtins__.pyi")).unwrap(), "x: int\n");
}
