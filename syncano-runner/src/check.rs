//! Whether scripts can be compiled, as the interpreters themselves say, which run none of them for it.
//!
//! A source may be made to break a compiler, so each check happens in a process of its own, under the limits of every
//! worker. That process notes each result as it goes: when it breaks, the script to blame is the first without one.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use syncano_core::{Language, RunStatus, Runtime};
use tokio::time::Instant;

use crate::call::{Arguments, Call};
use crate::runner::Runner;
use crate::script::Script;

/// How long one process may compile.
const TIME: Duration = Duration::from_secs(10);
/// How long the scripts of one [`Runner::check`] may take together.
const TIME_OF_ALL: Duration = Duration::from_secs(30);
/// Bytes of sources that one process gets, unless a single one is larger.
const BATCH_BYTES: usize = 1024 * 1024;
/// How many sources one process gets: what it says about them must fit into its output.
const BATCH: usize = 200;
/// How many results are remembered.
const REMEMBERED: usize = 4096;
/// Characters of a line that are shown.
const SHOWN: usize = 100;
/// Characters of what an interpreter says.
const LONGEST_MESSAGE: usize = 300;

/// What an interpreter says of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It can be compiled.
    Sound,
    /// It can't.
    Broken(Flaw),
    /// Nobody could say: the interpreter is missing, or the machine has no process to spare. The text says which.
    Unchecked(String),
}

/// Why a script can't be compiled.
///
/// Displayed it is a line, and the place in the script where that is known:
///
/// ```text
/// expected ':' (line 2, column 12)
///   |
/// 2 | def main(x)
///   |            ^
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What the interpreter says, or what became of it.
    pub message: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in it, from 1, in characters.
    pub column: Option<usize>,
    /// That line, or the part of it around the column, as [`Flaw`] shows it.
    pub snippet: Option<String>,
}

impl Flaw {
    fn without_place(message: String) -> Flaw {
        Flaw { message, line: None, column: None, snippet: None }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " (line {line}, column {column})")?,
            (Some(line), None) => write!(f, " (line {line})")?,
            _ => {}
        }
        self.snippet.iter().try_for_each(|snippet| write!(f, "\n{snippet}"))
    }
}

/// A language and a source.
type Digested = [u8; 32];

/// What was found out before, by language and source.
pub(crate) struct Remembered(Cache<Digested, Verdict>);

impl Default for Remembered {
    fn default() -> Remembered {
        Remembered(Cache::new(REMEMBERED))
    }
}

/// What a process writes about a source, a line each.
#[derive(Deserialize)]
struct Found {
    message: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    #[serde(default)]
    too_large: bool,
}

impl Runner {
    /// Has the interpreters compile these scripts, without running them, and tells what they say, in the same order.
    ///
    /// Few processes check many scripts, and a source that was checked before is not checked again. A source that breaks
    /// its compiler, or takes it longer than 10 s, counts as [`Broken`](Verdict::Broken); so do the last ones if all together take longer than
    /// 30 s.
    ///
    /// ```no_run
    /// # async fn run(runner: syncano_runner::Runner) {
    /// use syncano_core::Runtime;
    /// use syncano_runner::Verdict;
    ///
    /// let verdicts = runner.check(&[(Runtime::Python3, "def main(x)\n    return x\n")]).await;
    /// let Verdict::Broken(flaw) = &verdicts[0] else { panic!("{verdicts:?}") };
    /// assert_eq!((flaw.line, flaw.column), (Some(1), Some(12)));
    /// # }
    /// ```
    pub async fn check<S: AsRef<str>>(&self, scripts: &[(Runtime, S)]) -> Vec<Verdict> {
        let deadline = Instant::now() + TIME_OF_ALL;
        let digests: Vec<Digested> =
            scripts.iter().map(|(runtime, source)| digest(runtime.language(), source.as_ref())).collect();
        let mut verdicts: HashMap<Digested, Verdict> = HashMap::new();
        let mut new: HashMap<Language, HashMap<Digested, &str>> = HashMap::new();
        for (digest, (runtime, source)) in digests.iter().zip(scripts) {
            let language = runtime.language();
            match self.known(language, digest) {
                Some(verdict) => drop(verdicts.insert(*digest, verdict)),
                None => drop(new.entry(language).or_default().insert(*digest, source.as_ref())),
            }
        }
        for (language, sources) in new {
            let (digests, sources): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
            verdicts.extend(digests.into_iter().zip(self.check_new(language, &sources, deadline).await));
        }
        let unchecked = || Verdict::Unchecked("it was not checked".to_owned());
        digests.iter().map(|digest| verdicts.get(digest).cloned().unwrap_or_else(unchecked)).collect()
    }

