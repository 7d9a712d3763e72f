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
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub enum StockError {
    /// None left.
    SoldOut,
}

/// A shop.
#[socket(
    name = "shop", description = "A shop.", runtime = "python3", python = "3.12",
    config = {"currency": "EUR"}, metadata = {"author": "Ada"}, network = "public",
    classes = {"item": [{"name": "title", "type": "string"}]},
)]
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

    /// A script on the server.
    #[endpoint(
        "report",
        GET,
        script = 12,
        script_name = "reporter",
        private,
        cache = 60,
        timeout = 2.5,
        fresh
    )]
    pub async fn report(year: u16) -> Trace;

    /// Another function's script.
    #[endpoint("report", POST, script = "reporter", private = false, description = "A report.", acl = {"*": []})]
    pub async fn report_now(year: u16) -> Trace;

    /// A script endpoint on the server.
    #[endpoint("legacy", GET, script_endpoint = "monthly", metadata = {"icon": "box"})]
    pub async fn legacy(year: u16) -> Trace;
}

/// All of them.
pub mod all {
    syncano_client::sockets![super::shop];
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
    let _: [syncano_client::Call<Trace>; 3] = [api.report(1), api.report_now(1), api.legacy(1)];
    let _ = (all::definitions(), all::publish(instance).await.is_ok());
    let mut items = api.list(Some(shop::LIMIT)).await.unwrap_or_default();
    items.push(added);
    Ok(items)
}

/// That it compiles is all; `lints.rs` has it looked at by clippy too.
pub fn main() {}
