//! Programs that were built with another contract than the one that is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncano_client::{CallError, Instance, Method, Runtime, Socket, socket};

use crate::{World, python};

#[derive(Debug, Serialize, Deserialize, JsonSchema, PartialEq)]
struct Item {
    name: String,
    left: Option<u32>,
}

/// What the program was built with.
mod built {
    use super::{Item, socket};

    #[socket(name = "stock", runtime = "python3")]
    pub(super) mod stock {
        use super::Item;

        #[endpoint("items", GET, source = "def main(limit=1): return [{'name': 'tea', 'left': 3}][:limit]")]
        pub async fn items(limit: Option<u32>) -> Vec<Item>;

        #[endpoint("items", POST, source = "def main(name): return name")]
        pub async fn add(name: &str) -> String;

        #[endpoint("count", GET, source = "def main(): return 1")]
        pub async fn count() -> u32;
    }
}

/// What others have published meanwhile.
mod published {
    use super::socket;
    use schemars::JsonSchema;
    use serde::Deserialize;

    /// Has a field more, and `left` is always there.
    #[derive(Debug, Deserialize, JsonSchema)]
    pub(super) struct Item {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "left")]
        _left: u32,
        #[serde(rename = "price")]
        _price: u32,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    pub(super) struct Nameless {
        #[serde(rename = "name")]
        _name: Option<String>,
    }

    /// Takes more and answers less: whoever is built with the other can go on.
    #[socket(name = "stock", runtime = "python3")]
    pub(super) mod wider {
        use super::Item;

        #[endpoint(
            "items",
            GET,
            source = "def main(limit=1, page=0): return [{'name': 'tea', 'left': 3, 'price': 9}]"
        )]
        pub async fn items(limit: Option<u64>, page: Option<u32>) -> Vec<Item>;

        #[endpoint("items", POST, source = "def main(name, count=1): return name * count")]
        pub async fn add(name: &str, count: Option<u32>) -> String;
    }

    /// Another argument is needed, and a name may be missing.
    #[socket(name = "stock", runtime = "python3")]
    pub(super) mod other {
        use super::Nameless;

        #[endpoint("items", GET, source = "def main(limit=1): return [{}]")]
        pub async fn items(limit: Option<u32>) -> Vec<Nameless>;

        #[endpoint("items", POST, source = "def main(name, count): return name * count")]
        pub async fn add(name: &str, count: u32) -> String;
    }

    /// One method and one endpoint less.
    #[socket(name = "stock", runtime = "python3")]
    pub(super) mod fewer {
        #[endpoint("items", POST, source = "def main(name): return name")]
        pub async fn add(name: &str) -> String;
    }
}

/// How often the endpoint's scripts have run.
async fn runs(instance: &Instance, endpoint: &str) -> usize {
    let socket = instance.socket("stock").await.unwrap().unwrap();
    let endpoint = socket.endpoint(endpoint).await.unwrap().unwrap();
    endpoint.traces().await.unwrap().len()
}

/// What the error says; the place first, if it has one.
#[track_caller]
fn mismatch<T: std::fmt::Debug>(answer: Result<T, CallError>) -> (Option<String>, String) {
    match answer {
        Err(CallError::ContractMismatch(mismatch)) => (mismatch.pointer(), mismatch.to_string()),
        other => panic!("{other:?}"),
    }
}

const WAY_OUT: &str = "; nothing ran: publish the socket, or build the program with what is published";

#[tokio::test]
async fn the_same_contract_is_called_at_once() {
    if !python() {
        return;
    }
    let world = World::new().await;
    built::stock::publish(&world.instance).await.unwrap();
    let api = built::stock::Client::new(&world.instance);
    assert_eq!(api.add("tea").await.unwrap(), "tea");
    assert_eq!(api.items(None).await.unwrap(), [Item { name: "tea".to_owned(), left: Some(3) }]);
    assert_eq!(runs(&world.instance, "items").await, 2);
}

#[tokio::test]
async fn a_contract_that_fits_is_called_and_its_script_runs_once() {
    if !python() {
        return;
    }
    let world = World::new().await;
    // Without a key, too.
    let api = built::stock::Client::new(&world.stranger());
    published::wider::publish(&world.instance).await.unwrap();
    for times in 1..3 {
        assert_eq!(api.items(Some(1)).await.unwrap()[0].left, Some(3));
        assert_eq!(runs(&world.instance, "items").await, times);
    }
    // What was found to fit is published no longer; what is now, fits too.
    built::stock::publish(&world.instance).allow_breaking(true).await.unwrap();
    assert_eq!(api.items(Some(1)).await.unwrap().len(), 1);
    published::wider::publish(&world.instance).allow_breaking(true).await.unwrap();
    assert_eq!(api.add("tea").await.unwrap(), "tea");
    assert_eq!(runs(&world.instance, "items").await, 4);
}

#[tokio::test]
async fn arguments_and_results_that_do_not_fit_are_told_before_anything_runs() {
    let world = World::new().await;
    published::other::publish(&world.instance).await.unwrap();
    let api = built::stock::Client::new(&world.instance);
    assert_eq!(
        mismatch(api.add("tea").await),
        (
            Some("/count".to_owned()),
            format!(
                "`stock/items` is not what this program was built for: what POST sends is refused: \
                 at /count: may be missing, and is required{WAY_OUT}"
            )
        )
    );
    assert_eq!(
        mismatch(api.items(None).await),
        (
            Some("/*/name".to_owned()),
            format!(
                "`stock/items` is not what this program was built for: what GET may answer isn't expected: \
                 at /*/name: may be `null`, and must be a text{WAY_OUT}"
            )
        )
    );
    assert_eq!(runs(&world.instance, "items").await, 0);
}

#[tokio::test]
async fn endpoints_and_methods_that_are_gone_are_told() {
    if !python() {
        return;
    }
    let world = World::new().await;
    published::fewer::publish(&world.instance).await.unwrap();
    let api = built::stock::Client::new(&world.instance);
    assert_eq!(api.add("tea").await.unwrap(), "tea");
    let (pointer, said) = mismatch(api.items(None).await);
    assert_eq!(
        (pointer, said),
        (
            None,
            format!("`stock/items` is not what this program was built for: it doesn't answer GET{WAY_OUT}")
        )
    );
    let (_, said) = mismatch(api.count().await);
    assert_eq!(
        said,
        format!("`stock/count` is not what this program was built for: there is no such endpoint{WAY_OUT}")
    );
    // An instance that isn't there is another matter.
    let elsewhere = built::stock::Client::new(&world.client.instance("nowhere"));
    assert!(matches!(elsewhere.count().await, Err(CallError::Api { .. })));
}

/// Plain callers name no contract, and endpoints without schemas have none.
#[tokio::test]
async fn without_a_contract_nothing_is_compared() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = Socket::builder("stock")
        .script("count", Runtime::Python3, "def main(): return 7")
        .call("count", "count", [Method::Get])
        .build()
        .unwrap();
    world.instance.publish(&socket).await.unwrap();
    assert_eq!(built::stock::Client::new(&world.instance).count().await.unwrap(), 7);

    let published = published::other::publish(&world.instance).allow_breaking(true).await.unwrap();
    let data = serde_json::json!({"name": "tea", "count": 2});
    assert_eq!(published.run(Method::Post, "items", data).await.unwrap(), "teatea");
}
