//! What strangers wrote, in errors.

/// Characters that are shown.
const SHOWN: usize = 64;

/// What a caller or a script wrote, as an error shows it: not too much of it, and nothing that a terminal would obey. JSON
/// adds its own quoting.
///
/// ```
/// assert_eq!(syncano_core::quoted("it's\x1b[31m"), r"it's\u{1b}[31m");
/// assert_eq!(syncano_core::quoted(&"x".repeat(100)).chars().count(), 65);
/// ```
pub fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars().take(SHOWN) {
        match character {
            '"' | '\'' | '\\' => quoted.push(character),
            _ => quoted.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_wrote_is_shown_as_it_was_unless_it_is_long_or_invisible() {
        assert_eq!(quoted(r#"it's "a" \ ä"#), r#"it's "a" \ ä"#);
        assert_eq!(quoted("a\n\u{1b}[31m\u{202e}"), r"a\n\u{1b}[31m\u{202e}");
        assert_eq!(quoted(&"ä".repeat(64)), "ä".repeat(64));
        assert_eq!(quoted(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
    }
}
