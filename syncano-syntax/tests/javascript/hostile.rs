//! Scripts made to break the reader: each is answered on the small stack of a thread, in time.

use std::thread;
use std::time::{Duration, Instant};

use syncano_syntax::Diagnostic;
use syncano_syntax::javascript::{Version, check};

const MANY: usize = 200_000;
/// Unoptimised and beside other tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn verdict(source: String) -> Result<(), Diagnostic> {
    let start = Instant::now();
    let beginning: String = source.chars().take(60).collect();
    let verdict = thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || check(&source, Version::default()))
        .expect("a thread")
        .join()
        .expect("no panic");
    assert!(start.elapsed() < PATIENCE, "{beginning}: took {:?}: {verdict:?}", start.elapsed());
    verdict
}

#[track_caller]
fn assert_refused(source: String, message: &str) {
    let beginning: String = source.chars().take(60).collect();
    let error = verdict(source).expect_err(&beginning);
    assert!(error.message.contains(message), "{beginning}: {error}");
}

#[test]
fn brackets() {
    for bracket in
        ["(", "[", "[[[[", "f(", "x[", "({a:", "x=>(", "(x=(", "`${", "function f(){", "class A{a(){", "{"]
    {
        assert_refused(bracket.repeat(MANY), "brackets nest too deep");
    }
    assert_refused("(".repeat(12_000) + "1" + &")".repeat(12_000), "brackets nest too deep");
    assert!(verdict("();\n".replace("()", "(1)").repeat(MANY / 4)).is_ok());
}

#[test]
fn operators() {
    for operator in [
        "!",
        "- ",
        "~",
        "typeof ",
        "new ",
        "x+",
        "x**",
        "x?y:",
        "x=>",
        "async x=>",
        "x=",
        "x&&",
        "x??",
        "void ",
        "x,y=>",
        "a ? b : ",
    ] {
        // A comma starts over, and what follows it is a function in the next.
        let message = if operator.contains(',') { "" } else { "expression nests too deep" };
        if message.is_empty() {
            verdict(operator.repeat(MANY / 10) + "x").ok();
            continue;
        }
        assert_refused(operator.repeat(MANY) + "x", message);
        assert_refused(format!("({})", operator.repeat(MANY) + "x"), message);
    }
    for chained in
        [".a", "()", "[0]", "?.a", ".a(b, c)", "+x", "``", " in x", " instanceof x", "\nin x", "\n+x", "\n.a"]
    {
        assert_refused("x".to_owned() + &chained.repeat(MANY), "expression nests too deep");
    }
}

#[test]
fn statements() {
    for statement in [
        "if(a)",
        "if(a)b;else ",
        "if(a){}else ",
        "if(a)b,c;else ",
        "for(;;)",
        "while(a)",
        "do ",
        "do{}while(a)if(b)",
        "if(a)\n",
        "else\n",
        "with(a)\n",
    ] {
        let error = verdict(statement.repeat(MANY) + "x").expect_err(statement);
        assert!(!error.message.is_empty());
    }
    assert_refused((0..MANY).map(|number| format!("l{number}:")).collect::<String>() + "x", "nests too deep");
    assert_refused("x=class extends ".repeat(MANY), "");
    assert_refused("x=".to_owned() + &"class extends ".repeat(MANY), "nests too deep");
    assert_refused("x=".to_owned() + &"class A\nextends ".repeat(MANY), "nests too deep");
}

