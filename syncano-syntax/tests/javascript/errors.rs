//! Every kind of error, with its place.

use syncano_syntax::javascript::{Version, check};

#[track_caller]
fn assert_errors(cases: &[(&str, &str)]) {
    let found: Vec<(&str, String)> = cases
        .iter()
        .map(|(source, _)| {
            (
                *source,
                check(source, Version::default()).err().map_or("none".to_owned(), |error| error.to_string()),
            )
        })
        .collect();
    let expected: Vec<(&str, String)> =
        cases.iter().map(|(source, text)| (*source, (*text).to_owned())).collect();
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn grammar() {
    assert_errors(&[
        ("x = = 1", "1:5: unexpected `=`"),
        ("x = 1 +\n", "1:8: unexpected end of the script"),
        ("x = 1)\n", "1:6: unexpected `)`"),
        ("function () {}", "1:10: expected function name"),
        ("function f( {}", "1:11: `(` was never closed"),
        ("if x { }", "1:4: expected `(` but found `x`"),
        ("x = [1 2]\n", "1:8: expected `,` or `]` but found `2`"),
        ("x = { a: 1\n  b: 2 }\n", "2:3: expected `,` or `}` but found `b`"),
        ("a b", "1:3: expected a semicolon or a new line before `b`"),
        ("let 1 = 2", "1:5: unexpected `1`"),
        ("1 = x", "1:1: cannot assign to this expression"),
        ("x + 1 = 2", "1:1: cannot assign to this expression"),
        ("const x", "1:7: missing initializer in const declaration"),
        ("const { x }", "1:7: missing initializer in destructuring declaration"),
        ("try { }", "1:8: missing catch or finally clause"),
        ("else { }", "1:1: unexpected `else`"),
        ("x = 'abc\n", "1:5: unterminated string"),
        ("x = `abc\n", "1:5: unterminated template"),
        ("/* abc\n", "1:1: unterminated multiline comment"),
        ("x = /abc\n", "1:5: unterminated regular expression"),
        ("x = 1__0", "1:7: invalid character `_`"),
        ("x = 3abc", "1:6: invalid characters after number"),
        ("x = '\\u{zz}'", "1:6: invalid escape sequence"),
        ("class { }", "1:1: a class name is required"),
        ("for (const x of y z) {}", "1:19: expected `)` but found `z`"),
        ("a ?? b || c", "1:1: logical expressions and coalesce expressions cannot be mixed"),
        (
            "-1 ** 2",
            "1:1: a unary expression with the `-` operator cannot be used as the left operand of an exponentiation expression",
        ),
        ("x = @", "1:6: unexpected end of the script"),
        ("x = #y", "1:7: expected `in` but found the end of the script"),
        ("(a, b) => { } / 2", "1:15: expected a semicolon or a new line before `/`"),
        ("enum", "1:1: unexpected `enum`"),
        ("<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b", "1:1: a conflict of a merge is left: resolve it"),
    ]);
}

#[test]
fn targets() {
    assert_errors(&[
        ("f() &&= 1", "1:1: cannot assign to this expression"),
        ("f?.() = 1", "1:1: cannot assign to this expression"),
        ("new f() = 1", "1:1: cannot assign to this expression"),
        ("[f()] = 1", "1:2: cannot assign to this expression"),
        ("const let = 1", "1:7: `let` cannot be declared as a variable name inside of a `const` declaration"),
        (
            "const x = 1, let = 1",
            "1:14: `let` cannot be declared as a variable name inside of a `const` declaration",
        ),
    ]);
}

#[test]
fn places() {
    assert_errors(&[
        (
            "return 1",
            "1:1: `return` outside of a function: a script prints its answer, or calls `setResponse`",
        ),
        ("function f() { await g() }", "1:16: `await` is only valid in async functions and at the top level"),
        (
            "export default () => { await g() }",
            "1:24: `await` is only valid in async functions and at the top level",
        ),
        (
            "export const x = 1\nreturn x",
            "2:1: `return` outside of a function: a script prints its answer, or calls `setResponse`",
        ),
        ("break", "1:1: `break` outside of a loop or `switch`"),
        ("continue", "1:1: `continue` outside of a loop"),
        ("a: { b: { break c } }", "1:17: no label `c` around it"),
        ("function f() { yield 1 }", "1:16: a `yield` expression is only allowed in a generator body"),
        ("new.target", "1:1: `new.target` outside of a function"),
        (
            "super.x",
            "1:1: `super` can only be referenced in members of derived classes or object literal expressions",
        ),
        ("function f() { import x from 'y' }", "1:16: `import` can only stand at the top level of a script"),
        ("function f() { export const x = 1 }", "1:16: `export` can only stand at the top level of a script"),
        ("let x = 1\nlet x = 2", "2:5: `x` has already been declared"),
        ("const x = 1\nvar x = 2", "2:5: `x` has already been declared"),
        ("import x from 'y'\nconst x = 1", "2:7: `x` has already been declared"),
        ("export const x = 1\nexport { x }", "2:10: duplicated export `x`"),
        ("export { x }", "1:10: export `x` is not defined"),
        ("export default 1\nexport default 2", "2:8: a module cannot have multiple default exports"),
        ("'use strict'; with (x) {}", "1:15: `with` is not allowed in strict mode, which modules are in"),
        (
            "export default 010",
            "1:16: octal numbers and escapes are not allowed in strict mode, which modules are in: write `0o…`",
        ),
        ("function f(a, a) { 'use strict' }", "1:15: `a` has already been declared"),
        ("(a, a) => 1", "1:5: `a` has already been declared"),
        ("class A { #x; #x }", "1:15: `#x` has already been declared"),
        (
            "class A { constructor() {} constructor() {} }",
            "1:28: multiple constructor implementations are not allowed",
        ),
        ("x.#y", "1:3: private identifier `#y` is not allowed outside class bodies"),
        ("class A { constructor() { super() } }", "1:27: `super` can only be referenced in a derived class"),
        ("delete x; export {}", "1:8: delete of an unqualified identifier in strict mode"),
        ("@dec class A {}", "1:1: decorators are no part of Node's JavaScript: call the function instead"),
        (
            "class A { accessor x = 1 }",
            "1:11: `accessor` is no part of Node's JavaScript: write a getter and a setter",
        ),
    ]);
}

#[test]
fn regular_expressions() {
    assert_errors(&[
        ("x = /(/", "1:6: invalid regular expression: unterminated capturing group"),
        ("x = /[b-a]/", "1:8: invalid regular expression: character class atom range out of order"),
        ("x = /a/gg", "1:9: flag `g` is mentioned twice in regular expression literal"),
        ("x = /a/q", "1:8: unexpected flag `q` in regular expression literal"),
        ("x = /\\u{110000}/u", "1:7: invalid regular expression: invalid unicode escape sequence"),
        ("x = /(?<n>a)(?<n>b)/", "1:16: invalid regular expression: duplicated capturing group names"),
        ("x = /a**/", "1:8: invalid regular expression: invalid braced quantifier"),
    ]);
}

#[test]
fn brackets() {
    assert_errors(&[
        ("f(1, 2\nconst x = 1\n", "1:2: `(` was never closed"),
        ("f(1, 2\n", "1:2: `(` was never closed"),
        ("x = [1, 2\nreturn x", "1:5: `[` was never closed"),
        ("x = { a: 1,\nif (x) {}", "1:5: `{` was never closed"),
        ("function f() {\n  if (x) {\n    y()\n}\n", "1:14: `{` was never closed"),
        ("export default ({ name }) => {\n  return `hi ${name`\n}", "2:20: unterminated template"),
        ("x = (a]", "1:7: `]` does not close `(`"),
        ("x = f(a}\n", "1:8: `}` does not close `(`"),
        ("if (x) {\n  f(1, [2)\n}", "2:8: `[` was never closed"),
        ("x = `a ${b", "1:8: `${` was never closed"),
        ("f(", "1:2: `(` was never closed"),
        ("}", "1:1: unexpected `}`"),
    ]);
}

#[test]
fn other_languages() {
    assert_errors(&[
        (
            "export default ({ name }: { name: string }) => name",
            "1:25: this is TypeScript: `: { name: string }` is a type annotation, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "const x: number = 1",
            "1:8: this is TypeScript: `: number` is a type annotation, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "function f(x?) {}",
            "1:12: this is TypeScript: `x?` is an optional parameter, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "function f<T>(x) { return x }",
            "1:11: this is TypeScript: `<T>` is a list of type parameters, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "x = y as string",
            "1:7: this is TypeScript: `as string` is a type assertion, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "x = y satisfies Z",
            "1:7: this is TypeScript: `satisfies Z` is a check of types, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "x = y!.z",
            "1:6: this is TypeScript: `!` is an assertion, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "f<string[]>(x)",
            "1:2: this is TypeScript: `<string[]>` is a list of type arguments, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "interface Item { name: string }",
            "1:1: this is TypeScript: `interface Item` is an interface, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "type Item = { name: string }",
            "1:1: this is TypeScript: `type Item` is a type, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "enum Colour { Red }",
            "1:1: this is TypeScript: `enum Colour` is an enumeration, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "namespace A { const x = 1 }",
            "1:1: this is TypeScript: `namespace A` is a namespace, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "import type { X } from 'y'",
            "1:1: this is TypeScript: `import type { X } from 'y'` is an import of types, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "import fs = require('fs')",
            "1:1: this is TypeScript: `import fs = require('fs')` is an import, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "class A { private x = 1 }",
            "1:11: this is TypeScript: `private x = 1` is a property with modifiers, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "class A { constructor(private x) {} }",
            "1:23: this is TypeScript: `private` is a modifier, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "class A implements B {}",
            "1:20: this is TypeScript: `B` is an interface that the class implements, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "abstract class A {}",
            "1:1: this is TypeScript: `abstract` is a class of types, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "declare const x",
            "1:1: this is TypeScript: `declare` is a declaration of types, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "x = <div a={1}>hi</div>",
            "1:5: this is JSX: `<div a={1}>` is an element, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        (
            "x = <>hi</>",
            "1:5: this is JSX: `<>` is an element, and Node runs scripts as JavaScript: remove it, or compile the script first",
        ),
        // Wrong in both.
        ("const x: number = = 1", "1:7: missing initializer in const declaration"),
    ]);
}
