//! Scripts made to break the reader: each is answered on the small stack of a thread, in time.

use std::thread;
use std::time::{Duration, Instant};

use syncano_syntax::Diagnostic;
use syncano_syntax::python::{Version, check};

const MANY: usize = 200_000;
/// Unoptimised and beside other tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn verdict(source: String) -> Result<(), Diagnostic> {
    let start = Instant::now();
    let verdict = thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || check(&source, Version::default()))
        .expect("a thread")
        .join()
        .expect("no panic");
    assert!(start.elapsed() < PATIENCE, "took {:?}: {verdict:?}", start.elapsed());
    verdict
}

#[track_caller]
fn assert_refused(source: String, message: &str) {
    let error = verdict(source).expect_err("it is too deep");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn brackets() {
    for bracket in ["(", "[", "{", "[[[[", "f(", "x[", "{1:", "({["] {
        assert_refused(bracket.repeat(MANY), "brackets nest too deep");
    }
    assert_refused("(".repeat(MANY) + &")".repeat(MANY), "brackets nest too deep");
    assert_refused("[x for x in ".repeat(MANY), "brackets nest too deep");
    assert_refused("case [".repeat(MANY), "");
    assert!(verdict("()\n".repeat(MANY)).is_ok());
}

#[test]
fn operators() {
    for operator in
        ["-", "+", "~", "- + ~ ", "not ", "x+", "x**", "x if y else ", "lambda: ", "lambda a, b: "]
    {
        assert_refused(operator.repeat(MANY) + "x", "expression nests too deep");
        assert_refused(format!("({})", operator.repeat(MANY) + "x"), "expression nests too deep");
    }
    for chained in [".a", "()", "[0]", ".a(b, c)", "+x", "@x", " << x"] {
        assert_refused("x".to_owned() + &chained.repeat(MANY), "expression nests too deep");
    }
    assert_refused("await ".repeat(MANY), "");
    assert_refused("x := ".repeat(MANY), "");
    assert_refused("x: ".repeat(MANY), "");
}

#[test]
fn flat_chains_are_no_nesting() {
    let chains = [
        ("x", " and x"),
        ("x", " or x and y"),
        ("x", " < x"),
        ("x", ", x"),
        ("'x'", " 'x'"),
        ("if x: pass\n", "elif x: pass\n"),
        ("", "x = 1; "),
    ];
    for (first, more) in chains {
        let source = first.to_owned() + &more.repeat(MANY / 4);
        assert_eq!(verdict(source), Ok(()), "{more:?}");
    }
    assert_eq!(verdict("@x\n".repeat(MANY / 4) + "def f(): pass\n"), Ok(()));
    assert_eq!(verdict("x = 1\n".repeat(MANY / 4)), Ok(()));
}

#[test]
fn what_is_just_allowed_does_not_overflow() {
    let deep = [
        "x".to_owned() + &"+x".repeat(2_980),
        "x".to_owned() + &".x".repeat(2_980),
        "x".to_owned() + &"()".repeat(2_980),
        "-".repeat(2_980) + "x",
        "lambda: ".repeat(2_980) + "x",
        "x if x else ".repeat(2_980) + "x",
        "(".repeat(200) + &")".repeat(200),
        format!("{}y{}", "[x for x in ".repeat(200), "]".repeat(200)),
        (0..99).map(|level| " ".repeat(level) + "def f():\n").collect::<String>() + &" ".repeat(99) + "pass",
        (0..99).map(|level| " ".repeat(level) + "async def f(x=[x + x for x in y]):\n").collect::<String>()
            + &" ".repeat(99)
            + &"-".repeat(2_800)
            + "x",
    ];
    for source in deep {
        let start: String = source.chars().take(40).collect();
        assert_eq!(verdict(source), Ok(()), "{start}");
    }
}

#[test]
fn indentation() {
    let levels = 2_000;
    let blocks: String = (0..levels).map(|level| " ".repeat(level) + "if x:\n").collect();
    assert_refused(blocks.clone(), "blocks nest too deep");
    // The parser takes up the blocks after it gave up on the bracket.
    assert_refused(format!("(a b\n{blocks}"), "");
    assert_refused("if x: ".repeat(MANY), "");
    assert_refused(format!("(a b\n{}", "if x, y: ".repeat(MANY)), "");
    assert_refused("async ".repeat(MANY), "");
}

#[test]
fn strings() {
    assert_refused("f'{".repeat(MANY), "");
    assert_refused("f\"{f'{".repeat(MANY), "");
    assert_refused("f'{x:{".repeat(MANY), "");
    assert_refused(format!("f'''{}", "{x:".repeat(MANY)), "");
    assert_refused(format!("f'{{ ( \n'''{}", "-".repeat(MANY)), "");
    assert_refused("'".repeat(MANY + 1), "missing closing quote");
    assert_refused("'''".repeat(MANY + 1), "missing closing quote");
    assert_refused("\\\n".repeat(MANY), "");
    assert_refused("\0".repeat(MANY), "null character");
}

#[test]
fn rendering_a_long_line_ends() {
    let source = "x + ".repeat(20_000) + "= 1";
    let error = verdict(source.clone()).expect_err("it is too deep");
    assert!(error.render(&source, "x.py", 1).len() < 2_000);
}
