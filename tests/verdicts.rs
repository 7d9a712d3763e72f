//! A script is judged twice: by the macro's parser when the program is compiled, and by the interpreter when the socket
//! is published. The two must agree.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use syncano_core::{Language, Runtime};
use syncano_runner::{Flaw, Runner, Verdict};
use syncano_syntax::javascript;
use syncano_syntax::python::{self, Version};

/// How many files of the machine's Python library are tried, each as it is and with a mistake in it.
const SAMPLE: usize = 150;

/// What people get right, and what they get wrong: the line, if it is wrong.
const SCRIPTS: &[(&str, Option<usize>)] = &[
    ("", None),
    ("def main(x):\n    return x\n", None),
    ("\u{feff}print(ARGS)\r\nprint('x')\r\n", None),
    ("async def main(x):\n    async with x as y:\n        return [await z async for z in y]\n", None),
    ("x = f'{a!r:>{b}} {c=}'\n", None),
    ("match x:\n    case {'a': [1, *rest]}:\n        pass\n", None),
    ("żółw = '\\d'\nprint(żółw)\n", None),
    ("if (n := len(ARGS)) > 1: print(n)\n", None),
    ("def f(a, /, b, *, c=1, **d): nonlocal_ = 1\n", None),
    ("raise SystemExit(3)\n", None),
    ("def main(x)\n    return x\n", Some(1)),
    ("print 'hello'\n", Some(1)),
    ("x = (1,\n     2\ny = 3\n", Some(1)),
    ("x = 1\n  y = 2\n", Some(2)),
    ("def f():\nreturn 1\n", Some(2)),
    ("x = 1\nreturn x\n", Some(2)),
    ("for x in y:\n    pass\nbreak\n", Some(3)),
    ("def f(a, a): pass\n", Some(1)),
    ("def f():\n    await g()\n", Some(2)),
    ("x = 'abc\ny = 1\n", Some(1)),
    ("x = '''abc\ny = 1\n", Some(1)),
    ("x = f'{a b}'\n", Some(1)),
    ("f(1)\nf() = 1\n", Some(2)),
    ("try:\n    pass\nx = 1\n", Some(3)),
    ("import\n", Some(1)),
    ("exec 'x'\n", Some(1)),
    ("try:\n    pass\nexcept A, b:\n    pass\n", Some(3)),
    ("x = 0777\n", Some(1)),
    ("if x:\n\ty = 1\n        z = 2\n", Some(3)),
    ("a = {1: 2, 3}\n", Some(1)),
    ("x = 1 +\n", Some(1)),
    ("else:\n    pass\n", Some(1)),
    ("a\0b", Some(1)),
    ("def f():\n    nonlocal x\n", Some(2)),
    ("def f():\n\tif 1:\n        return 1\n", Some(3)),
    ("try:\n    pass\nexcept:\n    pass\nexcept A:\n    pass\n", Some(3)),
    ("try:\n    pass\nexcept* A:\n    for x in y: break\n", None),
    ("def f():\n    try:\n        pass\n    except* A:\n        return\n", Some(5)),
    ("def f():\n    x = 1\n    def g():\n        print(x)\n        nonlocal x\n", Some(5)),
    ("f'{x:{y:{z}}}'\n", Some(1)),
    ("match x:\n    case f'x':\n        pass\n", Some(2)),
    ("x: int = *a\n", Some(1)),
];

/// The same in JavaScript.
const JAVASCRIPT: &[(&str, Option<usize>)] = &[
    ("", None),
    ("export default ({ name, times = 1 }) => name.repeat(times)\n", None),
    ("export default async function main({ url }) {\n  return (await fetch(url)).json()\n}\n", None),
    (
        "import { createHash } from 'node:crypto'\nexport default ({ text }) => createHash('md5').update(text).digest('hex')\n",
        None,
    ),
    ("const fs = require('fs')\nconsole.log(ARGS.name ?? 'nobody', `${1 + 1}`)\n", None),
    ("export const x = 1\nconst y = await x\n", None),
    ("class A { #x = 1; static { A.y = 2 } get x() { return this.#x } }\n", None),
    ("label: for (const x of []) continue label\n", None),
    ("console.log(/(?<year>\\d{4})/u.test('2016'))\n", None),
    ("with (ARGS) console.log(010)\n", None),
    ("let async = 1; async\n(2)\n", None),
    ("\u{feff}console.log('é')\r\n", None),
    ("export default ({ name }) => {\n  return name +\n}\n", Some(3)),
    ("const a = 1\nconst a = 2\n", Some(2)),
    ("const answer = await fetch('x')\n", None),
    ("console.log(/[\\p{L}--[a-z]]/v)\n", None),
    ("{ using x = y }\n", Some(1)),
    ("return 1\n", Some(1)),
    ("console.log('x\n", Some(1)),
    ("console.log(/(/)\n", Some(1)),
    ("const x = (1, 2;\n", Some(1)),
    ("function f() {\n  break\n}\n", Some(2)),
    ("export default ({ name }: { name: string }) => name\n", Some(1)),
    ("setResponse(<p>hi</p>)\n", Some(1)),
    ("export default 010\n", Some(1)),
    ("export { x }\n", Some(1)),
    ("class A { constructor() {} constructor() {} }\n", Some(1)),
    ("const { a, b = } = ARGS\n", Some(1)),
    ("else { }\n", Some(1)),
    ("x = 1 = 2\n", Some(1)),
    ("for (const x of y) {\n  x.#secret\n}\n", Some(2)),
];

