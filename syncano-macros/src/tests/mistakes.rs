//! A mistake costs its own call and nothing else.

use super::{definition, errors, expand, methods};

const PYTHON: &str = r#"runtime = "python3""#;

#[test]
fn a_half_typed_function_keeps_the_rest() {
    let halves = [
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b(",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b(x:",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b(x: u8) ->",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b(x: u8) -> Vec<",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b(x: u8) -> Vec<u8>",
        "#[endpoint(\"b\", GET, source = \"1\")] pub",
        "#[endpoint(\"b\", GET, source = \"1\")]",
        "#[endpoint(\"b\", GET, source =)] pub async fn b();",
        "#[endpoint(\"b\", G)] pub async fn b();",
        "#[endpoint(\"b\",)] pub async fn b();",
        "#[endpoint()] pub async fn b();",
        "#[endpoint] pub async fn b();",
        "pub str",
        "struct",
        "use super::",
    ];
    for half in halves {
        // An editor closes what is open before it asks.
        let half = format!("{half}{}", ")".repeat(half.matches('(').count() - half.matches(')').count()));
        let file = expand(
            PYTHON,
            &format!(
                "pub mod m {{
                    #[endpoint(\"a\", GET, source = \"1\")] pub async fn a() -> u8;
                    {half}
                    #[endpoint(\"c\", GET, source = \"1\")] pub async fn c() -> u8;
                    pub struct Kept;
                    #[endpoint(\"d\", GET, source = \"1\")] pub async fn d() -> u8;
                }}"
            ),
        );
        let methods = methods(&file);
        for name in ["a", "d"] {
            assert!(methods.contains(&name.to_owned()), "{half}: {methods:?}");
            assert!(definition(&file).contains(&format!("call (\"{name}\"")), "{half}");
        }
        // Attributes without an item are taken for those of the next one.
        if half != "#[endpoint(\"b\", GET, source = \"1\")]" {
            assert!(methods.contains(&"c".to_owned()), "{half}: {methods:?}");
        }
        assert!(prettyplease::unparse(&file).contains("pub struct Kept;"), "{half}");
        assert!(!errors(&file).is_empty(), "{half}");
    }
}

#[test]
fn a_wrong_call_keeps_its_method() {
    let wrong = [
        "#[endpoint(\"b\", get, source = \"1\")] pub async fn b() -> u8;",
        "#[endpoint(\"b\", GET, source = \"def\")] pub async fn b() -> u8;",
        "#[endpoint(\"b\", GET)] pub async fn b() -> u8;",
        "#[endpoint(\"b\", GET, source = \"1\")] pub fn b() -> u8;",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b() -> u8 { 1 }",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b() -> u8",
        "#[endpoint(\"B!\", GET, source = \"1\")] pub async fn b() -> u8;",
        "#[endpoint(\"a\", GET, source = \"1\")] pub async fn b() -> u8;",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b(self, (x, y): u8) -> u8;",
        "#[endpoint(\"b\", GET, source = \"1\")] pub async fn b<'a, T>(x: &'a T) -> u8;",
        "pub async fn b() -> u8;",
    ];
    for wrong in wrong {
        let file = expand(
            PYTHON,
            &format!(
                "pub mod m {{
                    #[endpoint(\"a\", GET, source = \"1\")] pub async fn a() -> u8;
                    {wrong}
                    #[endpoint(\"c\", GET, source = \"1\")] pub async fn c() -> u8;
                }}"
            ),
        );
        let mut methods = methods(&file);
        methods.sort();
        assert_eq!(methods, ["a", "b", "c"], "{wrong}");
        assert!(!definition(&file).contains("\"b\""), "{wrong}");
        assert!(!errors(&file).is_empty(), "{wrong}");
    }
}

