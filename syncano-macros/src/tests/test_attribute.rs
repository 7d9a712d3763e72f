//! `#[syncano_testing::test]`.

use super::errors;

fn expand(attribute: &str, function: &str) -> syn::File {
    let tokens = |text: &str| text.parse().expect("the test's input lexes");
    syn::parse2(crate::test_attribute::expand(tokens(attribute), tokens(function)))
        .expect("the macro writes items")
}

#[test]
fn test_attribute() {
    let written = expand(
        "stock, crate::shop",
        "/// Sells.\n #[ignore] async fn sells(instance: TestInstance) -> Result<()> { Ok(()) }",
    );
    let alone = expand("", "async fn nothing() {}");
    let written = [written, alone].map(|file| prettyplease::unparse(&file)).concat();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("test_attribute", written);
    });
}

#[test]
fn mistakes_are_told_and_the_function_stays() {
    for (attribute, function, told) in [
        ("1 + 1", "async fn f() {}", "name the modules"),
        ("", "fn f() {}", "write `async fn`"),
        ("", "async fn f<T>() {}", "can't be generic"),
        ("", "async fn f(a: A, b: B) {}", "takes the `TestInstance`, or nothing"),
        ("", "async fn f(&self) {}", "no `self`"),
    ] {
        let written = expand(attribute, function);
        let errors = errors(&written);
        assert!(errors.len() == 1 && errors[0].contains(told), "{function}: {errors:?}");
        let named = |item: &syn::Item| matches!(item, syn::Item::Fn(function) if function.sig.ident == "f");
        assert!(written.items.iter().any(named), "{function}");
    }
    assert_eq!(errors(&expand("", "struct S;")), ["`#[syncano_testing::test]` belongs on an `async fn`"]);
}
