//! One golden file for each feature of the syntax.

use super::{errors, expand};

/// Expands a module without mistakes, and compares with the golden file.
macro_rules! golden {
    ($name:ident, $attribute:expr, $module:expr $(,)?) => {
        #[test]
        fn $name() {
            let file = expand($attribute, $module);
            assert_eq!(errors(&file), [""; 0]);
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(stringify!($name), prettyplease::unparse(&file));
            });
        }
    };
}

golden!(
    inline_script,
    r#"name = "My_Socket", description = "A test.", runtime = "python3""#,
    r##"
    /// The module.
    pub mod my_socket {
        use super::Item;

        /// Lists items.
        #[endpoint("my_endpoint", GET, source = r#"
            def main(limit=None):
                return []
        "#)]
        pub async fn list_items(limit: Option<u32>) -> Vec<Item>;
    }
    "##,
);

golden!(
    file_script,
    "",
    r#"
    mod files {
        #[endpoint("a", GET, file = "scripts/a.py")]
        pub async fn python() -> String;
        #[endpoint("a", POST, file = "scripts/a.mjs", runtime = "nodejs_v12")]
        pub async fn javascript() -> String;
    }
    "#,
);

golden!(
    methods,
    r#"runtime = "python3""#,
    r#"
    pub mod methods {
        #[endpoint("any", *, source = "1")]
        pub async fn any(text: String);
        #[endpoint("some", PUT, PATCH, source = "1")]
        pub async fn some(text: String);
        #[endpoint("some", DELETE, source = "1", script_name = "remover")]
        pub async fn remove(text: String);
    }
    "#,
);

golden!(
    placements,
    r#"runtime = "python3""#,
    r#"
    pub mod placements {
        #[endpoint("a", POST, source = "1")]
        pub async fn add(#[body] item: &NewItem, #[query] r#type: &str) -> Item;
    }
    "#,
);

golden!(
    typed_error,
    r#"runtime = "python3""#,
    r#"
    pub mod errors {
        #[endpoint("a", GET, source = "1", error = super::StockError<HashMap<String, u32>, i8>)]
        pub async fn take() -> u32;
    }
    "#,
);

golden!(
    attributes,
    r#"runtime = "python3""#,
    r#"
    #[cfg(test)]
    pub(crate) mod attributes {
        #![allow(deprecated)]
        const KEPT: u8 = 1;

        #[endpoint("a", GET, source = "1")]
        #[cfg(unix)]
        #[deprecated(note = "use b")]
        #[allow(clippy::foo)]
        async fn a();
        #[endpoint("a", GET, source = "2", script_name = "other")]
        #[cfg(not(unix))]
        pub(crate) async fn a();
    }
    "#,
);

golden!(
    renamed_crate,
    r#"crate = crate::vendored::syncano, runtime = "python3""#,
    r#"
    pub mod renamed {
        #[endpoint("a", GET, source = "1", error = E)]
        pub async fn a(x: u8);
    }
    "#,
);

golden!(
    raw_identifiers,
    r#"runtime = "python3""#,
    r#"
    pub mod r#loop {
        #[syncano_client::endpoint("a", GET, source = "1")]
        pub async fn r#type(r#match: u8);
    }
    "#,
);

golden!(
    escaped_script,
    r#"runtime = "nodejs""#,
    "
    pub mod quotes {
        #[endpoint(\"a\", GET, source = \"\\n    escape(\\\"hi\\\")\\n\")]
        pub async fn a();
    }
    "
);

golden!(
    every_option,
    r#"runtime = "python3", environment = "science", python = "3.13", config = {"a": 1}, metadata = {"b": [true]}, network = "none",
       classes = {"item": []}"#,
    r#"
    mod options {
        #[endpoint("a", GET, source = "def main(): pass", private, cache = 60, timeout = 5, fresh, config = {"c": null},
                   description = "A.", metadata = {"d": -1}, acl = {"*": []})]
        pub async fn a();
    }
    "#,
);

golden!(
    scripts_by_reference,
    "",
    r#"
    mod references {
        #[endpoint("a", GET, script = 12)]
        pub async fn a();
        #[endpoint("a", POST, script = "a", private = false)]
        pub async fn b();
        #[endpoint("a", PUT, script_endpoint = "Monthly")]
        pub async fn c();
    }
    "#,
);

golden!(
    argument_never_read,
    r#"runtime = "python3""#,
    r#"
    mod unread {
        #[endpoint("a", GET, source = "print(ARGS['x'])")]
        #[allow(deprecated)]
        pub async fn a(x: u8, y: u8);
    }
    "#,
);

#[test]
fn sockets() {
    let tokens = crate::sockets::expand("crate = my::syncano, shop, super::stock,".parse().unwrap());
    let file = syn::parse2(tokens).unwrap();
    assert_eq!(errors(&file), [""; 0]);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("sockets", prettyplease::unparse(&file));
    });
}
