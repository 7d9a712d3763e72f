//! Bounds how deep a script nests before anything walks down its tree.
//!
//! The parser, the visitors and the destructor of the tree all recurse. The measure here is an upper bound of the
//! tree's depth, taken from the kinds of the tokens alone.

use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// As in CPython: the 201st bracket inside of 200 others is refused.
const MAX_BRACKETS: usize = 200;
/// As in CPython.
const MAX_FORMAT_STRINGS: usize = 149;
/// As in CPython, whose limit of 100 counts the top level too.
const MAX_INDENTATION: usize = 99;
/// Operators, attributes, calls and so on that lie inside each other. CPython 3.11 gives up just below 3,000.
const MAX_DEPTH: usize = 3_000;

/// What nests too deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooDeep {
    Brackets,
    FormatStrings,
    Indentation,
    Expression,
}

impl TooDeep {
    pub(super) fn message(self) -> String {
        match self {
            Self::Brackets => format!("brackets nest too deep: {MAX_BRACKETS} levels are allowed"),
            Self::FormatStrings => {
                format!("f-strings nest too deep: {MAX_FORMAT_STRINGS} levels are allowed")
            }
            Self::Indentation => format!("blocks nest too deep: {MAX_INDENTATION} levels are allowed"),
            Self::Expression => format!("expression nests too deep: {MAX_DEPTH} levels are allowed"),
        }
    }
}

/// The first place where `source` nests too deep.
pub(super) fn check(source: &str) -> Result<(), (TooDeep, Range<usize>)> {
    let Err(problem) = measure(kinds(source)) else {
        return Ok(());
    };
    // The lexer keeps the places of its tokens to itself. The shortest text that is too deep ends at the place.
    let (mut fits, mut too_long) = (0, source.len());
    while too_long - fits > 1 {
        let middle = fits.midpoint(too_long);
        match measure(kinds(&source[..source.floor_char_boundary(middle)])) {
            Ok(()) => fits = middle,
            Err(_) => too_long = middle,
        }
    }
    Err((problem, source.floor_char_boundary(fits)..source.ceil_char_boundary(too_long)))
}

fn kinds(source: &str) -> impl Iterator<Item = TokenKind> {
    let mut lexer = lexer::lex(source, Mode::Module);
    std::iter::from_fn(move || Some(lexer.next_token())).take_while(|kind| *kind != TokenKind::EndOfFile)
}

/// Fails at the first token that nests too deep.
pub(super) fn measure(tokens: impl IntoIterator<Item = TokenKind>) -> Result<(), TooDeep> {
    let mut nesting = Nesting::default();
    tokens.into_iter().try_for_each(|kind| nesting.push(kind))
}

#[derive(Default)]
struct Nesting {
    indentation: usize,
    /// The current group, inside of `outer`.
    group: Group,
    outer: Vec<Group>,
    /// How much of the depth is the outer groups'.
    outer_depth: usize,
    brackets: usize,
    format_strings: usize,
}

impl Nesting {
    fn push(&mut self, kind: TokenKind) -> Result<(), TooDeep> {
        use TokenKind as T;

        match kind {
            T::Indent => {
                self.indentation += 1;
                if self.indentation > MAX_INDENTATION {
                    return Err(TooDeep::Indentation);
                }
            }
            T::Dedent => self.indentation = self.indentation.saturating_sub(1),
            T::Newline => self.start_line(),
            T::Lpar | T::Lsqb | T::Lbrace => {
                self.brackets += 1;
                if self.brackets > MAX_BRACKETS {
                    return Err(TooDeep::Brackets);
                }
                self.open();
            }
            T::Rpar | T::Rsqb | T::Rbrace => {
                self.brackets = self.brackets.saturating_sub(1);
                self.close();
            }
            T::FStringStart | T::TStringStart => {
                self.format_strings += 1;
                if self.format_strings > MAX_FORMAT_STRINGS {
                    return Err(TooDeep::FormatStrings);
                }
                self.open();
            }
            T::FStringEnd | T::TStringEnd => {
                self.format_strings = self.format_strings.saturating_sub(1);
                self.close();
            }
            _ => self.group.push(kind),
        }
        if self.outer_depth + self.group.depth() + self.indentation > MAX_DEPTH {
            return Err(TooDeep::Expression);
        }
        Ok(())
    }

    fn open(&mut self) {
        let outer = std::mem::take(&mut self.group);
        self.outer_depth += outer.depth_here() + 1;
        self.outer.push(outer);
    }

    fn close(&mut self) {
        let Some(outer) = self.outer.pop() else {
            return;
        };
        let inner = std::mem::replace(&mut self.group, outer).depth();
        self.outer_depth -= self.group.depth_here() + 1;
        self.group.operand = self.group.operand.max(inner) + 1;
    }

    /// A line starts inside of a bracket only when the parser gave up on the bracket.
    fn start_line(&mut self) {
        *self = Self { indentation: self.indentation, ..Self::default() };
    }
}

