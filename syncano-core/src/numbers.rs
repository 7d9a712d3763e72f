//! Numbers of a JSON text that don't survive being read as 64 bits.
//!
//! A [`Value`] holds a whole number beyond 64 bits as the nearest float, and a script in JavaScript reads every number as
//! one. So the text itself is looked at, and only where [`has_long`] finds enough digits in a row: that costs one byte in
//! sixteen.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Language, Mismatch, Path, Segment, quoted};

/// Digits of the smallest whole number that a float may not hold.
const DIGITS: usize = 16;
/// Digits of the largest float.
const FLOAT_DIGITS: usize = 309;
/// Digits that Python reads of one number.
const PYTHON_DIGITS: usize = 4300;
/// Numbers that are reported.
const REPORTED: usize = 8;
/// The float that stands in a [`Value`] for a whole number beyond all floats.
const STAND_IN: f64 = 1e308;

/// Says whether a JSON text may hold a whole number beyond 2^53.
pub fn has_long(json: &[u8]) -> bool {
    let mut at = DIGITS - 1;
    // Of so many digits in a row one stands at each such step.
    while let Some(byte) = json.get(at) {
        if byte.is_ascii_digit() {
            let before = json[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let after = json[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let is_fraction = json[..at - before].last() == Some(&b'.');
            if before + after >= DIGITS && !is_fraction {
                return true;
            }
            at += after;
        }
        at += DIGITS;
    }
    false
}

/// Returns the text with whole numbers that no float holds replaced by floats of the same length, so that it can be read as a
/// [`Value`]; `None` if it has none of them.
///
/// # Errors
/// The first number with a fraction or an exponent that no float holds.
pub fn in_range(json: &str) -> Result<Option<String>, Mismatch> {
    let mut replaced = String::new();
    let mut done = 0;
    let mut problem = None;
    Scan::new(json, None).numbers(|scan, number| {
        if problem.is_some() || !number.text.parse::<f64>().is_ok_and(f64::is_infinite) {
            return;
        }
        if !number.is_whole() {
            let shown = quoted(number.text);
            let text = format!("the number `{shown}` is beyond what a float holds: send it as text");
            problem = Some(Mismatch { pointer: scan.pointer(), problem: text });
            return;
        }
        let sign = number.text.len() - number.digits().len();
        replaced += &json[done..number.at + sign];
        replaced += "1.";
        replaced.extend(std::iter::repeat_n('0', number.digits().len() - 6));
        replaced += "e308";
        done = number.at + number.text.len();
    });
    match problem {
        Some(problem) => Err(problem),
        None if done == 0 => Ok(None),
        None => Ok(Some(replaced + &json[done..])),
    }
}

/// Returns the numbers of a JSON text that a script in this language wouldn't get with all their digits.
pub fn lost(language: Language, json: &str) -> Vec<Mismatch> {
    report(json, |number| lost_problem(language, number))
}

/// Returns the whole numbers of a JSON text that have more than 64 bits: a [`Value`] doesn't keep them.
pub fn beyond_64_bits(json: &str) -> Vec<Mismatch> {
    report(json, |number| {
        let shown = quoted(number.text);
        let text = || format!("the whole number `{shown}` has more than 64 bits: send it as text");
        number.is_beyond_64_bits().then(text)
    })
}

/// Returns the whole numbers of a JSON text that no float holds with all their digits.
pub fn beyond_floats(json: &str) -> Vec<&str> {
    let mut found = Vec::new();
    if has_long(json.as_bytes()) {
        Scan::new(json, None).numbers(|_, number| {
            if number.is_whole() && number.digits().len() >= DIGITS && !is_float(number.text) {
                found.push(number.text);
            }
        });
    }
    found
}

/// Returns the text with `0` for each whole `-0`, which JavaScript has and no type of whole numbers does; `None` if it has
/// none.
pub fn without_negative_zeros(json: &str) -> Option<String> {
    if !json.contains("-0") {
        return None;
    }
    let mut replaced = String::new();
    let mut done = 0;
    Scan::new(json, None).numbers(|_, number| {
        if number.text == "-0" {
            replaced += &json[done..number.at];
            done = number.at + 1;
        }
    });
    (done > 0).then(|| replaced + &json[done..])
}

fn report(json: &str, problem: impl Fn(&Number<'_>) -> Option<String>) -> Vec<Mismatch> {
    let mut found = Vec::new();
    if has_long(json.as_bytes()) {
        Scan::new(json, None).numbers(|scan, number| {
            if found.len() < REPORTED
                && let Some(problem) = problem(&number)
            {
                found.push(Mismatch { pointer: scan.pointer(), problem });
            }
        });
    }
    found
}

fn lost_problem(language: Language, number: &Number<'_>) -> Option<String> {
    let largest = language.largest_whole_number();
    match largest {
        Some(largest) if number.is_whole() && number.is_beyond(largest) => {
            Some(beyond_problem(language, largest, number.text))
        }
        None if number.is_whole() && number.digits().len() > PYTHON_DIGITS => Some(format!(
            "expected a whole number of at most {PYTHON_DIGITS} digits, found one of {}: send it as text",
            number.digits().len()
        )),
        _ => None,
    }
}

/// Says that a script would take the whole number for another one.
pub(crate) fn beyond_problem(language: Language, largest: u64, found: &str) -> String {
    format!(
        "expected a whole number up to {largest}, beyond which scripts in {language} don't get all digits, found `{}`: send \
         it as text",
        quoted(found)
    )
}

/// Whole numbers of a JSON text, by where they stand in the value that was read from it.
#[derive(Default)]
pub(crate) struct LongNumbers<'t>(HashMap<*const Value, &'t str>);

impl<'t> LongNumbers<'t> {
    /// Finds those that their reader can't hold in 64 bits.
    pub(crate) fn of(reader: Option<Language>, json: &'t str, value: &Value) -> LongNumbers<'t> {
        let mut found = HashMap::new();
        if has_long(json.as_bytes()) {
            let largest = reader.and_then(Language::largest_whole_number);
            Scan::new(json, Some(value)).numbers(|scan, number| {
                let is_long = match largest {
                    Some(largest) => number.is_whole() && number.is_beyond(largest),
                    None => number.is_beyond_64_bits(),
                };
                // Of a key that stands there twice the last value is kept.
                if is_long
                    && let Some(here @ Value::Number(kept)) = scan.here()
                    && kept.as_f64() == Some(number.as_float())
                {
                    found.insert(std::ptr::from_ref(here), number.text);
                }
            });
        }
        LongNumbers(found)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number as it is written, if the value is one of them.
    pub(crate) fn text(&self, value: &Value) -> Option<&'t str> {
        if self.0.is_empty() { None } else { self.0.get(&std::ptr::from_ref(value)).copied() }
    }

    /// Takes the number to be read as a float, which is what its schema asks for.
    pub(crate) fn forget(&mut self, value: &Value) {
        self.0.remove(&std::ptr::from_ref(value));
    }

    /// Returns what a script in this language would take for another number.
    pub(crate) fn lost(&self, language: Language, json: &str, value: &Value) -> Vec<Mismatch> {
        let mut lost = Vec::new();
        Scan::new(json, Some(value)).numbers(|scan, number| {
            if lost.len() < REPORTED
                && let Some(here) = scan.here()
                && self.text(here) == Some(number.text)
                && let Some(problem) = lost_problem(language, &number)
            {
                lost.push(Mismatch { pointer: scan.pointer(), problem });
            }
        });
        lost
    }
}

/// Says whether a float shows the same digits as this whole number: nothing is lost then.
pub fn is_float(whole: &str) -> bool {
    whole.parse::<f64>().is_ok_and(|float| float.is_finite() && float.to_string() == whole)
}

/// A number as it is written.
struct Number<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Number<'t> {
    fn is_whole(&self) -> bool {
        !self.text.contains(['.', 'e', 'E'])
    }

    fn digits(&self) -> &'t str {
        self.text.strip_prefix('-').unwrap_or(self.text)
    }

    /// JSON has no leading zeros.
    fn is_beyond(&self, largest: u64) -> bool {
        self.digits().len() >= DIGITS && self.digits().parse::<u64>().map_or(true, |number| number > largest)
    }

    fn is_beyond_64_bits(&self) -> bool {
        self.is_whole()
            && self.text.len() > 18
            && self.text.parse::<i64>().is_err()
            && self.text.parse::<u64>().is_err()
    }

    /// As a [`Value`] holds it.
    fn as_float(&self) -> f64 {
        let float: f64 = self.text.parse().unwrap_or(f64::NAN);
        if float.is_infinite() && self.digits().len() >= FLOAT_DIGITS {
            STAND_IN.copysign(float)
        } else {
            float
        }
    }
}

/// Goes through a JSON text. One that isn't JSON is gone through somehow.
struct Scan<'t, 'v> {
    text: &'t str,
    at: usize,
    /// What was read from the text, if somebody asks where in it a number stands.
    root: Option<&'v Value>,
    levels: Vec<Level<'t, 'v>>,
}

/// An object or a list that is open.
struct Level<'t, 'v> {
    value: Option<&'v Value>,
    place: Place<'t>,
}

enum Place<'t> {
    /// With its quotes; empty before the first one.
    Key(&'t str),
    Index(usize),
}

impl<'t, 'v> Scan<'t, 'v> {
    fn new(text: &'t str, root: Option<&'v Value>) -> Scan<'t, 'v> {
        Scan { text, at: 0, root, levels: Vec::new() }
    }

    fn numbers(mut self, mut each: impl FnMut(&Self, Number<'t>)) {
        let bytes = self.text.as_bytes();
        let mut awaits_key = false;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    let start = self.at;
                    self.skip_text();
                    if awaits_key && let Some(Level { place: Place::Key(key), .. }) = self.levels.last_mut() {
                        *key = &self.text[start..self.at];
                        awaits_key = false;
                    }
                    continue;
                }
                b'{' | b'[' => {
                    let value = self.here();
                    awaits_key = *byte == b'{';
                    let place = if awaits_key { Place::Key("") } else { Place::Index(0) };
                    self.levels.push(Level { value, place });
                }
                b'}' | b']' => {
                    self.levels.pop();
                    awaits_key = false;
                }
                b',' => match self.levels.last_mut() {
                    Some(Level { place: Place::Index(index), .. }) => *index += 1,
                    Some(Level { place: Place::Key(_), .. }) => awaits_key = true,
                    None => {}
                },
                b'-' | b'0'..=b'9' => {
                    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                    let length = bytes[self.at..].iter().take_while(is_part).count();
                    let number = Number { text: &self.text[self.at..self.at + length], at: self.at };
                    each(&self, number);
                    self.at += length;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn skip_text(&mut self) {
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => return,
                // Whatever is escaped is ASCII.
                b'\\' if bytes.get(self.at).is_some_and(u8::is_ascii) => self.at += 1,
                _ => {}
            }
        }
    }

    /// The value that stands here.
    fn here(&self) -> Option<&'v Value> {
        match self.levels.last() {
            None => self.root,
            Some(level) => match (level.value?, &level.place) {
                (Value::Object(fields), Place::Key(key)) => fields.get(&*unquoted(key)),
                (Value::Array(items), Place::Index(index)) => items.get(*index),
                _ => None,
            },
        }
    }

    fn pointer(&self) -> String {
        let segments = self.levels.iter().map(|level| match level.place {
            Place::Key(key) => Segment::Key(unquoted(key)),
            Place::Index(index) => Segment::Index(index),
        });
        let segments: Vec<Segment> = segments.collect();
        if segments.is_empty() { String::new() } else { Path(segments).to_string() }
    }
}

