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

    #[derive(Debug, Deserialize, JsonSchema)]
    pub(super) enum InlineError {
        Negative,
        OutOfStock {
            #[serde(rename = "left")]
            _left: u32,
        },
        Unknown(#[allow(dead_code)] Vec<String>),
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

/// Functions whose scripts stand here, and which declare their errors.
#[socket(name = "inline_shop", runtime = "python3")]
mod inline_shop {
    use super::shop::{InlineError, Receipt};

    #[endpoint("take", POST, error = InlineError, source = r#"
        def main(article: str, quantity: int) -> "Receipt":
            if quantity > 3:
                raise AppError("OutOfStock", {"left": 3})
            if quantity < 0:
                raise AppError("Negative")
            if not article:
                raise AppError("Unknown", ["tea"])
            return {"taken": [], "by_article": {article: 1.5}, "pair": ["tea", 1]}
    "#)]
    pub async fn take(article: &str, quantity: i32) -> Receipt;

    #[endpoint("give", POST, runtime = "nodejs", error = InlineError, source = r#"
        /** @type {Syncano.GiveMain} */
        export default function give({ article }) {
          if (article === 'gold') throw new AppError('OutOfStock', { left: 3 });
          if (article === '') throw new AppError('Negative');
          return { taken: [], by_article: {}, pair: [article, 1] };
        }
    "#)]
    pub async fn give(article: &str) -> Receipt;
}

/// Has types of the same names as the shops, one of them equal and recursive, one not.
mod other {
    use super::{Deserialize, JsonSchema};

    #[derive(Deserialize, JsonSchema)]
    pub(super) struct Taken {
        #[serde(rename = "by")]
        _by: String,
    }
}

#[socket(name = "equal_shop", runtime = "python3")]
mod equal_shop {
    use super::other::Taken;
    use super::shop::Receipt;

    #[endpoint("receipt", GET, source = "def main(): return {}")]
    pub async fn receipt() -> Option<Receipt>;

    #[endpoint("receipts", GET, source = "def main(): return []")]
    pub async fn receipts() -> Vec<Receipt>;

    #[endpoint("taken", GET, source = "def main(): return [[]]")]
    pub async fn taken() -> Vec<Taken>;
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

/// The lines of this file in which the texts stand.
fn line_of(text: &str) -> usize {
    let source = include_str!("types.rs");
    source.lines().position(|line| line.trim() == text).map(|index| index + 1).unwrap()
}

/// Writes the types, and the inline scripts of a Rust file with this text.
fn inline(rust: &str, definitions: &str) -> (TempDir, Output) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("rust")).unwrap();
    fs::write(folder.path().join("rust/shop.rs"), rust).unwrap();
    fs::write(folder.path().join("rust/notes.txt"), "not Rust").unwrap();
    let scripts = folder.path().to_str().unwrap();
    let rust = folder.path().join("rust");
    let output =
        syncano_types(&["-", "--scripts", scripts, "--rust", rust.to_str().unwrap()], None, definitions);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, output)
}