/// What stands between two brackets, or on a line.
#[derive(Default)]
struct Group {
    /// Blocks opened on this line: the parser nests `if a: if b: …` before it complains.
    blocks: usize,
    /// A keyword came which opens a block at the next colon.
    block_keyword: bool,
    /// Lambdas whose parameters are not yet complete; commas between these end nothing.
    lambdas: usize,
    /// The deepest of the elements before the last comma.
    deepest: usize,
    /// Operators of the current element.
    operators: usize,
    /// The deepest of the element's operands before the last operator.
    deepest_operand: usize,
    /// Attributes, subscripts and calls of the current operand.
    operand: usize,
}

impl Group {
    fn push(&mut self, kind: TokenKind) {
        use TokenKind as T;

        match kind {
            T::Dot => self.operand += 1,
            T::Comma if self.lambdas == 0 => self.end_element(),
            T::Semi => self.end_element(),
            T::Colon if self.lambdas > 0 => self.lambdas -= 1,
            T::Colon => {
                self.blocks += usize::from(std::mem::take(&mut self.block_keyword));
                self.end_element();
            }
            T::Lambda => {
                self.lambdas += 1;
                self.operator();
            }
            T::If | T::For => {
                self.block_keyword = true;
                self.operator();
            }
            T::While | T::With | T::Try | T::Def | T::Class | T::Match | T::Case => self.block_keyword = true,
            // The other half of a conditional expression.
            T::Else => self.block_keyword = false,
            // Chains of these make one flat node.
            T::And | T::Or | T::In | T::Is => self.end_operand(),
            T::EqEqual | T::NotEqual | T::Less | T::LessEqual | T::Greater | T::GreaterEqual => {
                self.end_operand()
            }
            T::Not | T::Await | T::Async | T::Yield | T::As | T::Unknown => self.operator(),
            T::Exclamation | T::Question | T::Equal | T::ColonEqual | T::Tilde => self.operator(),
            kind if kind.is_operator() => self.operator(),
            _ => {}
        }
    }

    fn operator(&mut self) {
        self.end_operand();
        self.operators += 1;
    }

    fn end_operand(&mut self) {
        self.deepest_operand = self.deepest_operand.max(self.operand);
        self.operand = 0;
    }

    fn end_element(&mut self) {
        self.end_operand();
        self.deepest = self.deepest.max(self.operators + self.deepest_operand);
        self.operators = 0;
        self.deepest_operand = 0;
    }

    /// How deep the whole group may be.
    fn depth(&self) -> usize {
        let element = self.operators + self.deepest_operand.max(self.operand);
        self.blocks + self.deepest.max(element)
    }

    /// How deep a bracket that opens now may lie.
    fn depth_here(&self) -> usize {
        self.blocks + self.operators + self.operand
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(source: &str) -> Option<(TooDeep, usize)> {
        check(source).err().map(|(problem, span)| (problem, span.start))
    }

    #[test]
    fn brackets() {
        let nested = |levels| "(".repeat(levels) + &")".repeat(levels);
        assert_eq!(problem(&nested(200)), None);
        assert_eq!(problem(&nested(201)), Some((TooDeep::Brackets, 200)));
        assert_eq!(problem(&"[{(".repeat(100_000)), Some((TooDeep::Brackets, 200)));
        assert_eq!(problem(&"()[]{}".repeat(500)), None);
        assert_eq!(problem(&format!("'{0}' # {0}", "(".repeat(500))), None);
    }

    #[test]
    fn indentation() {
        let nested = |levels| (0..=levels).map(|level| " ".repeat(level) + "if x:\n").collect::<String>();
        assert_eq!(problem(&nested(99)), None);
        assert!(matches!(problem(&nested(100)), Some((TooDeep::Indentation, _))));
    }

    #[test]
    fn chains() {
        assert_eq!(problem(&("x".to_owned() + &"+x".repeat(2_999))), None);
        assert_eq!(problem(&("x".to_owned() + &"+x".repeat(3_001))), Some((TooDeep::Expression, 6_001)));
        assert_eq!(problem(&"a and b or ".repeat(5_000)), None);
        assert_eq!(problem(&"-x, ".repeat(5_000)), None);
        assert_eq!(problem(&"x.y + 1\n".repeat(5_000)), None);
        assert_eq!(problem(&"f(x.y)(x + 1)[x]\n".repeat(5_000)), None);
        assert_eq!(problem(&format!("[{}]", "a if b else lambda c, d: -d, ".repeat(5_000))), None);
        assert_eq!(problem(&format!("{{{}}}", "k.l: [v for v in w if v], ".repeat(5_000))), None);
        assert_eq!(problem(&"a < b != c in d not in e is f ".repeat(2_500)), None);
        assert!(matches!(problem(&"lambda a, b: ".repeat(5_000)), Some((TooDeep::Expression, _))));
        assert!(matches!(problem(&"if x, y: ".repeat(5_000)), Some((TooDeep::Expression, _))));
    }
}
