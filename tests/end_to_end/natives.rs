//! What scripts return as their language has it, and what Rust reads: the second table in the documentation is what was seen here.
//! `UPDATE_GOLDEN=1` rewrites it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncano_client::{CallError, Instance, socket};
use syncano_server::FlatNames;

use crate::{World, node, python};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    left: Option<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
}

/// A row: what Rust reads, what Python returns, and what JavaScript returns, as expressions.
struct Row {
    rust: &'static str,
    json: String,
    python: &'static str,
    javascript: &'static str,
}

/// The endpoint, its function and its type for each value, and what is returned for it.
macro_rules! natives {
    ($($endpoint:literal $function:ident: $type:ty = $value:expr, $python:literal, $javascript:literal;)*) => {
        #[socket(name = "natives-python", runtime = "python3")]
        mod in_python {
            use super::*;

            #[endpoint("python_native", POST, source = r#"
                import collections, dataclasses, decimal, enum, ipaddress, pathlib, uuid
                from datetime import date, datetime, time, timedelta, timezone

                @dataclasses.dataclass
                class Item:
                    name: str
                    left: int = None

                class Color(enum.Enum):
                    RED = "red"

                Pair = collections.namedtuple("Pair", "a b")

                def main(code: str):
                    return eval(code)
            "#)]
            pub(crate) async fn python_native(code: &str) -> serde_json::Value;

            $(
                #[endpoint($endpoint, POST, script = "python_native")]
                pub(crate) async fn $function(code: &str) -> $type;
            )*
        }

        #[socket(name = "natives-javascript", runtime = "nodejs_v12")]
        mod in_javascript {
            use super::*;

            #[endpoint("javascript_native", POST, source = r#"
                export default function ({ code }) {
                    return eval(`(${code})`);
                }
            "#)]
            pub(crate) async fn javascript_native(code: &str) -> serde_json::Value;

            $(
                #[endpoint($endpoint, POST, script = "javascript_native")]
                pub(crate) async fn $function(code: &str) -> $type;
            )*
        }

        async fn rows(instance: &Instance) -> Vec<Row> {
            in_python::publish(instance).await.unwrap();
            in_javascript::publish(instance).await.unwrap();
            let python = in_python::Client::new(instance);
            let javascript = in_javascript::Client::new(instance);
            let mut rows = Vec::new();
            $({
                let value: $type = $value;
                assert_is(&value, python.$function($python).await, $python);
                assert_is(&value, javascript.$function($javascript).await, $javascript);
                let json = serde_json::to_string(&value).unwrap();
                rows.push(Row { rust: stringify!($type), json, python: $python, javascript: $javascript });
            })*
            rows
        }
    };
}

fn assert_is<T: PartialEq + Debug>(expected: &T, returned: Result<T, CallError>, code: &str) {
    match returned {
        Ok(value) => assert_eq!(value, *expected, "{code}"),
        Err(error) => panic!("{code}: {error}"),
    }
}

natives! {
    "chrono-utc" chrono_utc: chrono::DateTime<chrono::Utc> = "2016-08-16T11:24:19.5Z".parse().unwrap(),
        "datetime(2016, 8, 16, 11, 24, 19, 500000, timezone.utc)", "new Date(1471346659500)";
    "chrono-offset" chrono_offset: chrono::DateTime<chrono::FixedOffset> = "2016-08-16T11:24:19+02:00".parse().unwrap(),
        "datetime(2016, 8, 16, 11, 24, 19, tzinfo=timezone(timedelta(hours=2)))", "'2016-08-16T11:24:19+02:00'";
    "chrono-date" chrono_date: chrono::NaiveDate = chrono::NaiveDate::from_ymd_opt(2016, 8, 16).unwrap(),
        "date(2016, 8, 16)", "new Date(1471346659500).toISOString().slice(0, 10)";
    "chrono-time" chrono_time: chrono::NaiveTime = chrono::NaiveTime::from_hms_opt(11, 24, 19).unwrap(),
        "time(11, 24, 19)", "'11:24:19'";
    "jiff-timestamp" jiff_timestamp: jiff::Timestamp = jiff::Timestamp::from_str("2016-08-16T11:24:19.5Z").unwrap(),
        "datetime(2016, 8, 16, 11, 24, 19, 500000, timezone.utc)", "new Date(1471346659500)";
    "jiff-date" jiff_date: jiff::civil::Date = jiff::civil::date(2016, 8, 16),
        "date(2016, 8, 16)", "'2016-08-16'";
    "jiff-duration" jiff_duration: jiff::SignedDuration = jiff::SignedDuration::from_millis(-90_500),
        "-timedelta(minutes=1, seconds=30.5)", "'-PT1M30.5S'";
    "uuid" uuid_: uuid::Uuid = uuid::Uuid::from_u128(1),
        "uuid.UUID(int=1)", "'00000000-0000-0000-0000-000000000001'";
    "decimal" decimal_: rust_decimal::Decimal = rust_decimal::Decimal::new(1990, 2),
        "decimal.Decimal('19.90')", "'19.90'";
    "enum" enum_: Color = Color::Red,
        "Color.RED", "'red'";
    "struct" struct_: Item = Item { name: "tea".to_owned(), left: None },
        "Item('tea')", "{ name: 'tea', left: null }";
    "tuple" tuple: (u8, String) = (1, "b".to_owned()),
        "Pair(1, 'b')", "[1, 'b']";
    "set" set: BTreeSet<u8> = BTreeSet::from([1, 2]),
        "{1, 2}", "[...new Set([1, 2])]";
    "map" map: BTreeMap<u32, bool> = BTreeMap::from([(1, true)]),
        "{1: True}", "Object.fromEntries(new Map([[1, true]]))";
    "ip" ip: IpAddr = IpAddr::from([127, 0, 0, 1]),
        "ipaddress.ip_address('127.0.0.1')", "'127.0.0.1'";
    "path" path: PathBuf = PathBuf::from("a/b"),
        "pathlib.Path('a', 'b')", "'a/b'";
}

#[tokio::test]
async fn what_a_script_returns_natively_is_read() {
    if !python() || !node() {
        return;
    }
    let world = World::with(|server| server.flat_names(FlatNames::Alias)).await;
    let mut table =
        String::from("| Rust reads | JSON | Python returns | JavaScript returns |\n|---|---|---|---|\n");
    for Row { rust, json, python, javascript } in rows(&world.instance).await {
        table += &format!("| `{rust}` | `{json}` | `{python}` | `{javascript}` |\n");
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

const BEGIN: &str = "<!-- returned -->\n\n";
const END: &str = "\n<!-- end of returned -->";
