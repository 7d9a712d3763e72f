//! The tokens of any text, right or wrong.
//!
//! The parser keeps its tokens to itself when it fails, and nesting must be known before it starts. What a `/` begins
//! depends on what stands before it; brackets remember what they are for, which tells it in every valid script.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `(`, `[`, `{`, or the part of a template up to its first `${`.
    Open,
    /// `)`, `]`, `}`, or the last part of a template.
    Close,
    /// The part of a template between `}` and `${`.
    Middle,
    /// A name or a keyword.
    Word,
    /// A number, a string, a template without `${`.
    Literal,
    Regex,
    Comma,
    Semicolon,
    /// The colon after a label or a `case`.
    Label,
    Operator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// It is the first one on its line.
    pub(super) first: bool,
    /// It begins a statement, or a member of a class, that doesn't lie in the one before.
    pub(super) starts_over: bool,
}

impl Token {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

pub(super) fn tokens(source: &str) -> Tokens<'_> {
    Tokens {
        source,
        bytes: source.as_bytes(),
        at: 0,
        on_new_line: true,
        outer: Vec::new(),
        group: Group::new(Inside::Statements, b'\n', Then::Statement),
    }
}

pub(super) struct Tokens<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
    on_new_line: bool,
    outer: Vec<Group>,
    group: Group,
}

/// What stands between two brackets.
struct Group {
    inside: Inside,
    bracket: u8,
    then: Then,
    /// An operand has just ended, so that `/` divides.
    operand: bool,
    /// A statement begins here.
    statement: bool,
    /// It belongs to the one before, as after `else`.
    nested: bool,
    /// The key of a member begins here, or has just been read.
    key: bool,
    /// `function` came, and its body is still to come: whether it is a declaration.
    function: Option<bool>,
    class: Option<bool>,
    /// `?` whose `:` is still to come.
    conditions: usize,
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Statements,
    Object,
    Class,
    Expression,
}

/// What follows a closing bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Operand,
    Statement,
    /// The body of a function.
    Body,
    /// Another member of a class or an object.
    Member,
}

/// The last token, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Dot,
    Arrow,
    ArrowBody,
    /// Of `export default`.
    Default,
    Parameters,
    /// `if`, `for` and so on, whose brackets aren't an operand.
    Control,
    Extends,
    Other,
}

impl Group {
    fn new(inside: Inside, bracket: u8, then: Then) -> Self {
        Self {
            inside,
            bracket,
            then,
            operand: false,
            statement: inside == Inside::Statements,
            nested: false,
            key: matches!(inside, Inside::Object | Inside::Class),
            function: None,
            class: None,
            conditions: 0,
            last: Last::Other,
        }
    }

    fn start_statement(&mut self) {
        *self = Self::new(self.inside, self.bracket, self.then);
    }

    /// The statement that belongs to the one before.
    fn start_nested(&mut self) {
        self.start_statement();
        self.nested = true;
    }

    fn end_operand(&mut self) {
        self.operand = true;
        self.statement = false;
        self.last = Last::Other;
    }

    fn operator(&mut self) {
        self.operand = false;
        self.statement = false;
        self.last = Last::Other;
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.at;
        let first = std::mem::take(&mut self.on_new_line);
        let byte = *self.bytes.get(start)?;
        let had_operand = self.group.operand || self.group.last == Last::ArrowBody;
        let was_start = self.group.statement && !self.group.nested;
        let was_statement = self.group.statement;
        let was_key = self.group.inside == Inside::Class && self.group.key;
        let kind = match byte {
            b'(' | b'[' | b'{' => self.open(byte, first),
            b')' | b']' => self.close(byte),
            b'}' if self.group.bracket == b'`' => self.template(),
            b'}' => self.close(byte),
            b'`' => self.template(),
            b'"' | b'\'' => self.string(byte),
            b'0'..=b'9' => self.number(),
            b'.' if self.bytes.get(start + 1).is_some_and(u8::is_ascii_digit) => self.number(),
            b'/' => self.slash(first),
            b',' => {
                self.at += 1;
                self.group.operator();
                self.group.key = self.group.inside == Inside::Object;
                Kind::Comma
            }
            b';' => {
                self.at += 1;
                self.group.start_statement();
                Kind::Semicolon
            }
            byte if is_word(byte) => self.word(first),
            _ => self.operator(first),
        };
        let text = &self.source[start..self.at];
        let starts_over = match kind {
            Kind::Word | Kind::Literal | Kind::Regex => {
                let ended = first && had_operand && byte != b'`';
                (was_start || was_key || ended || was_statement && matches!(text, "case" | "default"))
                    && !goes_on(text)
            }
            Kind::Open => was_start && byte != b'(' && byte != b'[',
            _ => false,
        };
        Some(Token { kind, start, end: self.at, first, starts_over })
    }
}

/// Words that go on with what stands before them.
fn goes_on(word: &str) -> bool {
    matches!(word, "else" | "catch" | "finally" | "in" | "instanceof" | "of" | "from" | "as" | "extends")
}

