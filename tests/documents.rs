//! The documents: layout, links, snippets, and the pages that are written from rustdoc.
//!
//! `UPDATE_GOLDEN=1 cargo test -p syncano-tests --test documents` writes these pages and the layout.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex_lite::{Captures, Regex};
use secrecy::ExposeSecret as _;
use syncano_server::TestServer;
use syncano_syntax::{javascript, python};

/// Documentation of the client that the compiler reads and checks; the book has it as pages.
const RUSTDOC: [&str; 2] = ["syncano-client/src/types.md", "syncano-client/docs/what_is_checked.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares a file with what it must be, or writes it.
fn is_golden(path: &str, expected: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(root().join(path), expected).unwrap();
    }
    let found = fs::read_to_string(root().join(path)).unwrap_or_default();
    let different = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{path}:{}: run this test with UPDATE_GOLDEN=1",
        different.unwrap_or_else(|| found.lines().count().min(expected.lines().count())) + 1
    );
}

/// Every Markdown file, relative to the root.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert!(found.len() > 30, "{found:?}");
    found
}

/// The pages of the book.
fn pages() -> Vec<String> {
    documents().into_iter().filter(|path| path.starts_with("docs/src/")).collect()
}

/// A fenced block.
struct Block {
    /// File and line.
    place: String,
    info: String,
    text: String,
    /// The file that it is an excerpt of, by the comment before it.
    from: Option<String>,
}

fn blocks(path: &str) -> Vec<Block> {
    let text = read(path);
    let mut lines = text.lines().enumerate().peekable();
    let mut blocks = Vec::new();
    let mut from = None;
    while let Some((number, line)) = lines.next() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            let inner: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
            let indent = line.len() - line.trim_start().len();
            let inner = inner.iter().map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n");
            let place = format!("{path}:{}", number + 1);
            blocks.push(Block { place, info: info.to_owned(), text: inner.collect(), from: from.take() });
        } else {
            let excerpt = line.strip_prefix("<!-- from: ").and_then(|rest| rest.strip_suffix(" -->"));
            from = excerpt.map(str::to_owned);
        }
    }
    blocks
}

/// Splits a paragraph into its sentences. A dot in code, or one that no capital letter follows, ends none.
fn sentences(paragraph: &str) -> Vec<String> {
    let characters: Vec<char> = paragraph.chars().collect();
    let (mut found, mut start, mut in_code) = (Vec::new(), 0, false);
    for (at, &character) in characters.iter().enumerate() {
        in_code ^= character == '`';
        if in_code || !".!?".contains(character) {
            continue;
        }
        let closing = characters[at + 1..].iter().take_while(|&&next| "*_)”\"".contains(next)).count();
        let end = at + 1 + closing;
        let begins = |next: &char| next.is_uppercase() || next.is_ascii_digit() || "`[*(“…".contains(*next);
        if characters.get(end) == Some(&' ') && characters.get(end + 1).is_some_and(begins) {
            found.push(characters[start..end].iter().collect());
            start = end + 1;
        }
    }
    found.push(characters[start..].iter().collect());
    found
}

/// Markdown with one sentence per line. Code, tables, headings and comments stay as they are.
fn laid_out(markdown: &str) -> String {
    let item = Regex::new(r"^( *)([*-]|\d+\.) +").unwrap();
    let (mut out, mut paragraph, mut in_code) = (String::new(), None::<(String, usize, String)>, false);
    let end = |paragraph: &mut Option<(String, usize, String)>, out: &mut String| {
        let Some((mut lead, indent, text)) = paragraph.take() else { return };
        for sentence in sentences(&text) {
            out.push_str(&lead);
            out.push_str(&sentence);
            out.push('\n');
            lead = " ".repeat(indent);
        }
    };
    for line in markdown.lines() {
        let text = line.trim();
        let is_fence = text.starts_with("```");
        let stays = in_code || is_fence || text.is_empty() || text.starts_with(['#', '|', '<']);
        if stays {
            end(&mut paragraph, &mut out);
            out.push_str(line.trim_end());
            out.push('\n');
            in_code ^= is_fence;
            continue;
        }
        if let Some(marker) = item.find(line) {
            end(&mut paragraph, &mut out);
            paragraph =
                Some((marker.as_str().to_owned(), marker.len(), line[marker.len()..].trim().to_owned()));
        } else if let Some((.., sentence)) = &mut paragraph {
            sentence.push(' ');
            sentence.push_str(text);
        } else {
            let indent = line.len() - line.trim_start().len();
            paragraph = Some((" ".repeat(indent), indent, text.to_owned()));
        }
    }
    end(&mut paragraph, &mut out);
    out
}