#[test]
fn flat_chains_are_no_nesting() {
    let chains = [
        ("x", ", x"),
        ("", "x = 1;"),
        ("", "x = 1\n"),
        ("", "if (a) b(); else c();"),
        ("", "if(a){b}"),
        ("", "function f(){}"),
        ("", "for(;;)x;"),
        ("", "while(a)x;"),
        ("", "do x; while(a);"),
        ("", "x = a ? b : c;"),
        ("", "x = y => y + 1\n"),
    ];
    for (first, more) in chains {
        let source = first.to_owned() + &more.repeat(MANY / 8);
        let verdict = verdict(source).map_err(|error| error.message);
        assert!(!verdict.is_err_and(|message| message.contains("too deep")), "{more:?}");
    }
    let inside = |open: &str, item: &str, close: &str| open.to_owned() + &item.repeat(MANY / 8) + close;
    for source in [
        inside("x = [", "a ? b : c,", "]"),
        inside("x = {", "a: b + c,", "}"),
        inside("x = {", "a() { return b },", "}"),
        inside("class A {", "a() {}\n", "}"),
        inside("class A {", "a(){}", "}"),
        inside("class A {", "a = 1\n", "}"),
        inside("switch (x) {", "case 1:", "}"),
        inside("switch (x) {", "case 1: f(); break;", "}"),
        inside("x = `", "${a + b}", "`"),
        inside("f(", "x => x,", ")"),
    ] {
        assert_eq!(verdict(source).map_err(|error| error.to_string()), Ok(()));
    }
}

#[test]
fn what_is_just_allowed_does_not_overflow() {
    let many = 9_900;
    let deep = [
        "x".to_owned() + &"+x".repeat(many),
        "x".to_owned() + &".x".repeat(many),
        "x".to_owned() + &"[0]".repeat(many),
        "x".to_owned() + &"()".repeat(many),
        "!".repeat(many) + "x",
        "x=>".repeat(many) + "x",
        "x**".repeat(many) + "x",
        "x = ".repeat(many) + "x",
        "new ".repeat(many) + "x",
        "if(x)".repeat(many / 2) + "x",
        "for(;;)".repeat(many / 2) + "x",
        "if(x)x;else ".repeat(many / 3) + "x",
        "a?b:".repeat(many / 2) + "c",
        format!("x={}{}", "class extends ".repeat(many / 4), "{}").replace("extends {}", "extends x{}")
            + &"{}".repeat(many / 4 - 1),
        "(".repeat(256) + "x" + &")".repeat(256),
        "({a=".repeat(128) + "x" + &"})=>x".repeat(128),
        "({a(){".repeat(85) + "x" + &"}})".repeat(85),
        "`${".repeat(256) + "x" + &"}`".repeat(256),
        format!("/{}x{}/", "(".repeat(256), ")".repeat(256)),
        "class A{static{".repeat(128) + &"}}".repeat(128),
    ];
    for source in deep {
        let start: String = source.chars().take(40).collect();
        assert_eq!(verdict(source).map_err(|error| error.to_string()), Ok(()), "{start}");
    }
}

#[test]
fn text() {
    for piece in [
        "'", "`", "\\", "/*", "//\n", "#!", "<!--", "\0", "/", "/[", "${", "}", ")", "=>", "?.", "async ",
        "await ", "yield ", "import ", "export ", "@", "#", "0x", "1e", "\u{2028}", "<a>", "<a", "a<b>(",
        "x<",
    ] {
        verdict(piece.repeat(MANY / 10)).ok();
        verdict(format!("x = ( {}", piece.repeat(MANY / 10))).ok();
    }
    assert_refused(format!("/{}", "(".repeat(MANY)), "nests too deep");
    assert_refused(format!("({}\n'''{}", "(a b\n", "-".repeat(MANY)), "");
}

#[test]
fn types() {
    for piece in [
        "a<",
        "a<(",
        "a<(b: ",
        "a<{b: ",
        "(a: ",
        "(a?: ",
        "a ? (b) : ",
        "a ? (b): c => ",
        "<T>(a: ",
        "<T,>(",
        "a as ",
        "a<b>(",
        "x = <T>",
        "type T = ",
        "A extends B ? ",
        "[a: ",
        "`${",
        "new () => ",
        "<a b={",
        "<a>",
        "f<T>(a, b => ",
    ] {
        for count in [5, 10, 15, 20, 25, 30, 40, 100, MANY / 10] {
            verdict(piece.repeat(count)).ok();
            verdict(format!("let x: {} = = 1", piece.repeat(count))).ok();
        }
    }
}

#[test]
fn rendering_a_long_line_ends() {
    let source = "x + ".repeat(20_000) + "= 1";
    let error = verdict(source.clone()).expect_err("it is too deep");
    assert!(error.render(&source, "x.js", 1).len() < 2_000);
}