/// Operators of several characters, longer ones first.
const WIDE: [&str; 29] = [
    ">>>=", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "**", "==", "!=", "<=", ">=",
    "&&", "||", "??", "<<", ">>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "=>",
];

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || byte >= 0x80
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else { return };
            if matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
                self.on_new_line = true;
                self.at += c.len_utf8();
            } else if c.is_whitespace() || c == '\u{feff}' {
                self.at += c.len_utf8();
            } else if rest.starts_with("//")
                || rest.starts_with("<!--")
                || self.on_new_line && rest.starts_with("-->")
                || self.at == 0 && rest.starts_with("#!")
            {
                self.at += rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let length = rest.get(2..).and_then(|rest| rest.find("*/")).map_or(rest.len(), |at| at + 4);
                self.on_new_line |= rest[..length].contains(['\n', '\r', '\u{2028}', '\u{2029}']);
                self.at += length;
            } else {
                return;
            }
        }
    }

    fn enter(&mut self, inside: Inside, bracket: u8, then: Then) {
        self.outer.push(std::mem::replace(&mut self.group, Group::new(inside, bracket, then)));
    }

    fn open(&mut self, bracket: u8, first: bool) -> Kind {
        self.at += 1;
        let group = &mut self.group;
        let in_members = matches!(group.inside, Inside::Object | Inside::Class);
        let (inside, then) = match bracket {
            b'(' if group.function.is_some() || in_members && group.key => {
                group.last = Last::Parameters;
                (Inside::Expression, Then::Body)
            }
            b'(' if group.last == Last::Control => (Inside::Expression, Then::Statement),
            b'(' | b'[' => (Inside::Expression, Then::Operand),
            _ if group.last == Last::Parameters => match group.function.take() {
                Some(true) => (Inside::Statements, Then::Statement),
                Some(false) => (Inside::Statements, Then::Operand),
                None => (Inside::Statements, Then::Member),
            },
            _ if group.last == Last::Arrow => {
                group.last = Last::ArrowBody;
                (Inside::Statements, Then::Operand)
            }
            _ if group.class.is_some() && group.last != Last::Extends => match group.class.take() {
                Some(true) => (Inside::Class, Then::Statement),
                _ => (Inside::Class, Then::Operand),
            },
            // `static {`
            _ if group.inside == Inside::Class && group.key => (Inside::Statements, Then::Member),
            // A block, also where a line break ended the statement before it.
            _ if group.statement || group.operand && first => (Inside::Statements, Then::Statement),
            _ => (Inside::Object, Then::Operand),
        };
        self.enter(inside, bracket, then);
        Kind::Open
    }

    fn close(&mut self, bracket: u8) -> Kind {
        self.at += 1;
        self.leave(match bracket {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        });
        Kind::Close
    }

    /// Leaves the group of `opener`, and those inside of it that nothing has closed; nothing if there is no such group.
    fn leave(&mut self, opener: u8) {
        if self.group.bracket != opener {
            let Some(index) = self.outer.iter().rposition(|group| group.bracket == opener) else {
                self.group.end_operand();
                return;
            };
            if let Some(group) = self.outer.drain(index..).next() {
                self.group = group;
            }
        }
        let then = self.group.then;
        let Some(outer) = self.outer.pop() else { return };
        self.group = outer;
        match then {
            Then::Statement if opener == b'(' => self.group.start_nested(),
            Then::Statement => self.group.start_statement(),
            Then::Member => {
                self.group.end_operand();
                self.group.key = true;
            }
            Then::Body => {
                self.group.operand = true;
                self.group.statement = false;
                self.group.last = Last::Parameters;
            }
            Then::Operand if self.group.last == Last::ArrowBody => {
                self.group.operand = false;
                self.group.statement = false;
            }
            Then::Operand => self.group.end_operand(),
        }
    }

    /// From a backtick, or from the `}` of a substitution, to the next `${` or the end.
    fn template(&mut self) -> Kind {
        let is_head = self.bytes[self.at] == b'`';
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'\\') => self.at += 2,
                Some(b'$') if self.bytes.get(self.at + 1) == Some(&b'{') => {
                    self.at += 2;
                    if is_head {
                        self.enter(Inside::Expression, b'`', Then::Operand);
                        return Kind::Open;
                    }
                    self.group = Group::new(Inside::Expression, b'`', Then::Operand);
                    return Kind::Middle;
                }
                Some(b'`') => {
                    self.at += 1;
                    break;
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = self.bytes.len();
                    break;
                }
            }
        }
        self.realign();
        if is_head {
            self.group.end_operand();
            return Kind::Literal;
        }
        self.leave(b'`');
        Kind::Close
    }

    /// After an escape the place may be inside of a character.
    fn realign(&mut self) {
        self.at = self.source.ceil_char_boundary(self.at.min(self.source.len()));
    }

    fn string(&mut self, quote: u8) -> Kind {
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'\\') if self.bytes[self.at..].starts_with(b"\\\r\n") => self.at += 3,
                Some(b'\\') => self.at += 2,
                Some(b'\n' | b'\r') | None => break,
                Some(byte) => {
                    self.at += 1;
                    if *byte == quote {
                        break;
                    }
                }
            }
        }
        self.realign();
        self.group.end_operand();
        Kind::Literal
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        let is_hexadecimal = self.bytes[start..].starts_with(b"0x") || self.bytes[start..].starts_with(b"0X");
        while let Some(byte) = self.bytes.get(self.at) {
            let exponent = !is_hexadecimal && matches!(self.bytes[self.at - 1.min(self.at)], b'e' | b'E');
            let part = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
            if !(part || self.at > start && exponent && matches!(byte, b'+' | b'-')) {
                break;
            }
            self.at += 1;
        }
        self.group.end_operand();
        Kind::Literal
    }

    fn slash(&mut self, first: bool) -> Kind {
        let group = &self.group;
        // After the body of an arrow function only a new statement can follow.
        let is_regex = !group.operand && (group.last != Last::ArrowBody || first);
        if !is_regex {
            return self.operator(first);
        }
        self.at += 1;
        let mut in_class = false;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' | b'\r' => break,
                b'\\' if !matches!(self.bytes.get(self.at + 1), Some(b'\n' | b'\r')) => self.at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.at += 1;
                    while self.bytes.get(self.at).is_some_and(u8::is_ascii_alphanumeric) {
                        self.at += 1;
                    }
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.realign();
        self.group.end_operand();
        Kind::Regex
    }

    fn word(&mut self, first: bool) -> Kind {
        let start = self.at;
        let rest = self.rest();
        let is_part = |c: char| {
            !c.is_whitespace() && c != '\u{feff}' && (!c.is_ascii() || is_word(c as u8)) && c != '#'
        };
        let length = rest.char_indices().skip(1).find(|(_, c)| !is_part(*c)).map_or(rest.len(), |(at, _)| at);
        self.at += length;
        let word = &self.source[start..self.at];

        let group = &mut self.group;
        // A line break ended the statement, or the field of a class, before it.
        if first && group.operand && !matches!(word, "in" | "instanceof") {
            let key = group.inside == Inside::Class;
            if group.inside == Inside::Statements || key {
                group.start_statement();
            }
        }
        if first && group.last == Last::ArrowBody {
            group.start_statement();
        }
        let is_name = group.last == Last::Dot || group.key && group.inside != Inside::Statements;
        if is_name {
            group.end_operand();
            return Kind::Word;
        }
        let is_declared = group.statement || group.last == Last::Default;
        match word {
            "if" | "for" | "while" | "with" | "switch" | "catch" => {
                group.operator();
                group.last = Last::Control;
                // `catch {`
                group.statement = word == "catch";
            }
            // `for await (`
            "await" if group.last == Last::Control => {}
            "else" | "do" | "try" | "finally" => group.start_nested(),
            "function" => {
                group.operator();
                group.function = Some(is_declared);
            }
            "class" => {
                group.operator();
                group.class = Some(is_declared);
            }
            "extends" => {
                group.operator();
                group.last = Last::Extends;
            }
            "async" => {
                group.end_operand();
                group.statement = is_declared;
            }
            "export" => {
                group.operand = false;
                group.last = Last::Other;
            }
            "default" => {
                group.operator();
                group.last = Last::Default;
            }
            "of" if !group.operand => group.end_operand(),
            "return" | "typeof" | "case" | "in" | "of" | "instanceof" | "new" | "delete" | "void"
            | "throw" | "yield" | "await" => group.operator(),
            _ => group.end_operand(),
        }
        Kind::Word
    }

    fn operator(&mut self, first: bool) -> Kind {
        let rest = self.rest();
        let group = &mut self.group;
        let length = if rest.starts_with("=>") {
            group.operator();
            group.last = Last::Arrow;
            2
        } else if rest.starts_with("?.") && !rest[2..].starts_with(|c: char| c.is_ascii_digit()) {
            group.operator();
            group.last = Last::Dot;
            2
        } else if rest.starts_with("...") {
            group.operator();
            group.key = false;
            3
        } else if rest.starts_with("++") || rest.starts_with("--") {
            if !group.operand || first {
                group.operator();
            }
            2
        } else if let Some(wide) = WIDE.into_iter().find(|wide| rest.starts_with(wide)) {
            group.operator();
            wide.len()
        } else {
            match rest.as_bytes()[0] {
                b'.' => {
                    group.operator();
                    group.last = Last::Dot;
                }
                b'?' => {
                    group.conditions += 1;
                    group.operator();
                }
                b':' if group.conditions > 0 => {
                    group.conditions -= 1;
                    group.operator();
                }
                // A label, or `case …:`.
                b':' if group.inside == Inside::Statements => {
                    group.start_nested();
                    self.at += 1;
                    return Kind::Label;
                }
                b':' => {
                    group.key = false;
                    group.operator();
                }
                b'=' => {
                    group.key = false;
                    group.operator();
                }
                // Of a generator.
                b'*' if group.key || group.function.is_some() => {}
                _ => group.operator(),
            }
            1
        };
        self.at += length;
        Kind::Operator
    }
}