#[test]
fn sentences_end_where_readers_see_it() {
    let of = |text: &str| sentences(text).join("|");
    assert_eq!(
        of("One. Two! `a. B` is three? (Four.) **Five.** Six."),
        "One.|Two!|`a. B` is three?|(Four.)|**Five.**|Six."
    );
    assert_eq!(of("Linux 5.13 e.g. this, … and `x`. `y` too"), "Linux 5.13 e.g. this, … and `x`.|`y` too");
    assert_eq!(
        laid_out("* One.\n  Two\n  goes on. Three.\n* Four\n"),
        "* One.\n  Two goes on.\n  Three.\n* Four\n"
    );
    assert_eq!(laid_out("```sh\nA. B\n```\n| A. B |\n"), "```sh\nA. B\n```\n| A. B |\n");
}

#[test]
fn a_line_holds_one_sentence() {
    for path in documents() {
        if !NOT_YET.contains(&&*path) && !RUSTDOC.contains(&&*path) {
            is_golden(&path, &laid_out(&read(&path)));
        }
    }
}

/// Files that other changes edit at this moment; the layout of them follows.
const NOT_YET: [&str; 1] = ["CHANGELOG.md"];

#[test]
fn documents_are_as_short_as_they_should_be() {
    let lines = |path: &str| read(path).lines().count();
    assert!(lines("README.md") <= 150);
    assert!(lines("SECURITY.md") <= 150);
    let words = read("ARCHITECTURE.md").split_whitespace().count();
    assert!(words <= 2000, "ARCHITECTURE.md has {words} words");
    for page in pages() {
        let is_written = read(&page).contains("<!-- Written by ");
        assert!(lines(&page) <= 200 || is_written, "{page} has {} lines", lines(&page));
    }
}