    /// What [`check`](Runner::check) would say at once, if it would.
    pub fn checked_before(&self, runtime: Runtime, source: &str) -> Option<Verdict> {
        self.known(runtime.language(), &digest(runtime.language(), source))
    }

    fn known(&self, language: Language, digest: &Digested) -> Option<Verdict> {
        match self.interpreter(language) {
            Ok(_) => self.remembered().0.get(digest),
            Err(missing) => Some(Verdict::Unchecked(missing.to_string())),
        }
    }

    /// Checks different sources of one language.
    async fn check_new(&self, language: Language, sources: &[&str], deadline: Instant) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let interpreter = match self.interpreter(language) {
            Ok(interpreter) => interpreter.to_string(),
            Err(missing) => return vec![Verdict::Unchecked(missing.to_string()); sources.len()],
        };
        let checker = Script::checker(match language {
            Language::JavaScript => Runtime::NodeJs,
            _ => Runtime::Python3,
        });
        while verdicts.len() < sources.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            let rest = &sources[verdicts.len()..];
            if left.is_zero() {
                let message = format!("compiling all scripts takes longer than {} s", TIME_OF_ALL.as_secs());
                let flaw = Flaw::without_place(message);
                verdicts.extend(rest.iter().map(|_| Verdict::Broken(flaw.clone())));
                break;
            }
            let batch = &rest[..batch(rest)];
            let timeout = TIME.min(left);
            let call = Call {
                arguments: Arguments::direct(json!(batch).to_string()),
                meta: "{}".to_owned(),
                timeout,
            };
            let outcome = self.run(&checker, call).await;
            let before = verdicts.len();
            let lines = outcome.stdout.lines().map_while(|line| serde_json::from_str::<Found>(line).ok());
            for (source, found) in batch.iter().zip(lines) {
                let verdict = read(found, source, language, &interpreter);
                self.remembered().0.insert(digest(language, source), verdict.clone());
                verdicts.push(verdict);
            }
            if verdicts.len() == before + batch.len() {
                continue;
            }
            // It never started, which is nobody's fault here.
            if outcome.duration.is_zero() {
                let why = match outcome.status {
                    RunStatus::Blocked | RunStatus::QueueTimeout => "no process was free".to_owned(),
                    _ => outcome.stderr,
                };
                verdicts.extend(sources[verdicts.len()..].iter().map(|_| Verdict::Unchecked(why.clone())));
                break;
            }
            // One that others came before gets a process and a time of its own.
            if verdicts.len() == before {
                let message = match outcome.status {
                    RunStatus::Timeout => {
                        format!("compiling it takes longer than {} s", timeout.as_secs_f32())
                    }
                    _ => {
                        let end = outcome.stderr.lines().last().unwrap_or_default();
                        format!("it breaks {interpreter}: {end}")
                    }
                };
                verdicts.push(Verdict::Broken(Flaw::without_place(message)));
            }
        }
        verdicts
    }
}

/// How many of the first sources one process gets.
fn batch(sources: &[&str]) -> usize {
    let mut bytes = 0;
    let fitting = sources.iter().take(BATCH).take_while(|source| {
        bytes += source.len();
        bytes <= BATCH_BYTES
    });
    fitting.count().max(1)
}

