//! Definition files, as commands read them.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;
use syncano_core::{Socket, Violations};

/// The sockets of a definition file; `-` is standard input.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<Socket>> {
    let mut text = String::new();
    let name = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("standard input can't be read")?;
        "standard input".to_owned()
    } else {
        text = fs::read_to_string(file).with_context(|| format!("`{}` can't be read", file.display()))?;
        format!("`{}`", file.display())
    };
    // Editors of other systems begin files with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let value: Value = serde_json::from_str(text).with_context(|| format!("{name} is not JSON"))?;
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let sockets = values.iter().map(|value| Socket::from_json(value).map_err(Violations));
    sockets.collect::<Result<_, _>>().with_context(|| format!("{name} is no definition of a socket"))
}