/// The anchor that a heading gets on code hosts and in mdBook.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|next| next.is_alphanumeric() || " -_".contains(*next));
    kept.map(|next| if next == ' ' { '-' } else { next }).collect()
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^()\s]+)\)").unwrap();
    let code = Regex::new(r"`[^`]*`").unwrap();
    let mut checked = 0;
    for path in documents().iter().filter(|path| !RUSTDOC.contains(&&***path)) {
        let mut in_code = false;
        for (number, line) in read(path).lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            for found in link.captures_iter(&code.replace_all(line, "`")) {
                let target = &found[1];
                if target.starts_with("https://") {
                    continue;
                }
                let place = format!("{path}:{}: {target}", number + 1);
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let here = Path::new(path);
                let file = if file.is_empty() { here.to_owned() } else { here.parent().unwrap().join(file) };
                let file =
                    root().join(file).canonicalize().unwrap_or_else(|error| panic!("{place}: {error}"));
                // The book is built alone: what lies outside of it isn't there.
                let is_inside = file.starts_with(root().join("docs/src").canonicalize().unwrap());
                assert!(is_inside || !path.starts_with("docs/src/"), "{place} leads out of the book");
                if !heading.is_empty() {
                    let text = fs::read_to_string(&file).unwrap();
                    let mut headings = text.lines().filter(|line| line.starts_with('#'));
                    assert!(headings.any(|line| anchor(line) == heading), "{place}: no such heading");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "only {checked} links were found");
}

#[test]
fn the_summary_lists_every_page_once() {
    let link = Regex::new(r"\]\(([^()]+)\)").unwrap();
    let summary = read("docs/src/SUMMARY.md");
    let mut listed: Vec<String> =
        link.captures_iter(&summary).map(|found| format!("docs/src/{}", &found[1])).collect();
    listed.push("docs/src/SUMMARY.md".to_owned());
    listed.sort();
    assert_eq!(listed, pages());
}

#[test]
fn rust_snippets_are_doctests() {
    let included = read("tests/lib.rs");
    let mut doctests = 0;
    for path in documents().iter().filter(|path| !RUSTDOC.contains(&&***path)) {
        if read(path).contains("<!-- Written by ") {
            continue;
        }
        for block in blocks(path).iter().filter(|block| block.info.starts_with("rust")) {
            if block.from.is_some() {
                assert_eq!(block.info, "rust,ignore", "{}: an excerpt isn't compiled twice", block.place);
                continue;
            }
            let is_compiled = ["rust", "rust,no_run", "rust,compile_fail"].contains(&&*block.info);
            assert!(is_compiled, "{}: `{}` isn't compiled", block.place, block.info);
            let is_included = included.contains(&format!("\"../{path}\"")) || path == "README.md";
            assert!(is_included, "{path} isn't included by tests/lib.rs");
            doctests += 1;
        }
    }
    assert!(doctests >= 8, "only {doctests} doctests were found");
}

#[test]
fn excerpts_stand_in_their_files() {
    let mut checked = 0;
    for path in documents() {
        for block in blocks(&path) {
            let Some(from) = block.from else { continue };
            let trimmed =
                |text: &str| text.lines().map(|line| line.trim().to_owned() + "\n").collect::<String>();
            let (excerpt, whole) = (trimmed(&block.text), trimmed(&read(&from)));
            assert!(whole.contains(&excerpt), "{}: {from} doesn't have this text", block.place);
            checked += 1;
        }
    }
    assert!(checked >= 2, "only {checked} excerpts were found");
}

#[test]
fn snippets_of_other_languages_are_well_formed() {
    let mut checked = 0;
    for path in documents() {
        for Block { place, info, text, .. } in blocks(&path) {
            let problem = match &*info {
                "python" => {
                    python::check(&text, python::Version::default()).map_err(|error| error.to_string())
                }
                "javascript" => javascript::check(&text, javascript::Version::default())
                    .map_err(|error| error.to_string()),
                "json" => serde_json::from_str::<serde_json::Value>(&text)
                    .map(drop)
                    .map_err(|error| error.to_string()),
                _ if RUSTDOC.contains(&&*path) => continue,
                "sh" | "sh,excerpt" | "toml" | "text" | "mermaid" | "ini" => continue,
                rust if rust.starts_with("rust") => continue,
                other => panic!("{place}: no test knows a snippet of `{other}`"),
            };
            assert!(problem.is_ok(), "{place}: {}", problem.unwrap_err());
            checked += 1;
        }
    }
    assert!(checked >= 7, "only {checked} snippets were found");
}

/// What stands in shell snippets and begins with one of these words is compared with what there is.
#[test]
fn commands_have_the_flags_that_documents_show() {
    let helps = root().join("syncano-cli/tests/golden");
    let help = |name: &str| fs::read_to_string(helps.join(format!("{name}.txt"))).ok();
    let packages = packages();
    let code = Regex::new(r"`(syncano [^`]+)`").unwrap();
    let mut checked = 0;
    for path in documents().iter().filter(|path| !NOT_YET.contains(&&***path)) {
        let mut commands = Vec::new();
        for block in blocks(path).into_iter().filter(|block| block.info.starts_with("sh")) {
            let is_known = ["sh", "sh,excerpt"].contains(&&*block.info);
            assert!(is_known, "{}: mark it `sh,excerpt`, or `sh` to have it run", block.place);
            commands.extend(block.text.lines().map(|line| (block.place.clone(), line.to_owned())));
        }
        let text = read(path);
        commands.extend(code.captures_iter(&text).map(|found| (path.clone(), found[1].to_owned())));
        for (place, line) in commands {
            let line = line.split(" #").next().unwrap_or_default().replace("&&", ";");
            for command in line.split([';', '|', '<', '>']) {
                let words: Vec<&str> = command
                    .split_whitespace()
                    .skip_while(|word| word.contains('=') && !word.starts_with('-'))
                    .collect();
                let after = |flag: &str| words.iter().skip_while(|word| **word != flag).nth(1);
                match words[..] {
                    ["syncano", first, ..] if !first.starts_with('-') => {
                        let second = words.get(2).map(|second| format!("{first}_{second}"));
                        let help = second.and_then(|name| help(&name)).or_else(|| help(first));
                        let help = help.unwrap_or_else(|| panic!("{place}: there is no `syncano {first}`"));
                        for flag in words.iter().filter(|word| word.starts_with("--")) {
                            let flag = flag.split('=').next().unwrap();
                            let is_there = help.split([' ', ',', '\n', '=']).any(|word| word == flag);
                            assert!(is_there, "{place}: `syncano {first}` has no flag `{flag}`");
                        }
                        checked += 1;
                    }
                    ["cargo", ..] => {
                        if let Some(package) = after("-p") {
                            // The reader's own package has this name everywhere.
                            let is_there = packages.contains(*package) || *package == "my-app";
                            assert!(is_there, "{place}: there is no package `{package}`");
                            checked += 1;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(checked >= 30, "only {checked} commands were found");
}

/// The names of the workspace's packages.
fn packages() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--no-deps"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shell_snippets_run() {
    for program in ["curl", "python3"] {
        if !Path::new("/usr/bin").join(program).exists() {
            assert!(std::env::var_os("CI").is_none(), "CI needs {program}: install it");
            eprintln!("skipped: no /usr/bin/{program}");
            return;
        }
    }
    let mut ran = 0;
    for path in documents() {
        for block in blocks(&path).into_iter().filter(|block| block.info == "sh") {
            let server = TestServer::start().await.unwrap();
            let address = server.url().trim_start_matches("http://").to_owned();
            let text = block.text.replace("127.0.0.1:8080", &address);
            // An answer that is an error ends the script.
            let script = format!("curl() {{ command curl --fail-with-body \"$@\"; echo; }}\n{text}");
            let key = server.account_key().expose_secret().to_owned();
            let output = tokio::process::Command::new("sh")
                .args(["-eu", "-c", &script])
                .env("SYNCANO_KEY", key)
                .output()
                .await
                .unwrap();
            let (said, errors) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{}: {said}\n{errors}", block.place);
            for expected in text.lines().filter_map(|line| line.split_once("# answers ")) {
                assert!(said.contains(expected.1.trim()), "{}: no {} in {said}", block.place, expected.1);
                ran += 1;
            }
            server.stop().await;
        }
    }
    assert!(ran > 0, "no snippet was run that says what it answers");
}

#[test]
fn every_invariant_names_its_test() {
    let text = read("ARCHITECTURE.md");
    let held = Regex::new(r"^Held by `([^`]+)`: `([^`]+)`\.$").unwrap();
    let paragraphs: Vec<&str> = text.split("\n\n").filter(|part| part.starts_with("**Invariant: ")).collect();
    assert!(paragraphs.len() > 15, "only {} invariants were found", paragraphs.len());
    for paragraph in paragraphs {
        let Some(found) = held.captures(paragraph.trim_end().lines().last().unwrap()) else {
            panic!("no test at the end of: {paragraph}")
        };
        let (file, name) = (read(&found[1]), &found[2]);
        let function = Regex::new(&format!(r"(?m)^ *(async )?fn {name}\(")).unwrap();
        let (before, _) = function
            .find(&file)
            .map(|found| file.split_at(found.start()))
            .unwrap_or_else(|| panic!("{} has no test `{name}`", &found[1]));
        let attributes =
            before.trim_end().lines().rev().take_while(|line| !line.trim().is_empty() && line.trim() != "}");
        assert!(attributes.clone().any(|line| line.contains("test")), "`{name}` is no test");
    }
}

#[test]
fn every_route_is_in_the_book() {
    let page = read("docs/src/reference/http-api.md");
    for route in
        read("syncano-server/tests/data/routes.txt").lines().filter(|route| route.starts_with("/v1.1/"))
    {
        // Folders are written once; what is below them by its last two segments at the least.
        let segments: Vec<&str> = route.trim_start_matches("/v1.1").trim_matches('/').split('/').collect();
        let end = segments[segments.len().saturating_sub(2)..].join("/");
        let last = format!("…/{}", segments[segments.len() - 1]);
        let is_there = page.contains(&end) || page.contains(&last) || end.contains("{*rest}");
        assert!(is_there, "docs/src/reference/http-api.md doesn't name {route}");
    }
}

#[test]
fn the_readme_repeats_measured_ratios() {
    let readme = read("README.md");
    let measured = read("BENCHMARKS.md");
    let row = Regex::new(r"(?m)^\| ([^|]+) \| (\d\.\d\d) \|$").unwrap();
    let rows: Vec<(String, String)> =
        row.captures_iter(&readme).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    assert!(rows.len() > 5, "{rows:?}");
    for (name, ratio) in rows {
        let row = measured.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap_or_default();
        let column = row.split('|').nth(3).unwrap_or_default().trim();
        assert!(
            column.split(' ').next() == Some(&*ratio),
            "{name}: README.md says {ratio}, BENCHMARKS.md {column}"
        );
    }
}

/// Documentation for rustdoc as a page: headings one level lower, no hidden lines, links within the book.
fn page(title: &str, source: &str, rustdoc: &str) -> String {
    let linked = Regex::new(r"\[([^\[\]]+)\]\(([^()]+)\)").unwrap();
    let alone = Regex::new(r"\[(`[^`\[\]]+`)\]").unwrap();
    let mut text = String::new();
    let mut in_rust = false;
    for line in rustdoc.lines() {
        if let Some(info) = line.strip_prefix("```") {
            in_rust = !in_rust && (info.is_empty() || !info.starts_with("text"));
            let name = if info.is_empty() { "rust".to_owned() } else { format!("rust,{info}") };
            text += &if in_rust { format!("```{name}\n") } else { format!("{line}\n") };
        } else if in_rust {
            if line != "#" && !line.starts_with("# ") {
                text += &format!("{line}\n");
            }
        } else if line.starts_with("# ") {
            text += &format!("#{line}\n");
        } else {
            let line = linked.replace_all(line, |found: &Captures<'_>| match &found[2] {
                "what_is_checked" => format!("[{}](checks.md)", &found[1]),
                target if target.starts_with("https://") => found[0].to_owned(),
                _ => found[1].to_owned(),
            });
            let line = line.replace("[`types`]", "[Types](types.md)");
            text += &(alone.replace_all(&line, "$1").into_owned() + "\n");
        }
    }
    let head = format!("# {title}\n\n<!-- Written by tests/documents.rs from {source}: edit that. -->\n\n");
    let text = laid_out(&(head + text.trim()));
    Regex::new(r"\n{3,}").unwrap().replace_all(&text, "\n\n").into_owned()
}

/// The sections of a crate's documentation with these headings.
fn sections(file: &str, headings: &[&str]) -> String {
    let text = read(file);
    let docs = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line));
    let (mut found, mut wanted, mut in_code) = (String::new(), false, false);
    for line in docs {
        in_code ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix("# ").filter(|_| !in_code) {
            wanted = headings.contains(&heading);
        }
        if wanted {
            found += &format!("{line}\n");
        }
    }
    for heading in headings {
        assert!(found.contains(&format!("# {heading}\n")), "{file} has no section `{heading}`");
    }
    found
}

#[test]
fn the_book_has_the_client_s_documentation() {
    let client = "syncano-client/src/lib.rs";
    let page_of = |name: &str, title: &str, headings: &[&str]| {
        is_golden(
            &format!("docs/src/reference/{name}.md"),
            &page(title, client, &sections(client, headings)),
        );
    };
    page_of("attributes", "Attributes", &["`#[socket]`", "`#[endpoint]`"]);
    page_of("results", "Results", &["Results", "Several sockets", "Attributes, conditions, editors"]);
    page_of("compatibility", "Compatible changes", &["Changing what is published"]);
    for (name, title, source) in [("types", "Types", RUSTDOC[0]), ("checks", "What is checked", RUSTDOC[1])] {
        is_golden(&format!("docs/src/reference/{name}.md"), &page(title, source, &read(source)));
    }
}
