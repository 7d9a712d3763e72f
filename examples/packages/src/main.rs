//! Scripts that use packages of others: one renders Markdown with `markdown` from PyPI, one takes what is dangerous out of HTML
//! with `sanitize-html` from npm.
//!
//! `cargo run -p packages` prepares both environments beside the program, once, with the system's Python and npm, and
//! starts a server inside this process that offers them.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use syncano_client::{Client, socket};
use syncano_server::Server;

/// Both scripts name the environment `writing`: for Python the operator means a virtual environment, for Node a `node_modules`.
#[socket(name = "comments", environment = "writing")]
pub mod comments {
    use super::Rendered;

    /// Markdown as HTML.
    #[endpoint("render", POST, file = "../scripts/render.py")]
    pub async fn render(text: &str) -> Rendered;

    /// HTML that may be shown to anyone.
    #[endpoint("clean", POST, file = "../scripts/clean.mjs")]
    pub async fn clean(html: &str) -> String;
}

/// What [`comments::Client::render`] answers.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Rendered {
    html: String,
    headings: Vec<String>,
}

const COMMENT: &str = "# Packages

They *work*, says [somebody](https://example.com) and [somebody else](javascript:alert(1)).

<script>alert('boo')</script>";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Some((venv, node_modules)) = prepare()? else { return Ok(()) };
    let server = Server::builder()
        .listen(([127, 0, 0, 1], 0).into())
        .database("sqlite::memory:")
        .environment("writing", venv)
        .environment("writing", node_modules)
        .start()
        .await?;
    let client = Client::connect(&server.url())?.account_key(server.admin_key().expose_secret());
    let instance = client.create_or_open_instance("packages").await?;
    comments::publish(&instance).await?;

    let api = comments::Client::new(&instance);
    let rendered = api.render(COMMENT).await?;
    println!("headings: {}\n\nas it came:\n{}", rendered.headings.join(", "), rendered.html);
    let clean = api.clean(&rendered.html).await?;
    println!("\nas it may be shown:\n{clean}");
    ensure!(rendered.headings == ["Packages"] && rendered.html.contains("<em>work</em>"));
    ensure!(clean.contains("<em>work</em>") && !clean.contains("script"));

    server.shutdown().await;
    Ok(())
}

/// What an operator does once: a virtual environment and a `node_modules`. `None`: this machine lacks what that takes.
fn prepare() -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    let folder = env::current_exe()?.with_file_name("packages-example");
    let (venv, web) = (folder.join("venv"), folder.join("web"));
    std::fs::create_dir_all(&web)?;
    let mut commands = vec![
        ("Python with venv", command("/usr/bin/python3", "-m venv", Some(&venv))),
        (
            "pip",
            command(venv.join("bin/pip"), "install -q --disable-pip-version-check markdown==3.11.3", None),
        ),
        ("npm", command("npm", "install --no-audit --no-fund sanitize-html@2.17.5 --prefix", Some(&web))),
    ];
    let done = folder.join("done");
    if done.exists() {
        commands.clear();
    }
    for (what, mut command) in commands {
        let problem = match command.status() {
            Ok(status) if status.success() => continue,
            Ok(status) => format!("`{command:?}` ended with {status}"),
            Err(error) => format!("`{command:?}`: {error}"),
        };
        let text = format!("{what} can't prepare the packages: {problem}");
        ensure!(env::var_os("CI").is_none(), text);
        println!("skipped: {text}; apt-get install python3-venv npm");
        return Ok(None);
    }
    std::fs::write(&done, "").context("the environments' folder can't be written to")?;
    Ok(Some((venv, web.join("node_modules"))))
}

fn command(program: impl AsRef<OsStr>, words: &str, folder: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.args(words.split(' ')).args(folder);
    command
}
