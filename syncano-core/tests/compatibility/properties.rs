use proptest::prelude::*;
use serde_json::{Value, json};
use syncano_core::fits;

use crate::types::{Dice, Type, document, types};

/// Another's reading of a schema.
fn validator(schema: &Value) -> impl Fn(&Value) -> bool {
    let validator = jsonschema::validator_for(schema).unwrap();
    move |value| validator.is_valid(value)
}

fn values(of: &Type, seed: u64) -> impl Iterator<Item = Value> {
    let mut dice = Dice(seed);
    (0..40).filter_map(move |_| of.value(of, &mut dice, 0))
}

/// The claim about two schemas, held against values.
fn check(narrow: &Type, wide: &Type, seed: u64) -> Result<(), TestCaseError> {
    let (schema, other) = (document(narrow), document(wide));
    let (valid, valid_for_other) = (validator(&schema), validator(&other));
    match fits(&schema, &other) {
        Ok(()) => {
            for value in values(narrow, seed) {
                prop_assume!(valid(&value));
                prop_assert!(valid_for_other(&value), "{value} speaks against it\n{schema}\n{other}");
            }
        }
        Err(misfit) => {
            if let Some(witness) = &misfit.witness {
                prop_assert!(valid(witness), "{misfit}: {witness} is none\n{schema}\n{other}");
                prop_assert!(!valid_for_other(witness), "{misfit}: {witness} fits\n{schema}\n{other}");
            }
        }
    }
    Ok(())
}

/// Schemas that say the same in other words.
fn reworded(schema: &Value) -> Value {
    match schema {
        Value::Object(keys) => {
            let mut keys: serde_json::Map<_, _> =
                keys.iter().map(|(key, value)| (key.clone(), reworded(value))).collect();
            if keys.contains_key("type") && !keys["type"].is_object() {
                keys.insert("description".to_owned(), "the same".into());
            }
            Value::Object(keys)
        }
        Value::Array(items) => items.iter().map(reworded).collect(),
        other => other.clone(),
    }
}

/// One change of a type, somewhere in it.
fn changed(of: &Type, dice: &mut Dice) -> Type {
    if dice.roll(3) == 0 {
        return match dice.roll(4) {
            0 => Type::Option(of.clone().into()),
            1 => Type::Untagged(vec![of.clone(), Type::Null]),
            2 => Type::Bool,
            _ => match of {
                Type::Whole { least, most } => Type::Whole { least: least - 1, most: most + 1 },
                Type::Text { .. } => Type::Text { least: 0, most: None },
                other => other.clone(),
            },
        };
    }
    match of.clone() {
        Type::Option(inner) => Type::Option(changed(&inner, dice).into()),
        Type::List { item, length } => {
            Type::List { item: changed(&item, dice).into(), length: length.filter(|_| dice.roll(2) == 0) }
        }
        Type::Map(inner) => Type::Map(changed(&inner, dice).into()),
        Type::Struct(mut inner) => {
            match inner.fields.values_mut().next() {
                Some(field) if dice.roll(2) == 0 => field.1 = !field.1,
                Some(field) => field.0 = changed(&field.0, dice),
                None => inner.closed = !inner.closed,
            }
            Type::Struct(inner)
        }
        Type::Tagged(mut variants) => {
            variants.insert("c", Type::Null);
            Type::Tagged(variants)
        }
        Type::Words(mut words) => {
            words.push("d");
            Type::Words(words)
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_to_fit_has_no_value_that_does_not(narrow in types(), wide in types(), seed: u64) {
        check(&narrow, &wide, seed)?;
    }

    #[test]
    fn a_small_change_is_judged_rightly_in_both_directions(of in types(), seed: u64) {
        let other = changed(&of, &mut Dice(seed));
        check(&of, &other, seed)?;
        check(&other, &of, seed)?;
    }

    #[test]
    fn the_same_in_other_words_fits(of in types()) {
        let schema = document(&of);
        // Two variants may be alike, and then a `oneOf` has no values.
        if let Err(misfit) = fits(&schema, &reworded(&schema)) {
            prop_assert!(misfit.witness.is_none(), "{misfit}\n{schema}");
            prop_assert!(schema.to_string().contains("anyOf") || schema.to_string().contains("oneOf"),
                "{misfit}\n{schema}");
        }
    }

    #[test]
    fn what_admits_more_fits_no_longer(of in types()) {
        // Nothing else is as wide as anything.
        let schema = document(&of);
        prop_assert_eq!(fits(&schema, &json!(true)), Ok(()));
        let misfit = fits(&json!(true), &schema);
        prop_assert!(misfit.is_err());
    }
}

/// How many differences come with a witness, over what the generator makes.
#[test]
fn nearly_every_difference_comes_with_a_witness() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut differ, mut proven) = (0, 0);
    for _ in 0..2000 {
        let mut one = || types().new_tree(&mut runner).unwrap().current();
        let (narrow, wide) = (one(), one());
        // A type of which there are no values differs from none.
        if values(&narrow, 1).next().is_none() {
            continue;
        }
        // A type that is only another name of itself can't be compared.
        if let Err(misfit) = fits(&document(&narrow), &document(&wide))
            && !misfit.is_unknown()
        {
            differ += 1;
            proven += usize::from(misfit.witness.is_some());
        }
    }
    assert!(differ > 1000 && proven * 100 > differ * 98, "{proven} of {differ}");
}
