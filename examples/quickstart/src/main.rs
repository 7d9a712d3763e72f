//! The quickstart: publishes two sockets and calls their Python scripts through typed functions.
//!
//! `cargo run -p quickstart` starts a server inside this process, with a temporary database. With `SYNCANO_URL`
//! and `SYNCANO_KEY` set it uses that server, and there the instance `quickstart`.

use std::env;

use anyhow::Context as _;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use syncano_client::{CallError, Change, Client, Published, socket};
use syncano_server::Server;

/// Works on texts. The scripts are function style: `main` is called with the arguments.
#[socket(name = "text_tools", description = "Works on texts.", runtime = "python3")]
pub mod text_tools {
    use super::Statistics;

    /// Counts lines and words; the script is a file of its own.
    #[endpoint("statistics", POST, file = "../scripts/statistics.py")]
    pub async fn statistics(text: &str, top: Option<u32>) -> Statistics;

    /// Turns a title into what can stand in a URL.
    #[endpoint(
        "slug",
        GET,
        source = r#"
        import re

        def main(title: str) -> str:
            return "-".join(re.findall(r"\w+", title.lower()))
    "#
    )]
    pub async fn slug(title: &str) -> String;
}

/// Two scripts behind one endpoint: GET runs one, POST the other.
#[socket(name = "my_custom_socket")]
pub mod my_custom_socket {
    use super::{Invoice, OrderLine};

    /// Program style: the script reads `ARGS` and what it prints is the answer.
    #[endpoint(
        "my_endpoint",
        GET,
        runtime = "python3",
        source = r#"
        import json

        VAT_PERCENT = {"AT": "20", "CH": "8.1", "DE": "19", "FR": "20", "PL": "23"}
        print(json.dumps(VAT_PERCENT.get(ARGS["country"].upper())))
    "#
    )]
    pub async fn custom_script(country: &str) -> Option<String>;

    /// Adds up an order.
    #[endpoint("my_endpoint", POST, file = "../scripts/invoice.py")]
    pub async fn another_custom_script(lines: &[OrderLine], vat_percent: &str) -> Invoice;
}

/// What [`text_tools::Client::statistics`] answers.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Statistics {
    lines: u32,
    words: u32,
    distinct: u32,
    longest: String,
    most_common: Vec<Frequency>,
}

/// How often a word stands in a text.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Frequency {
    word: String,
    count: u32,
}

/// One line of an order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderLine {
    article: &'static str,
    quantity: i32,
    price: &'static str,
}

/// Amounts of money, as decimal text.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Invoice {
    net: String,
    vat: String,
    total: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let embedded = match env::var("SYNCANO_URL") {
        Ok(_) => None,
        Err(_) => Some(
            Server::builder().listen(([127, 0, 0, 1], 0).into()).database("sqlite::memory:").start().await?,
        ),
    };
    let client = match &embedded {
        Some(server) => {
            println!("a server in this process listens on {}", server.url());
            Client::connect(&server.url())?.account_key(server.admin_key().expose_secret())
        }
        None => {
            let key = env::var("SYNCANO_KEY")
                .context("SYNCANO_URL is set: set SYNCANO_KEY to an account's key too")?;
            Client::connect(&env::var("SYNCANO_URL")?)?.account_key(key)
        }
    };

    let instance = client.create_or_open_instance("quickstart").await?;
    // What publishing will change, and whether that breaks callers; the second time nothing.
    print!("{}", text_tools::plan(&instance).await?);
    report(&text_tools::publish(&instance).await?);
    report(&my_custom_socket::publish(&instance).await?);

    let texts = text_tools::Client::new(&instance);
    let readme = include_str!("../../../README.md");
    let statistics = texts.statistics(readme, Some(4)).await?;
    println!("\nthe README, counted by a Python script:");
    println!(
        "  {} lines, {} words, {} of them distinct",
        statistics.lines, statistics.words, statistics.distinct
    );
    println!("  the longest is “{}”", statistics.longest);
    for Frequency { word, count } in &statistics.most_common {
        println!("  {count:4} × {word}");
    }
    let title = "Types across the border!";
    println!("  “{title}” as a slug: {}", texts.slug(title).await?);

    let socket = my_custom_socket::Client::new(&instance);
    let vat_percent = socket.custom_script("pl").await?.context("no VAT rate for Poland")?;
    let mut order = [
        OrderLine { article: "tea", quantity: 3, price: "4.99" },
        OrderLine { article: "cup", quantity: 2, price: "11.50" },
    ];
    let invoice = socket.another_custom_script(&order, &vat_percent).await?;
    println!("\nan order, added up by another:");
    println!("  {} net + {} VAT ({vat_percent} %) = {}", invoice.net, invoice.vat, invoice.total);

    // A script that fails is an error with its traceback, not a surprise.
    order[1].quantity = -2;
    match socket.another_custom_script(&order, &vat_percent).await {
        Err(CallError::Script(failure)) => {
            println!("\nthe same with a mistake in it:\n{}", indented(&failure.stderr))
        }
        other => anyhow::bail!("the script should have failed, but: {other:?}"),
    }

    if let Some(server) = embedded {
        server.shutdown().await;
    }
    Ok(())
}

fn report(published: &Published) {
    let done = match published.change() {
        Change::Created => "created",
        Change::Updated => "updated",
        Change::Unchanged => "is up to date",
    };
    println!("socket {} {done}, status {}", published.name(), published.status());
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
