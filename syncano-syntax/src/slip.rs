//! Which name was meant by one that isn't there.

/// The known name that is nearest to a word, if it is near enough.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let allowed = length.div_ceil(4).clamp(1, 3);
    let candidates = known.into_iter().filter(|name| {
        let other = name.chars().count();
        *name != word && other >= 3 && length >= 3 && length + other >= 7 && length.abs_diff(other) <= allowed
    });
    candidates
        .map(|name| match word.eq_ignore_ascii_case(name) {
            true => (1, name),
            false => (strsim::damerau_levenshtein(word, name), name),
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by(|one, other| one.0.cmp(&other.0).then(one.1.cmp(other.1)))
        .map(|(_, name)| name)
}

/// The known name that somebody typed wrongly: a letter is missing, doubled or exchanged with the next one, or wrong inside of a
/// longer name. Names that differ otherwise, as `httpx` and `http`, are often both right.
pub(crate) fn mistyped<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().find(|name| is_mistyped(word.as_bytes(), name.as_bytes()))
}

fn is_mistyped(word: &[u8], name: &[u8]) -> bool {
    let same = word.iter().zip(name).take_while(|(a, b)| a == b).count();
    let (rest, meant) = (&word[same..], &name[same..]);
    match word.len() as isize - name.len() as isize {
        // A letter is missing; of a short name not at an end.
        -1 => {
            let at_end = same == 0 || same + 1 == name.len();
            name.len() >= if at_end { 6 } else { 4 } && rest == &meant[1..]
        }
        // Two are exchanged, or one is wrong.
        0 if rest.len() >= 2 && rest[0] == meant[1] && rest[1] == meant[0] && rest[2..] == meant[2..] => {
            name.len() >= 4
        }
        0 => name.len() >= 6 && same > 0 && rest.len() > 1 && rest[1..] == meant[1..],
        // One is doubled, or one too many inside.
        1 => {
            let doubled = same > 0 && rest[0] == word[same - 1] && rest[0].is_ascii_alphabetic();
            &rest[1..] == meant && (doubled || name.len() >= 6 && same > 0 && !meant.is_empty())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand() {
        for (word, name) in [
            ("jsn", "json"),
            ("jsno", "json"),
            ("jsson", "json"),
            ("colections", "collections"),
            ("collectons", "collections"),
            ("colllections", "collections"),
            ("fss", "fs"),
            ("pth", "path"),
            ("randim", "random"),
        ] {
            assert_eq!(mistyped(word, ["os", name]), Some(name), "{word}");
        }
    }

    #[test]
    fn names_of_their_own() {
        for (word, name) in [
            ("httpx", "http"),
            ("ujson", "json"),
            ("bson", "json"),
            ("lxml", "xml"),
            ("urllib3", "urllib"),
            ("json", "json"),
            ("o", "os"),
            ("", "os"),
            ("toml", "token"),
            ("ssh", "ssl"),
        ] {
            assert_eq!(mistyped(word, [name]), None, "{word}");
        }
    }

    #[test]
    fn nearest_names() {
        assert_eq!(nearest("AppEror", ["AppError", "ArithmeticError"]), Some("AppError"));
        assert_eq!(nearest("Bufer", ["Buffer"]), Some("Buffer"));
        assert_eq!(nearest("jsn", ["json", "j"]), Some("json"));
        assert_eq!(nearest("true", ["True"]), Some("True"));
        assert_eq!(nearest("os", ["abs", "ord"]), None);
        assert_eq!(nearest("i", ["id"]), None);
        assert_eq!(nearest("beta", ["META", "Beat"]), None);
        assert_eq!(nearest("window", ["width"]), None);
    }
}
