//! Everything the syntax has, under the strictest lints.
#![deny(warnings, missing_docs, unused, unreachable_pub, deprecated, private_interfaces)]

use syncano_client::{CallError, Instance, Method, Socket, Trace, socket};

/// An item.
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Item {
    /// Its name.
    pub name: String,
}

/// An error of the script.
#[derive(Debug, serde::Deserialize)]
pub enum StockError {
    /// None left.
    SoldOut,
}

/// A shop.
#[socket(name = "shop", description = "A shop.", runtime = "python3")]
pub mod shop {
    use super::{Item, StockError, Trace};

    /// Kept as it is.
    pub const LIMIT: u32 = 10;

    /// Lists items.
    #[endpoint("items", GET, file = "scripts/list.py")]
    pub async fn list(limit: Option<u32>) -> Vec<Item>;

    /// Adds an item.
    #[endpoint("items", POST, file = "scripts/add.js", error = StockError)]
    pub async fn add(#[body] item: &Item, #[query] dry_run: bool) -> Item;

    /// Changes an item.
    #[endpoint("items", PUT, PATCH, source = "def main(name, tags): pass")]
    pub async fn change(name: &str, tags: &[String]);

    /// Any method.
    #[endpoint("echo", *, source = r#"
        def main(text):
            return text
    "#)]
    pub async fn echo(text: std::borrow::Cow<'_, str>) -> String;

    /// The whole record of a run.
    #[endpoint("trace", GET, source = "console.log(1)", runtime = "nodejs", script_name = "tracer")]
    pub async fn trace() -> Trace;
}

/// Uses all of it.
///
/// # Errors
/// As the calls.
pub async fn application(instance: &Instance) -> Result<Vec<Item>, CallError<StockError>> {
    let _definition: Socket = shop::definition();
    let _ = (shop::NAME, shop::LIMIT);
    let api = shop::Client::new(instance);
    let item = Item { name: "x".to_owned() };
    let added: Item = api.add(&item, true).await?;
    let _: Result<(), _> = api.change("x", &["y".to_owned()]).method(Method::Patch).await;
    let _: Result<String, _> = api.echo("hi".into()).await;
    let _: Result<Trace, _> = api.trace().await;
    let mut items = api.list(Some(shop::LIMIT)).await.unwrap_or_default();
    items.push(added);
    Ok(items)
}

fn main() {}
