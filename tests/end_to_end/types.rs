//! How each Rust type crosses the border: the table in the documentation is what was seen here.
//!
//! Every value goes to a script in Python and to one in JavaScript, in a body and in a query, and comes back. It is the same then,
//! or it was refused; never another one. `UPDATE_GOLDEN=1` rewrites the table.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncano_client::{CallError, Instance, Method, RequestProblem, socket};
use syncano_server::FlatNames;

use crate::{World, node, python};

/// What a script answers: the value that it was given, and how it looks there.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Seen<T> {
    value: T,
    seen: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    #[serde(rename = "leftOver")]
    left: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    more: BTreeMap<String, bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Unit;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Meters(f64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Point(i8, i8);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Tree {
    name: String,
    below: Vec<Tree>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Shape {
    Nothing,
    Circle(f64),
    Line(u8, u8),
    Box { width: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Tagged {
    Nothing,
    Box { width: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "is")]
enum Adjacent {
    Nothing,
    Circle(f64),
    Box { width: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
    Box { width: u8 },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
enum Color {
    Red,
}

/// The endpoint, its function and its type for each value; `table` makes a row of each.
macro_rules! types {
    (
        $group:ident $python:literal $javascript:literal
        $($endpoint:literal $function:ident: $type:ty = $value:expr;)*
    ) => {
        mod $group {
            use super::*;

            #[socket(name = $python, runtime = "python3")]
            mod in_python {
                use super::*;

                #[endpoint("echo", GET, POST, source = r#"
                    def main(**arguments):
                        seen = repr(arguments["value"]) if "value" in arguments else "nothing"
                        return {"value": arguments.get("value"), "seen": seen}
                "#)]
                pub(crate) async fn echo();

                $(
                    #[endpoint($endpoint, GET, POST, script = "echo")]
                    pub(crate) async fn $function(value: &$type) -> Seen<$type>;
                )*
            }

            #[socket(name = $javascript, runtime = "nodejs_v12")]
            mod in_javascript {
                use super::*;

                #[endpoint("echo", GET, POST, source = r#"
                    import { inspect } from 'node:util';

                    export default function (args) {
                        const seen = 'value' in args ? inspect(args.value, { breakLength: Infinity }) : 'nothing';
                        return { value: args.value ?? null, seen };
                    }
                "#)]
                pub(crate) async fn echo();

                $(
                    #[endpoint($endpoint, GET, POST, script = "echo")]
                    pub(crate) async fn $function(value: &$type) -> Seen<$type>;
                )*
            }

            pub(super) async fn rows(instance: &Instance) -> Vec<Row> {
                in_python::publish(instance).await.unwrap();
                in_javascript::publish(instance).await.unwrap();
                let python = in_python::Client::new(instance);
                let javascript = in_javascript::Client::new(instance);
                let mut rows = Vec::new();
                $({
                    let value: $type = $value;
                    let mut seen = Vec::new();
                    seen.push(outcome(&value, python.$function(&value).method(Method::Post).await));
                    seen.push(outcome(&value, python.$function(&value).method(Method::Get).await));
                    seen.push(outcome(&value, javascript.$function(&value).method(Method::Post).await));
                    seen.push(outcome(&value, javascript.$function(&value).method(Method::Get).await));
                    let json = serde_json::to_string(&value).unwrap();
                    rows.push(Row { rust: stringify!($type), json, seen });
                })*
                rows
            }
        }
    };
}

struct Row {
    rust: &'static str,
    json: String,
    /// In Python by POST and by GET, in JavaScript by POST and by GET.
    seen: Vec<String>,
}

/// How a value looked to the script, or why it didn't get there or back.
fn outcome<T: PartialEq + Debug>(sent: &T, came_back: Result<Seen<T>, CallError>) -> String {
    match came_back {
        Ok(Seen { value, seen }) if value == *sent => format!("`{seen}`"),
        Ok(Seen { value, .. }) => format!("{CHANGED} {value:?}"),
        Err(CallError::Api { error, .. }) => format!("refused: {}", error.fields["value"].join(" ")),
        Err(CallError::Mismatch(error)) => format!("refused: {}", error.mismatches[0]),
        Err(CallError::Request { reason: RequestProblem::Argument { source, .. }, .. }) => {
            format!("refused: {source}")
        }
        Err(error) => format!("{CHANGED} {error}"),
    }
}

const CHANGED: &str = "another value came back:";

/// What a query doesn't tell apart, as the documentation says.
const AMBIGUOUS: [(&str, &str); 1] = [("Untagged", r#""3""#)];

types! {
    numbers "numbers-python" "numbers-javascript"
    "bool" bool_: bool = true;
    "u8" u8_: u8 = u8::MAX;
    "i32" i32_: i32 = i32::MIN;
    "usize" usize_: usize = 9_007_199_254_740_991;
    "i64" i64_: i64 = i64::MIN;
    "i64-53" i64_53: i64 = 9_007_199_254_740_993;
    "u64" u64_: u64 = u64::MAX;
    "u128-64" u128_64: u128 = u64::MAX.into();
    "u128" u128_: u128 = u128::MAX;
    "i128" i128_: i128 = i128::MIN;
    "nonzero" nonzero: NonZeroU8 = NonZeroU8::MAX;
    "f32" f32_: f32 = 0.1;
    "f64" f64_: f64 = 0.5;
    "f64-whole" f64_whole: f64 = 2.0;
    "f64-max" f64_max: f64 = f64::MAX;
    "f64-nan" f64_nan: f64 = f64::NAN;
    "f64-inf" f64_inf: Vec<f64> = vec![f64::INFINITY];
}

types! {
    texts "texts-python" "texts-javascript"
    "char" char_: char = 'ß';
    "string" string: String = "a \"b\" \0 😀".to_owned();
    "str" str_: Box<str> = "5".into();
    "cow" cow: Cow<'static, str> = "true".into();
    "unit" unit: () = ();
    "unit-struct" unit_struct: Unit = Unit;
    "none" none: Option<u8> = None;
    "some" some: Option<u8> = Some(3);
    "some-text" some_text: Option<String> = Some("null".to_owned());
    "box" box_: Box<u8> = Box::new(3);
    "arc" arc: Arc<u8> = Arc::new(3);
    "newtype" newtype: Meters = Meters(2.5);
}

types! {
    lists "lists-python" "lists-javascript"
    "tuple-struct" tuple_struct: Point = Point(1, -1);
    "tuple" tuple: (u8, String, Option<bool>) = (1, "2".to_owned(), None);
    "array" array: [u8; 3] = [1, 2, 3];
    "vec" vec_: Vec<String> = vec!["1".to_owned(), "b".to_owned()];
    "vec-none" vec_none: Vec<Option<u8>> = vec![Some(1), None];
    "vec-vec" vec_vec: Vec<Vec<u8>> = vec![vec![1], vec![]];
    "vec-empty" vec_empty: VecDeque<u8> = VecDeque::new();
    "set" set: BTreeSet<u8> = BTreeSet::from([1, 2]);
    "bytes" bytes: Vec<u8> = b"\0\xff".to_vec();
    "bytes-bytes" bytes_bytes: bytes::Bytes = bytes::Bytes::from_static(b"\0\xff");
    "map" map: BTreeMap<String, u8> = BTreeMap::from([("a b".to_owned(), 1)]);
    "map-number" map_number: BTreeMap<u32, bool> = BTreeMap::from([(1, true), (20, false)]);
    "map-enum" map_enum: BTreeMap<Color, u8> = BTreeMap::from([(Color::Red, 1)]);
    "struct" struct_: Item = Item { name: "tea".to_owned(), left: None, note: None };
    "flat" flat: Flat = Flat { id: 1, more: BTreeMap::from([("new".to_owned(), true)]) };
    "tree" tree: Tree = Tree { name: "a".to_owned(), below: vec![Tree { name: "b".to_owned(), below: vec![] }] };
}

types! {
    enums "enums-python" "enums-javascript"
    "shape-unit" shape_unit: Shape = Shape::Nothing;
    "shape-newtype" shape_newtype: Shape = Shape::Circle(1.5);
    "shape-tuple" shape_tuple: Shape = Shape::Line(1, 2);
    "shape-struct" shape_struct: Shape = Shape::Box { width: 3 };
    "tagged-unit" tagged_unit: Tagged = Tagged::Nothing;
    "tagged-struct" tagged_struct: Tagged = Tagged::Box { width: 3 };
    "adjacent-unit" adjacent_unit: Adjacent = Adjacent::Nothing;
    "adjacent-newtype" adjacent_newtype: Adjacent = Adjacent::Circle(1.5);
    "adjacent-struct" adjacent_struct: Adjacent = Adjacent::Box { width: 3 };
    "untagged-number" untagged_number: Untagged = Untagged::Number(3);
    "untagged-text" untagged_text: Untagged = Untagged::Text("3".to_owned());
    "untagged-struct" untagged_struct: Untagged = Untagged::Box { width: 3 };
}

types! {
    others "others-python" "others-javascript"
    "result" result: Result<u8, String> = Err("none".to_owned());
    "value" value_: serde_json::Value = serde_json::json!({"a": [1, null]});
    "duration" duration: Duration = Duration::from_millis(1500);
    "ip" ip: IpAddr = IpAddr::from([127, 0, 0, 1]);
    "url" url_: url::Url = url::Url::parse("https://example.org/").unwrap();
    "uuid" uuid_: uuid::Uuid = uuid::Uuid::nil();
    "chrono-date-time" chrono_date_time: chrono::DateTime<chrono::Utc> = date_time();
    "chrono-date" chrono_date: chrono::NaiveDate = date_time().date_naive();
    "chrono-time" chrono_time: chrono::NaiveTime = date_time().time();
    "jiff-timestamp" jiff_timestamp: jiff::Timestamp = jiff::Timestamp::from_str("2016-08-16T11:24:19.5Z").unwrap();
    "jiff-date" jiff_date: jiff::civil::Date = jiff::civil::date(2016, 8, 16);
    "jiff-duration" jiff_duration: jiff::SignedDuration = jiff::SignedDuration::from_secs(90);
    "rust-decimal" decimal: rust_decimal::Decimal = rust_decimal::Decimal::new(1999, 2);
    "bigdecimal" bigdecimal_: bigdecimal::BigDecimal = bigdecimal::BigDecimal::from_str("0.10").unwrap();
}

fn date_time() -> chrono::DateTime<chrono::Utc> {
    "2016-08-16T11:24:19.5Z".parse().unwrap()
}

#[tokio::test]
async fn a_value_comes_back_as_it_was_or_is_refused() {
    if !python() || !node() {
        return;
    }
    let world = World::with(|server| server.flat_names(FlatNames::Alias)).await;
    let mut table = String::from("| Rust | JSON | Python | JavaScript |\n|---|---|---|---|\n");
    for rows in [
        numbers::rows(&world.instance).await,
        texts::rows(&world.instance).await,
        lists::rows(&world.instance).await,
        enums::rows(&world.instance).await,
        others::rows(&world.instance).await,
    ] {
        for Row { rust, json, seen } in rows {
            let [python, by_get, javascript, javascript_by_get] = seen.as_slice() else {
                panic!("four calls")
            };
            let refused = |cell: &str| cell.starts_with("refused: ");
            for (body, query) in [(python, by_get), (javascript, javascript_by_get)] {
                assert!(!body.starts_with(CHANGED), "{rust} {json}: {body}");
                if AMBIGUOUS.contains(&(rust, &json)) {
                    assert!(query.starts_with(CHANGED), "{rust} {json} isn't ambiguous any more");
                } else {
                    assert!(
                        body == query || (refused(body) && refused(query)),
                        "{rust} {json}: {body}, {query}"
                    );
                }
            }
            table += &format!("| `{rust}` | `{json}` | {python} | {javascript} |\n");
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../syncano-client/src/types.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a table");
    let (documented, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(documented, table, "UPDATE_GOLDEN=1 writes the table into {path}");
    }
}

const BEGIN: &str = "<!-- seen -->\n\n";
const END: &str = "\n<!-- end -->";