fn unquoted(key: &str) -> String {
    serde_json::from_str(key).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_numbers_are_noticed_wherever_they_stand() {
        for at in 0..40 {
            let padding = " ".repeat(at);
            for (json, long) in [
                ("9007199254740993", true),
                ("900719925474099", false),
                ("0.12345678901234567", false),
                ("123456789012345,1234567890123456", true),
                ("0.1234567890123456,-1234567890123456", true),
                ("[1e16, 1.5, \"a\"]", false),
            ] {
                assert_eq!(has_long(format!("{padding}{json}{padding}").as_bytes()), long, "{at} {json}");
            }
        }
    }

    #[test]
    fn a_script_is_not_given_what_it_would_take_for_another_number() {
        let json = r#"{"a/b": [1, {"~\"": -9007199254740992}], "t": "9007199254740993", "x": 9007199254740991,
            "f": 9007199254740993.0, "y": 18446744073709551616}"#;
        let places: Vec<String> =
            lost(Language::JavaScript, json).into_iter().map(|lost| lost.pointer).collect();
        assert_eq!(places, ["/a~1b/1/~0\"", "/y"]);
        assert_eq!(lost(Language::Python, json), []);
        assert_eq!(
            lost(Language::JavaScript, "9007199254740993")[0].to_string(),
            "at /: expected a whole number up to 9007199254740991, beyond which scripts in JavaScript don't get all \
             digits, found `9007199254740993`: send it as text"
        );
        let digits = |count| format!("[-{}]", "7".repeat(count));
        assert_eq!(lost(Language::Python, &digits(4300)), []);
        assert_eq!(
            lost(Language::Python, &digits(4301))[0].to_string(),
            "at /0: expected a whole number of at most 4300 digits, found one of 4301: send it as text"
        );
    }

    #[test]
    fn what_has_more_than_64_bits_is_told() {
        let places = |json: &str| beyond_64_bits(json).into_iter().map(|m| m.pointer).collect::<Vec<_>>();
        let json = format!("[{}, {}, {}, 1e300, 0.5]", u64::MAX, i64::MIN, i64::MAX);
        assert_eq!(places(&json), [""; 0]);
        assert_eq!(places("[18446744073709551616, {\"a\": -9223372036854775809}]"), ["/0", "/1/a"]);
    }

    #[test]
    fn numbers_beyond_all_floats_are_replaced_or_told() {
        let long = "9".repeat(400);
        let json = format!(r#"{{"a": [-{long}, 1.5], "b": {long}}}"#);
        let replaced = in_range(&json).unwrap().unwrap();
        assert_eq!(replaced.len(), json.len());
        let value: Value = serde_json::from_str(&replaced).unwrap();
        assert_eq!(value, json!({"a": [-1e308, 1.5], "b": 1e308}));
        let numbers = LongNumbers::of(None, &json, &value);
        assert_eq!(numbers.text(&value["b"]), Some(long.as_str()));
        assert_eq!(numbers.text(&value["a"][1]), None);
        assert_eq!(in_range("[1, 1e308]"), Ok(None));
        assert_eq!(
            in_range(r#"{"a": [0, -1E400]}"#).unwrap_err().to_string(),
            "at /a/1: the number `-1E400` is beyond what a float holds: send it as text"
        );
    }

    #[test]
    fn a_float_that_shows_the_same_digits_is_the_number() {
        let json =
            "[9007199254740993, 9007199254740994, 590295810358705700000, 590295810358705651712, 1e30, 0.5]";
        assert_eq!(beyond_floats(json), ["9007199254740993", "590295810358705651712"]);
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_number_is_meant() {
        let json = r#"{"a": 18446744073709551617, "a": 3}"#;
        let value: Value = serde_json::from_str(json).unwrap();
        assert!(LongNumbers::of(None, json, &value).is_empty());
    }

    #[test]
    fn what_is_no_json_is_gone_through_without_harm() {
        for json in ["]}{\"", "\"\\", "\"\\ä\"", "{\"a\\\": 1", "[,,{,}", "-", "{\"a\" 1}", "ä1e999ä"] {
            let long = format!("{json}12345678901234567890{json}");
            lost(Language::JavaScript, &long);
            let _ = in_range(&long);
        }
    }
}