#[test]
fn inline_scripts_stand_in_the_lines_of_their_rust_file() {
    let source = include_str!("types.rs");
    let definitions = json!(inline_shop::definition()).to_string();
    let (folder, output) = inline(source, &definitions);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let written = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for (name, line) in [
        ("inline_take.py", r#"raise AppError("OutOfStock", {"left": 3})"#),
        ("inline_give.js", "export default function give({ article }) {"),
    ] {
        let text = written(name);
        let first = text.lines().next().unwrap();
        assert!(first.contains("Made by `syncano types` from `") && first.contains("shop.rs`"), "{first}");
        assert_eq!(text.lines().nth(line_of(line) - 1).map(str::trim), Some(line));
    }
    let stubs = written("__builtins__.pyi");
    assert!(
        stubs.contains(r#"def __init__(self, name: Literal["Negative"], data: None = None) -> None: ..."#),
        "{stubs}"
    );
    assert!(!stubs.contains("name: str, data"), "{stubs}");
    // A second run leaves those that are there, and takes away those that no script stands for.
    fs::rename(folder.path().join("inline_take.py"), folder.path().join("inline_old.py")).unwrap();
    fs::write(folder.path().join("inline_mine.py"), "mine = 1\n").unwrap();
    let scripts = folder.path().to_str().unwrap();
    let rust = folder.path().join("rust/shop.rs");
    let again = ["-", "--scripts", scripts, "--rust", rust.to_str().unwrap()];
    assert!(syncano_types(&again, None, &definitions).status.success());
    assert!(folder.path().join("inline_take.py").exists() && folder.path().join("inline_mine.py").exists());
    assert!(!folder.path().join("inline_old.py").exists());
    // Without the option, or where the text isn't found, it is said that nobody checks the script.
    let empty = TempDir::new().unwrap();
    let output = syncano_types(&["-", "--scripts", empty.path().to_str().unwrap()], None, &definitions);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the script `take` of the socket `inline_shop` isn't checked"), "{said}");
    assert!(said.contains("`--rust src` writes scripts there"), "{said}");
    let (_folder, output) = inline("fn main() {}", &definitions);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nor in a Rust file of") && said.contains("rust`\n"), "{said}");
}

#[test]
fn a_literal_s_lines_are_kept_where_it_has_any() {
    let definition = |source: &str| {
        json!({
            "name": "s",
            "endpoints": {"e": {"calls": [{"type": "script", "name": "f-1", "methods": ["GET"]}]}},
            "dependencies": [
                {"type": "script", "name": "f-1", "runtime_name": "python3", "source": source},
            ],
        })
        .to_string()
    };
    for (rust, source, expected) in [
        // Escapes may stand for line breaks.
        (
            r#"fn f() { g("def main():\n    return 1") }"#,
            "def main():\n    return 1",
            "# Made by `syncano types` from line 1 of `RUST`.\ndef main():\n    return 1\n",
        ),
        // There is no room above.
        (
            r##"const F: &str = r#"print("1")"#;"##,
            r#"print("1")"#,
            "print(\"1\")\n# Made by `syncano types` from `RUST`, with the numbers of its lines.\n",
        ),
        (
            "mod m {\n    // \"\n    const F: &str = \"\n        x = 1\n        print(x)\n    \";\n}\n",
            "x = 1\nprint(x)\n",
            "# Made by `syncano types` from `RUST`, with the numbers of its lines.\n\n\nx = 1\nprint(x)\n",
        ),
    ] {
        let (folder, _) = inline(rust, &definition(source));
        let file = folder.path().join("inline_f_1.py");
        let text = fs::read_to_string(&file).unwrap();
        let path = folder.path().join("rust/shop.rs").display().to_string();
        assert_eq!(text.replace(&path, "RUST"), expected);
        // What it has written it writes again.
        let again = ["-", "--scripts", folder.path().to_str().unwrap(), "--rust", &path];
        assert!(syncano_types(&again, None, &definition(source)).status.success());
    }
}

#[test]
fn the_checkers_find_errors_of_inline_scripts_in_the_lines_of_their_rust_file() {
    let Some(checkers) = checkers() else { return };
    let (source, definition) = (include_str!("types.rs"), json!(inline_shop::definition()).to_string());
    let (folder, _) = inline(source, &definition);
    for (content, said) in [pyright(&checkers, folder.path()), tsc(&checkers, folder.path())] {
        assert!(content, "{said}");
    }
    // The same scripts with slips in the errors that they raise.
    let slips = |text: &str, quote: &str| {
        let quoted = |line: &str| line.replace('"', quote);
        text.replace(
            &quoted(r#"AppError("OutOfStock", {"left": 3}"#),
            &quoted(r#"AppError("OutOfStok", {"left": 3}"#),
        )
        .replace(&quoted(r#"AppError("Negative")"#), &quoted(r#"AppError("Negative", 1)"#))
        .replace(&quoted(r#"AppError("Unknown", ["tea"])"#), &quoted(r#"AppError("Unknown", [1])"#))
        .replace("AppError('OutOfStock', { left: 3 })", "AppError('OutOfStock', { let: 3 })")
        .replace("AppError('Negative')", "AppError('Negativ')")
    };
    let (folder, _) = inline(&slips(source, "\""), &slips(&definition, "\\\""));
    let (content, said) = pyright(&checkers, folder.path());
    assert!(!content, "{said}");
    for line in [
        r#"raise AppError("OutOfStock", {"left": 3})"#,
        r#"raise AppError("Negative")"#,
        r#"raise AppError("Unknown", ["tea"])"#,
    ] {
        assert!(said.contains(&format!("inline_take.py:{}:", line_of(line))), "{line}: {said}");
    }
    let (content, said) = tsc(&checkers, folder.path());
    assert!(!content, "{said}");
    for line in [
        "if (article === 'gold') throw new AppError('OutOfStock', { left: 3 });",
        "if (article === '') throw new AppError('Negative');",
    ] {
        assert!(said.contains(&format!("inline_give.js({},", line_of(line))), "{line}: {said}");
    }
}

/// Each definition may be a file of its own.
#[test]
fn equal_types_of_several_sockets_are_written_once() {
    let folder = TempDir::new().unwrap();
    let mut arguments = vec!["--scripts".to_owned(), folder.path().display().to_string()];
    for (name, socket) in [("a", python_shop::definition()), ("b", equal_shop::definition())] {
        let file = folder.path().join(format!("{name}.json"));
        // With a byte order mark, as some editors write it.
        fs::write(&file, format!("\u{feff}{}", json!(socket))).unwrap();
        arguments.push(file.display().to_string());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = syncano_types(&arguments, None, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stubs = fs::read_to_string(folder.path().join("__builtins__.pyi")).unwrap();
    let classes: Vec<&str> = stubs.lines().filter(|line| line.ends_with("(TypedDict):")).collect();
    let count = |name: &str| classes.iter().filter(|line| line.starts_with(&format!("class {name}"))).count();
    assert_eq!(count("Receipt("), 1, "{stubs}");
    assert_eq!(count("Receipt"), 3, "with the arguments of two functions: {classes:?}");
    // Those that only have the same name are two.
    assert_eq!((count("Taken("), count("Taken2(")), (1, 1), "{classes:?}");
    assert!(stubs.contains("ReceiptResult: TypeAlias = \"Receipt | None\""), "{stubs}");
    assert!(stubs.contains("ReceiptsResult: TypeAlias = \"list[Receipt]\""), "{stubs}");
    assert!(stubs.contains("TakeResult: TypeAlias = \"Receipt\""), "{stubs}");
    assert!(
        stubs.contains("LeftNowArgs") && stubs.contains("    next: NotRequired[Receipt | None]"),
        "{stubs}"
    );
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