fn digest(language: Language, source: &str) -> Digested {
    let mut hash = Sha256::new();
    hash.update([language as u8]);
    hash.update(source);
    hash.finalize().into()
}

fn read(found: Found, source: &str, language: Language, interpreter: &str) -> Verdict {
    if found.too_large {
        return Verdict::Broken(Flaw::without_place(format!(
            "it is too large, or too deeply nested, for {interpreter}"
        )));
    }
    let Some(message) = found.message else { return Verdict::Sound };
    let Found { line, column, .. } = found;
    let snippet = line.and_then(|line| snippet(source, language, line, column));
    let message = match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    };
    Verdict::Broken(Flaw { message, line, column, snippet })
}

/// A line of a script with a mark under its column.
fn snippet(source: &str, language: Language, line: usize, column: Option<usize>) -> Option<String> {
    let is_end = |c: char| match c {
        '\n' | '\r' => true,
        '\u{2028}' | '\u{2029}' => language == Language::JavaScript,
        _ => false,
    };
    let text = source.replace("\r\n", "\n");
    let text: Vec<char> = text.split(is_end).nth(line.checked_sub(1)?)?.chars().collect();
    let column = column.map(|column| column.saturating_sub(1).min(text.len()));
    // Of a long line what is around the column.
    let start = column.map_or(0, |column| column.saturating_sub(SHOWN * 3 / 4));
    let start = if text.len() <= SHOWN { 0 } else { start };
    let end = text.len().min(start + SHOWN);
    let visible = |c: &char| if c.is_control() { ' ' } else { *c };
    let mut shown: String = text[start..end].iter().map(visible).collect();
    let mut before = column.map(|column| column - start);
    if start > 0 {
        shown.insert(0, '…');
        before = before.map(|before| before + 1);
    }
    if end < text.len() {
        shown.push('…');
    }
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let mut snippet = format!("{margin} |\n{number} | {shown}");
    if let Some(before) = before {
        snippet.push_str(&format!("\n{margin} | {}^", " ".repeat(before)));
    }
    Some(snippet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, line: usize, column: impl Into<Option<usize>>) -> String {
        snippet(source, Language::Python, line, column.into()).unwrap()
    }

    #[test]
    fn a_line_is_shown_with_a_mark() {
        assert_eq!(shown("a\n\tb = ż = \nc", 2, 6), "  |\n2 |  b = ż = \n  |      ^");
        assert_eq!(shown("a\r\nb\rc", 3, None), "  |\n3 | c");
        // The end of a script, and a place beyond it.
        assert_eq!(shown("a\n", 2, 1), "  |\n2 | \n  | ^");
        assert_eq!(shown("a", 1, 99), "  |\n1 | a\n  |  ^");
        assert_eq!(snippet("a", Language::Python, 0, Some(1)), None);
        assert_eq!(snippet("a", Language::Python, 5, Some(1)), None);
    }

    #[test]
    fn of_a_long_line_the_place_is_shown() {
        let line = format!("{}!{}", "a".repeat(5000), "b".repeat(5000));
        let shown = shown(&line, 1, 5001);
        let [_, text, mark] = *shown.lines().collect::<Vec<_>>() else { panic!("{shown}") };
        assert!(text.chars().count() < 120 && text.contains("…a") && text.ends_with("b…"), "{text}");
        assert_eq!(text.chars().position(|c| c == '!'), mark.chars().position(|c| c == '^'));
    }

    #[test]
    fn a_process_gets_many_small_sources_or_one_large_one() {
        let (small, large) = ("x".repeat(1000), "x".repeat(BATCH_BYTES + 1));
        assert_eq!(batch(&[&*small; 100]), 100);
        assert_eq!(batch(&[&*small; 1000]), BATCH);
        assert_eq!(batch(&[&*large, &*small]), 1);
        assert_eq!(batch(&[&*small, &*large, &*small]), 1);
    }
}
