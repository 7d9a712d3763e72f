//! Scripts are compiled, not run, to say what is wrong with them.

use std::time::{Duration, Instant};

use syncano_core::Runtime::{NodeJs, Python3, Ruby};
use syncano_core::{Language, Runtime};
use syncano_runner::{Flaw, Runner, Verdict};

use crate::support::{neighbour_is_fine, node_or_skip, other_node_is_fine, runner_for, runner_or_skip};

async fn one(runner: &Runner, runtime: Runtime, source: &str) -> Verdict {
    runner.check(&[(runtime, source)]).await.remove(0)
}

async fn flaw(runner: &Runner, runtime: Runtime, source: &str) -> Flaw {
    match one(runner, runtime, source).await {
        Verdict::Broken(flaw) => flaw,
        other => panic!("{other:?}: {source}"),
    }
}

#[tokio::test]
async fn a_python_script_is_sound_or_shows_where_it_is_not() {
    let runner = runner_or_skip!();
    for source in [
        "def main(x):\n    return x\n",
        "print('a')",
        "",
        "async def main():\n    await f()",
        // Not run: these would fail.
        "raise Exception",
        "import nothing.like.this",
        "while True: pass",
        "import os\nos._exit(3)",
        "x = '\\d'",
        "\u{feff}x = 1",
    ] {
        assert_eq!(one(&runner, Python3, source).await, Verdict::Sound, "{source}");
    }
    let at = |flaw: &Flaw| (flaw.line, flaw.column);
    let colon = flaw(&runner, Python3, "import re\n\ndef main(żółw)\n    return 1\n").await;
    assert_eq!(
        colon.to_string(),
        "expected ':' (line 3, column 15)\n  |\n3 | def main(żółw)\n  |               ^"
    );
    // Found by the compiler, not by the parser.
    assert_eq!(at(&flaw(&runner, Python3, "x = 1\nreturn x").await), (Some(2), Some(1)));
    // Some versions count the column from the brace.
    let format = flaw(&runner, Python3, "y = 1\nx = f'abc {a b}'").await;
    assert!(format.line == Some(2) && format.column.is_none_or(|column| column > 10), "{format}");
    assert_eq!(at(&flaw(&runner, Python3, "a\0b").await).0.unwrap_or(1), 1);
    // Whatever the runtime is called, it is Python 3 that runs.
    assert!(flaw(&runner, Runtime::PythonLibraryV4_2, "print 1").await.message.contains("print"));
}

#[tokio::test]
async fn a_javascript_is_sound_or_shows_where_it_is_not() {
    let runner = node_or_skip!();
    for source in [
        "export default async function ({ name }) { return await name }",
        "console.log(ARGS.x)",
        "",
        "#!/usr/bin/env node\n1",
        "import fs from 'node:fs'; console.log(fs)",
        "import nothing from 'nothing'; const x = await nothing();",
        "const x = await 1;\nexport { x };",
        "let a = 1;\nawait a;",
        "for await (const x of []) console.log(x)",
        // Not run.
        "throw new Error()",
        "for (;;);",
        "process.exit(3)",
    ] {
        assert_eq!(one(&runner, NodeJs, source).await, Verdict::Sound, "{source}");
    }
    assert_eq!(
        flaw(&runner, NodeJs, "const a = 1;\n\tconst żółw = = 2;").await.to_string(),
        "Unexpected token '=' (line 2, column 15)\n  |\n2 |  const żółw = = 2;\n  |               ^"
    );
    // A module's, too.
    let module = flaw(&runner, NodeJs, "import fs from 'fs';\n\nexport default ( => 1").await;
    assert_eq!((module.line, module.column), (Some(3), Some(18)), "{module}");
    // `await` in a function that isn't asynchronous.
    let program = flaw(&runner, NodeJs, "let a = 1;\nfunction f() { await a; }").await;
    assert!(program.line == Some(2) && program.message.contains("await"), "{program}");
    assert_eq!(flaw(&runner, NodeJs, "let a;\nlet a;").await.line, Some(2));
    assert_eq!(flaw(&runner, NodeJs, "return 1").await.line, Some(1));
    assert!(flaw(&runner, NodeJs, "const x: number = 1;").await.message.contains("const"));
}