#[test]
fn every_mistake_is_told_once_and_in_order() {
    let file = expand(
        "nam = \"x\", runtime = \"python4\"",
        "pub mod m {
            #[endpoint(\"a!\", get, sourc = \"1\", file = 5)]
            pub fn a(self, #[query] api_key: String, (x, y): u8);
            #[endpoint(\"b\", GET, source = \"1\", runtime = \"python3\")]
            pub async fn b<T>(#[body] x: T);
            #[endpoint(\"b\", GET, source = \"\", runtime = \"python3\")]
            pub async fn b();
        }",
    );
    let errors = errors(&file);
    let starts = [
        "unknown key `nam`: did you mean `name`?",
        "unknown runtime `python4`: did you mean `python",
        "the endpoint name `a!` can't be used",
        "endpoint `a!`: unknown method `get`: did you mean `GET`?",
        "endpoint `a!`: unknown key `sourc`: did you mean `source`?",
        "endpoint `a!`: `file` is a string",
        "endpoint `a!`: a call goes over the network",
        "endpoint `a!`: the function takes no `self`",
        "endpoint `a!`: `#[query]` puts `api_key` into the query",
        "endpoint `a!`: an argument is a plain name",
        "`b` already answers GET",
        "endpoint `b`: the function can't be generic",
        "endpoint `b`: GET carries no body",
        "GET of the endpoint `b` is already answered by `b`",
        "the script `b` is empty",
        "the function `b` is defined twice",
    ];
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{error}\nshould start with\n{start}\n{errors:#?}");
    }
    assert_eq!(errors.len(), starts.len(), "{errors:#?}");
}

#[test]
fn what_is_no_module_is_left_alone() {
    let file = expand("", "pub struct Item { x: u8 }");
    assert_eq!(errors(&file), ["`#[socket]` belongs on a module: write `#[socket] mod my_socket { … }`"]);
    assert!(prettyplease::unparse(&file).contains("pub struct Item"));
}

#[test]
fn a_module_in_another_file_keeps_the_generated_names() {
    let file = expand("", "pub mod m;");
    assert_eq!(errors(&file).len(), 1);
    assert!(prettyplease::unparse(&file).contains("pub struct Client"));
}

#[test]
fn a_syntax_error_shows_its_place() {
    let file = expand(
        PYTHON,
        "pub mod m {
            #[endpoint(\"echo\", GET, source = \"\\n    def main(text)\\n        return text\\n\")]
            pub async fn a();
        }",
    );
    let errors = errors(&file);
    assert_eq!(errors.len(), 1);
    let expected =
        "the script of endpoint `echo` has a syntax error: expected `:`, found newline\n --> <script>:1:15";
    assert!(errors[0].starts_with(expected), "{}", errors[0]);
}

#[test]
fn outside_a_module_an_endpoint_explains_itself_and_keeps_the_name() {
    let item = "pub async fn a(x: u8) -> u8;".parse().unwrap();
    let file = syn::parse2::<syn::File>(crate::standalone::endpoint(item)).unwrap();
    assert!(
        errors(&file)[0]
            .starts_with("`#[endpoint]` belongs on a function of a module tagged with `#[socket]`")
    );
    assert!(prettyplease::unparse(&file).contains("pub async fn a(x: u8) -> u8 {"));
}

/// What is too large for a case of `tests/ui`.
#[test]
fn limits_are_told() {
    let told = |socket: &str, items: &str| {
        let file = expand(&format!("{PYTHON}, {socket}"), &format!("mod m {{ {items} }}"));
        let errors = errors(&file);
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0].clone()
    };
    let call = |options: &str| format!("#[endpoint(\"a\", GET, {options})] async fn a();");
    let keys = |count| (0..count).map(|key| format!("\"k{key}\": 1")).collect::<Vec<_>>().join(", ");
    let long = "x".repeat(300_000);

    let source = format!("# {}", "x".repeat(3 * 1024 * 1024));
    assert_eq!(
        told("", &call(&format!("source = {source:?}"))),
        "endpoint `a`: the script has 3145730 bytes: at most 3145728 are allowed"
    );
    let fine = call("source = \"1\"");
    let config = |config: &str| told(&format!("config = {{{config}}}"), &fine);
    assert_eq!(config(&keys(1025)), "`config` of the socket has 1025 keys: at most 1024 are allowed");
    assert!(config(&format!("\"k\": {long:?}")).contains("bytes of JSON: at most 262144 are allowed"));
    let metadata = |metadata: &str| told(&format!("metadata = {{{metadata}}}"), &fine);
    assert_eq!(metadata(&keys(65)), "`metadata` of the socket has 65 keys: at most 64 are allowed");
    assert!(metadata(&format!("\"k\": {long:?}")).contains("bytes of JSON: at most 4096 are allowed"));
    assert_eq!(
        told("", &call(&format!("source = \"1\", metadata = {{{}}}", keys(65)))),
        "`metadata` of the endpoint `a` has 65 keys: at most 64 are allowed"
    );
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(
        told("", &call(&format!("source = \"1\", acl = {{\"k\": {deep}}}"))),
        "`acl` of the endpoint `a` has objects and lists 65 levels deep: at most 64 are allowed"
    );
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let functions = (0..101).map(|index| {
        let (endpoint, method) = (index / 5, methods[index % 5]);
        format!("#[endpoint(\"e{endpoint}\", {method}, source = \"1\")] async fn f{index}();")
    });
    assert_eq!(
        told("", &functions.collect::<String>()),
        "the socket has 101 dependencies: at most 100 are allowed: move some to another one"
    );
}
