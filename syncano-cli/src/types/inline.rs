//! Scripts that stand in Rust files: written beside the types, so that the checkers read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use litrs::StringLit;
use proc_macro2::{TokenStream, TokenTree};
use syncano_core::Language;
use syncano_syntax::{Dedented, dedent};

use crate::output;

/// What the names of the files begin with.
pub(super) const PREFIX: &str = "inline_";

/// A text in a Rust file, as a script would be published.
pub(super) struct Literal {
    pub(super) text: String,
    rust_file: String,
    /// The line of the Rust file in which the text begins.
    line: usize,
    /// Whether each line of the text is a line of the Rust file.
    has_its_lines: bool,
}

/// The texts in a Rust file, or in all those of a folder and below.
pub(super) fn literals(path: &Path) -> anyhow::Result<Vec<Literal>> {
    let mut literals = Vec::new();
    collect(path, &mut literals)?;
    Ok(literals)
}

fn collect(path: &Path, literals: &mut Vec<Literal>) -> anyhow::Result<()> {
    let unreadable = || format!("`{}` can't be read", path.display());
    if path.is_dir() {
        let entries: Result<BTreeSet<_>, _> = fs::read_dir(path)
            .with_context(unreadable)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect();
        for entry in entries.with_context(unreadable)? {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            let is_rust = name.ends_with(".rs");
            // Links may lead back.
            if !entry.is_symlink()
                && !name.starts_with('.')
                && (is_rust || (entry.is_dir() && name != "target"))
            {
                collect(&entry, literals)?;
            }
        }
        return Ok(());
    }
    let text = fs::read_to_string(path).with_context(unreadable)?;
    match text.parse() {
        Ok(tokens) => in_tokens(tokens, &path.display().to_string(), literals),
        // The compiler says more about it.
        Err(error) => output::note(format_args!("`{}` is not Rust: {error}", path.display())),
    }
    Ok(())
}

fn in_tokens(tokens: TokenStream, rust_file: &str, literals: &mut Vec<Literal>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => in_tokens(group.stream(), rust_file, literals),
            TokenTree::Literal(literal) => {
                let written = literal.to_string();
                let Ok(read) = StringLit::parse(written.as_str()) else { continue };
                let Dedented { text, dropped_lines, .. } = dedent(read.value());
                literals.push(Literal {
                    text: text.into_owned(),
                    rust_file: rust_file.to_owned(),
                    line: literal.span().start().line + dropped_lines,
                    // Escapes may stand for line breaks, or hide them.
                    has_its_lines: read.is_raw_string() || !written.contains('\\'),
                });
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The file for the script: its lines have the numbers that they have in the Rust file.
pub(super) fn file(literal: &Literal, language: Language) -> String {
    let comment = if language == Language::Python { "#" } else { "//" };
    let Literal { text, rust_file, line, has_its_lines } = literal;
    let script = if text.ends_with('\n') { text.clone() } else { format!("{text}\n") };
    let where_ = match has_its_lines {
        true => format!("from `{rust_file}`, with the numbers of its lines"),
        false => format!("from line {line} of `{rust_file}`"),
    };
    let header = format!("{comment} {} {where_}.\n", super::MADE);
    match (has_its_lines, line) {
        // There is no room for it above.
        (true, 1) => script + &header,
        (true, line) => header + &"\n".repeat(line - 2) + &script,
        (false, _) => header + &script,
    }
}

/// The name of the file for a script, one that nothing has yet.
pub(super) fn name(socket: &str, script: &str, extension: &str, taken: impl Fn(&str) -> bool) -> String {
    let word = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let (socket, script) = (word(socket), word(script));
    let mut name = format!("{PREFIX}{script}.{extension}");
    let mut number = 1;
    while taken(&name) {
        let suffix = if number == 1 { String::new() } else { format!("_{number}") };
        name = format!("{PREFIX}{socket}_{script}{suffix}.{extension}");
        number += 1;
    }
    name
}