#[tokio::test]
async fn many_are_checked_together_each_once() {
    let runner = runner_or_skip!();
    let mut scripts: Vec<(Runtime, String)> =
        (0..100).map(|n| (Python3, format!("def main(x):\n    return x + {n}"))).collect();
    scripts[41].1 = "def main(x)\n".to_owned();
    scripts[99] = scripts[41].clone();
    scripts[98] = (Ruby, "puts".to_owned());
    let start = Instant::now();
    let verdicts = runner.check(&scripts).await;
    println!("100 new scripts: {:?}", start.elapsed());
    for (index, verdict) in verdicts.iter().enumerate() {
        match index {
            41 | 99 => assert!(matches!(verdict, Verdict::Broken(_)), "{verdict:?}"),
            98 => assert!(matches!(verdict, Verdict::Unchecked(why) if why.contains("ruby")), "{verdict:?}"),
            _ => assert_eq!(*verdict, Verdict::Sound),
        }
    }
    assert_eq!(runner.checked_before(Python3, &scripts[0].1), Some(Verdict::Sound));
    assert_eq!(runner.checked_before(Python3, "something else"), None);
    // Known now: no process is needed any more.
    runner.shutdown().await;
    assert_eq!(runner.check(&scripts).await, verdicts);
    let unknown = one(&runner, Python3, "print('new')").await;
    assert!(matches!(&unknown, Verdict::Unchecked(why) if why.contains("shutting down")), "{unknown:?}");
}

/// Sources that break compilers, or take them very long.
fn hostile() -> Vec<String> {
    vec![
        format!("{}1{}", "(".repeat(12_000), ")".repeat(12_000)),
        format!("x = {}1", "-".repeat(200_000)),
        format!("x = {}", "[".repeat(3 << 20)),
        "x=".repeat(1 << 20) + "1",
        "a.".repeat(1 << 20) + "a",
        format!("x = 1{}", "+1".repeat(1 << 20)),
        "\0".repeat(3 << 20),
        "\u{feff}".repeat(1 << 20),
        "\n".repeat(3 << 20) + ")",
    ]
}

#[tokio::test]
async fn what_breaks_a_compiler_breaks_nothing_else() {
    for (language, runtime) in [(Language::Python, Python3), (Language::JavaScript, NodeJs)] {
        let Some(runner) = runner_for(language, |settings| settings) else { return };
        let sound = if language == Language::Python { "def main(): pass" } else { "const a = () => 1" };
        let mut scripts: Vec<(Runtime, String)> =
            hostile().into_iter().map(|source| (runtime, source)).collect();
        scripts.insert(1, (runtime, sound.to_owned()));
        scripts.push((runtime, format!("{sound};1")));
        let others = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match language {
                Language::Python => neighbour_is_fine(&runner).await,
                _ => other_node_is_fine(&runner).await,
            }
            // Another check isn't held up by it.
            one(&runner, runtime, "1").await
        };
        let start = Instant::now();
        let (verdicts, other) = tokio::join!(runner.check(&scripts), others);
        println!("{language}: {:?}", start.elapsed());
        assert_eq!(other, Verdict::Sound);
        for ((_, source), verdict) in scripts.iter().zip(&verdicts) {
            let start: String = source.chars().take(8).collect();
            match verdict {
                Verdict::Sound => println!("  {start:?}: sound"),
                Verdict::Broken(flaw) => {
                    println!("  {start:?}: {flaw}");
                    assert!(flaw.to_string().len() < 1000 && source.len() > 100, "{flaw}");
                }
                Verdict::Unchecked(why) => panic!("{start:?}: {why}"),
            }
        }
        assert_eq!((&verdicts[1], &verdicts[scripts.len() - 1]), (&Verdict::Sound, &Verdict::Sound));
        // The first, by both: too deeply nested.
        assert!(
            matches!(&verdicts[0], Verdict::Broken(flaw) if flaw.message.contains("nested")),
            "{:?}",
            verdicts[0]
        );
    }
}

#[tokio::test]
async fn a_missing_interpreter_says_nothing_about_a_script() {
    let runner = runner_or_skip!(|settings| settings.node("/nonexistent/node"));
    let verdicts = runner.check(&[(NodeJs, "("), (Python3, "(")]).await;
    assert!(matches!(&verdicts[0], Verdict::Unchecked(why) if why.contains("nonexistent")), "{verdicts:?}");
    assert!(matches!(&verdicts[1], Verdict::Broken(_)), "{verdicts:?}");
}
