//! Bounds how deep a script nests before anything walks down its tree.
//!
//! The parser and the visitors recurse. The measure here is an upper bound of the tree's depth, taken from the tokens
//! alone.

use std::ops::Range;

use super::token::{Kind, Token, tokens};

/// Node gives up at a few thousand; and at some constructs the parser's time grows with the cube of the depth.
const MAX_BRACKETS: usize = 256;
/// Operators, members, calls, keywords that lie inside each other. Node takes long chains of operators.
const MAX_DEPTH: usize = 10_000;

/// What nests too deep, and where.
pub(super) struct TooDeep {
    pub(super) message: String,
    pub(super) span: Range<usize>,
    /// What lies before this can't be wrong because the script was cut at the place.
    pub(super) certain: usize,
}

/// The first place where `source` nests too deep.
pub(super) fn check(source: &str) -> Result<(), TooDeep> {
    let mut nesting = Nesting::default();
    let mut last = [0; 3];
    for token in tokens(source) {
        last = [last[1], last[2], token.start];
        nesting.push(source, &token);
        let problem = if nesting.outer.len() > MAX_BRACKETS {
            format!("brackets nest too deep: {MAX_BRACKETS} levels are allowed")
        } else if nesting.regex > MAX_BRACKETS {
            format!("the regular expression nests too deep: {MAX_BRACKETS} levels are allowed")
        } else if nesting.outer_depth + nesting.group.depth() > MAX_DEPTH {
            format!("expression nests too deep: {MAX_DEPTH} levels are allowed")
        } else {
            continue;
        };
        return Err(TooDeep { message: problem, span: token.range(), certain: last[0] });
    }
    Ok(())
}

#[derive(Default)]
struct Nesting {
    group: Group,
    outer: Vec<Group>,
    outer_depth: usize,
    /// The brackets of the last regular expression.
    regex: usize,
}

/// What stands between two brackets.
#[derive(Default)]
struct Group {
    /// Statements around the current place: of `if (a) if (b) …` both.
    statements: usize,
    /// Operators, keywords, members, calls since the last comma.
    operators: usize,
    /// A `do` waits for its `while`.
    in_do: bool,
    /// A semicolon came, which ends all of that unless `else` follows.
    ended: bool,
}

impl Group {
    fn depth(&self) -> usize {
        self.statements + self.operators
    }
}

impl Nesting {
    fn push(&mut self, source: &str, token: &Token) {
        let text = &source[token.range()];
        let group = &mut self.group;
        let goes_on = text == "else" || text == "while" && group.in_do;
        if (token.starts_over || group.ended) && !goes_on {
            *group = Group::default();
        }
        group.ended = false;
        match token.kind {
            Kind::Open => {
                self.outer_depth += group.depth() + 1;
                self.outer.push(std::mem::take(group));
            }
            Kind::Close => {
                if let Some(outer) = self.outer.pop() {
                    *group = outer;
                    self.outer_depth -= group.depth() + 1;
                    // Calls and subscripts chain.
                    group.operators += 1;
                }
            }
            Kind::Comma | Kind::Middle => group.operators = 0,
            Kind::Semicolon => group.ended = true,
            Kind::Operator => group.operators += 1,
            Kind::Label => group.statements += 1,
            Kind::Word if is_statement(text) => {
                group.in_do |= text == "do";
                group.statements += 1;
            }
            Kind::Word if is_operator(text) => group.operators += 1,
            // A tagged template.
            Kind::Literal if text.starts_with('`') => group.operators += 1,
            Kind::Regex => self.regex = text.bytes().filter(|byte| matches!(byte, b'(' | b'[')).count(),
            Kind::Word | Kind::Literal => {}
        }
    }
}

fn is_statement(word: &str) -> bool {
    matches!(
        word,
        "if" | "else" | "for" | "while" | "do" | "with" | "try" | "return" | "throw" | "case" | "export"
    )
}

fn is_operator(word: &str) -> bool {
    matches!(
        word,
        "new"
            | "typeof"
            | "void"
            | "delete"
            | "await"
            | "yield"
            | "class"
            | "extends"
            | "function"
            | "async"
            | "in"
            | "instanceof"
            | "import"
    )
}