/// A runner that has an interpreter for the language.
fn runner(language: Language) -> Option<Runner> {
    let runner = Runner::builder().max_workers(4).build();
    let problem = match &runner {
        Ok(runner) => match runner.interpreter(language) {
            Ok(_) => return Some(runner.clone()),
            Err(missing) => missing.to_string(),
        },
        Err(error) => error.to_string(),
    };
    assert!(env::var_os("CI").is_none(), "{problem}");
    eprintln!("skipped: {problem}");
    None
}

/// A runner, and the version of its Python as the macro knows it.
fn python_runner() -> Option<(Runner, Version)> {
    let runner = runner(Language::Python)?;
    let python = runner.interpreter(Language::Python).expect("it has one");
    let number: Vec<&str> = python.version().split('.').take(2).collect();
    let version = number.join(".").parse().expect("a version that the macro knows");
    Some((runner, version))
}

async fn flaws(runner: &Runner, runtime: Runtime, sources: &[String]) -> Vec<Option<Flaw>> {
    let scripts: Vec<_> = sources.iter().map(|source| (runtime, source)).collect();
    let verdicts = runner.check(&scripts).await;
    let flaw = |verdict| match verdict {
        Verdict::Sound => None,
        Verdict::Broken(flaw) => Some(flaw),
        Verdict::Unchecked(why) => panic!("{why}"),
    };
    verdicts.into_iter().map(flaw).collect()
}

/// Both verdicts on scripts whose first wrong line is known. `macros` gives the line that the macro's parser tells.
async fn both_agree(
    runner: &Runner,
    runtime: Runtime,
    scripts: &[(&str, Option<usize>)],
    macros: impl Fn(&str) -> Option<usize>,
) {
    let sources: Vec<String> = scripts.iter().map(|(source, _)| (*source).to_owned()).collect();
    let flaws = flaws(runner, runtime, &sources).await;
    let mut wrong = Vec::new();
    for ((source, line), flaw) in scripts.iter().zip(flaws) {
        // An interpreter can't always say where.
        let found = flaw.as_ref().map(|flaw| flaw.line.or(*line));
        if macros(source) != *line || found != line.map(Some) {
            wrong.push(format!("{source:?}: expected {line:?}\n  {:?}\n  {flaw:?}", macros(source)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn both_say_the_same_of_what_people_write() {
    let Some((runner, version)) = python_runner() else { return };
    let macros = |source: &str| python::check(source, version).err().map(|error| error.start.line);
    both_agree(&runner, Runtime::Python3, SCRIPTS, macros).await;
}

#[tokio::test]
async fn both_say_the_same_of_what_people_write_in_javascript() {
    let Some(runner) = runner(Language::JavaScript) else { return };
    let macros = |source: &str| {
        javascript::check(source, javascript::Version::default()).err().map(|error| error.start.line)
    };
    both_agree(&runner, Runtime::NodeJs, JAVASCRIPT, macros).await;
}

#[tokio::test]
async fn both_say_the_same_of_a_library_with_and_without_mistakes() {
    let Some((runner, version)) = python_runner() else { return };
    let mut files = Vec::new();
    for folder in fs::read_dir("/usr/lib").into_iter().flatten().flatten() {
        if folder.file_name().to_string_lossy().starts_with("python3.") {
            collect(&folder.path(), &mut files);
        }
    }
    if files.is_empty() {
        assert!(env::var_os("CI").is_none(), "CI needs Python's library");
        return eprintln!("skipped: there is no /usr/lib/python3.*");
    }
    files.sort();
    let step = files.len().div_ceil(SAMPLE);
    let mut sources: Vec<String> =
        files.iter().step_by(step).filter_map(|path| fs::read_to_string(path).ok()).collect();
    sources.retain(|source| source.len() < 50_000);
    let mistaken: Vec<String> =
        sources.iter().enumerate().map(|(seed, source)| mistake(source, seed)).collect();
    sources.extend(mistaken);
    let (mut sound, mut broken, mut missed) = (0, 0, Vec::new());
    for (source, flaw) in sources.iter().zip(flaws(&runner, Runtime::Python3, &sources).await) {
        match (python::check(source, version), flaw) {
            (Ok(()), None) => sound += 1,
            (Err(_), Some(_)) => broken += 1,
            (Ok(()), Some(flaw)) => missed.push(flaw.message),
            (Err(error), None) => panic!("a false alarm: {error}\n{source}"),
        }
    }
    println!("sound to both: {sound}, broken to both: {broken}, only the interpreter minds: {missed:?}");
    assert!(sound > 20 && broken > 20);
    assert!(missed.len() * 20 <= broken, "{missed:?}");
}

/// The source with one character less, which one the seed decides: never one of a comment's or a blank.
fn mistake(source: &str, seed: usize) -> String {
    let marks: Vec<usize> = source
        .char_indices()
        .filter(|(_, character)| "()[]{}:,'\"=.".contains(*character))
        .map(|(at, _)| at)
        .collect();
    let Some(&at) = marks.get((seed * 7919 + 13) % marks.len().max(1)) else { return "(".to_owned() };
    format!("{}{}", &source[..at], &source[at + 1..])
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}
