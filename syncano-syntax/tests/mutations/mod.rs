//! Valid scripts made wrong in small ways: always the same ones.

/// A generator of numbers, the same ones for the same seed.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % end.max(1)
    }
}

/// A script with one slip: a token deleted, doubled, swapped with the next one, replaced, or put where none was.
pub(crate) fn mutate(source: &str, words: &[&str], numbers: &mut Numbers) -> String {
    let mut tokens = split(source);
    let solid: Vec<usize> = (0..tokens.len()).filter(|at| !tokens[*at].trim().is_empty()).collect();
    if solid.len() < 2 {
        return source.to_owned();
    }
    let at = numbers.below(solid.len() - 1);
    let (first, second) = (solid[at], solid[at + 1]);
    let word = words[numbers.below(words.len())];
    match numbers.below(6) {
        0 => tokens[first] = "",
        1 => tokens.insert(first, tokens[first]),
        2 => tokens.swap(first, second),
        3 => tokens[first] = word,
        4 => {
            for text in [" ", word, " "] {
                tokens.insert(first, text);
            }
        }
        // A bracket or a quote, which a slip often costs.
        _ => {
            let brackets: Vec<usize> =
                solid.iter().copied().filter(|at| "()[]{}\"'`:;,".contains(tokens[*at])).collect();
            if !brackets.is_empty() {
                tokens[brackets[numbers.below(brackets.len())]] = "";
            }
        }
    }
    tokens.concat()
}

/// Words, blanks, and everything else character by character.
fn split(source: &str) -> Vec<&str> {
    let kind = |c: char| {
        if c.is_alphanumeric() || c == '_' || c == '$' {
            1
        } else if c.is_whitespace() {
            2
        } else {
            0
        }
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last = 0;
    for (at, c) in source.char_indices() {
        if at > start && (kind(c) == 0 || kind(c) != last) {
            tokens.push(&source[start..at]);
            start = at;
        }
        last = kind(c);
    }
    tokens.push(&source[start..]);
    tokens
}

/// What a check and an interpreter said of many scripts.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) both_accept: usize,
    pub(crate) both_refuse: usize,
    pub(crate) missed: Vec<String>,
    pub(crate) alarms: Vec<String>,
}

impl Tally {
    /// Notes one script; `refused` is the interpreter's reason, `error` the check's.
    pub(crate) fn add(&mut self, what: &str, source: &str, refused: Option<&str>, error: Option<String>) {
        match (refused, error) {
            (None, None) => self.both_accept += 1,
            (Some(_), Some(_)) => self.both_refuse += 1,
            (Some(reason), None) => self.missed.push(format!("{what}: {reason}")),
            (None, Some(error)) => self.alarms.push(format!("{what}: {error}\n{source}")),
        }
    }

    /// Fails with the first false alarm, script and all.
    pub(crate) fn assert_no_alarm(&self) {
        let shown = self.alarms.first().map(String::as_str).unwrap_or_default();
        assert!(self.alarms.is_empty(), "{} false alarms, the first one: {shown}", self.alarms.len());
    }

    /// The share of the wrong scripts that the check found.
    pub(crate) fn recall(&self) -> f64 {
        let wrong = self.both_refuse + self.missed.len();
        if wrong == 0 { 1.0 } else { self.both_refuse as f64 / wrong as f64 }
    }
}
