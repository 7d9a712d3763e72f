//! Rust types, through schemars, in every way that serde writes them.

#![allow(dead_code)]

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU8;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncano_core::{Outputs, fits};

/// Whether what `New` may be can be read as `Old`; the difference otherwise.
fn reads<New: JsonSchema, Old: JsonSchema>() -> Result<(), String> {
    let (new, old) = (Outputs::of::<New>(), Outputs::of::<Old>());
    fits(&new, &old).map_err(|misfit| {
        assert!(misfit.witness.is_some(), "{misfit} has no witness\n{new}\n{old}");
        misfit.to_string()
    })
}

macro_rules! versions {
    ($one:ident, $two:ident, { $($item:item)* } then { $($other:item)* }) => {
        mod $one { use super::*; $(#[derive(Serialize, Deserialize, JsonSchema)] $item)* }
        mod $two { use super::*; $(#[derive(Serialize, Deserialize, JsonSchema)] $other)* }
    };
}

#[test]
fn numbers_widen_and_do_not_narrow() {
    assert_eq!(reads::<u8, u32>(), Ok(()));
    assert_eq!(reads::<u32, i64>(), Ok(()));
    assert_eq!(reads::<i32, f64>(), Ok(()));
    assert_eq!(reads::<NonZeroU8, u8>(), Ok(()));
    assert_eq!(reads::<u32, u8>(), Err("it may be more than 255".to_owned()));
    assert_eq!(reads::<i64, u64>(), Err("it may be less than 0".to_owned()));
    assert_eq!(reads::<u64, i64>(), Err("it may be more than 9223372036854775807".to_owned()));
    assert_eq!(reads::<f64, i64>(), Err("it may have a fraction, and must be a whole number".to_owned()));
    assert_eq!(reads::<u8, NonZeroU8>(), Err("it may be less than 1".to_owned()));
}

#[test]
fn containers_are_compared_by_what_they_contain() {
    assert_eq!(reads::<Vec<u8>, Vec<u16>>(), Ok(()));
    assert_eq!(reads::<[u8; 2], Vec<u8>>(), Ok(()));
    assert_eq!(reads::<(u8, u8), [u8; 2]>(), Ok(()));
    assert_eq!(reads::<HashSet<u8>, Vec<u8>>(), Ok(()));
    assert_eq!(reads::<BTreeMap<String, u8>, BTreeMap<String, Option<u8>>>(), Ok(()));
    assert_eq!(reads::<BTreeMap<u8, u8>, BTreeMap<i32, u8>>(), Ok(()));
    assert_eq!(reads::<BTreeMap<u8, u8>, BTreeMap<u8, u16>>(), Ok(()));
    assert_eq!(reads::<BTreeMap<u8, u8>, BTreeMap<String, u8>>(), Ok(()));
    assert_eq!(
        reads::<Vec<Option<u8>>, Vec<u8>>(),
        Err("at /*: may be `null`, and must be a whole number".to_owned())
    );
    assert_eq!(reads::<Vec<u8>, [u8; 2]>(), Err("it may have fewer than 2 items".to_owned()));
    assert_eq!(
        reads::<(u8, String), (u8, u8)>(),
        Err("at /1: may be a text, and must be a whole number".to_owned())
    );
    assert_eq!(
        reads::<BTreeMap<String, String>, BTreeMap<String, char>>(),
        Err("at /*: may have fewer than 1 characters".to_owned())
    );
}

versions!(struct_1, struct_2, {
    pub(super) struct Item { name: String, left: Option<u32>, next: Option<Box<Item>> }
} then {
    pub(super) struct Item { name: String, left: Option<u32>, next: Option<Box<Item>>, price: u32 }
});

#[test]
fn a_field_more_is_read_over_and_one_less_is_missed() {
    assert_eq!(reads::<struct_2::Item, struct_1::Item>(), Ok(()));
    assert_eq!(
        reads::<struct_1::Item, struct_2::Item>(),
        Err("at /price: may be missing, and is required".to_owned())
    );
}

versions!(deny_1, deny_2, {
    #[serde(deny_unknown_fields)] pub(super) struct Item { name: String }
} then {
    #[serde(deny_unknown_fields)] pub(super) struct Item { name: String, #[serde(default)] left: u8 }
});

#[test]
fn unknown_fields_matter_where_they_are_denied() {
    assert_eq!(reads::<deny_1::Item, deny_2::Item>(), Ok(()));
    assert_eq!(
        reads::<deny_2::Item, deny_1::Item>(),
        Err("at /left: may be there, and isn't admitted".to_owned())
    );
}

versions!(tagged_1, tagged_2, {
    pub(super) enum Shape { Point, Circle { radius: u8 }, Many(Vec<Shape>) }
} then {
    pub(super) enum Shape { Point, Circle { radius: u16 }, Square { side: u8 }, Many(Vec<Shape>) }
});
versions!(internal_1, internal_2, {
    #[serde(tag = "kind")] pub(super) enum Shape { Point, Circle { radius: u8 } }
} then {
    #[serde(tag = "kind")] pub(super) enum Shape { Point, Circle { radius: u8 }, Square { side: u8 } }
});
versions!(adjacent_1, adjacent_2, {
    #[serde(tag = "t", content = "c")] pub(super) enum Shape { Point, Circle(u8) }
} then {
    #[serde(tag = "t", content = "c")] pub(super) enum Shape { Point, Circle(u8), Square { side: u8 } }
});
versions!(untagged_1, untagged_2, {
    #[serde(untagged)] pub(super) enum Shape { Radius(u8), Named(String) }
} then {
    #[serde(untagged)] pub(super) enum Shape { Radius(u8), Named(String), Sides(Vec<u8>) }
});
versions!(unit_1, unit_2, {
    pub(super) enum Shape { Point, Circle }
} then {
    pub(super) enum Shape { Point, Circle, #[doc = "With four."] Square }
});

#[test]
fn enums_may_have_more_variants_where_they_are_read_and_not_where_they_are_written() {
    assert_eq!(reads::<internal_1::Shape, internal_2::Shape>(), Ok(()));
    assert_eq!(reads::<adjacent_1::Shape, adjacent_2::Shape>(), Ok(()));
    assert_eq!(reads::<untagged_1::Shape, untagged_2::Shape>(), Ok(()));
    assert_eq!(reads::<unit_1::Shape, unit_2::Shape>(), Ok(()));
    assert_eq!(reads::<tagged_1::Shape, tagged_2::Shape>(), Ok(()));

    assert_eq!(
        reads::<unit_2::Shape, unit_1::Shape>(),
        Err("it may be `\"Square\"`, which isn't admitted".to_owned())
    );
    let more = reads::<internal_2::Shape, internal_1::Shape>().unwrap_err();
    assert_eq!(more, "at /kind: may be `\"Square\"`, which isn't admitted");
    let more = reads::<adjacent_2::Shape, adjacent_1::Shape>().unwrap_err();
    assert_eq!(more, "at /t: may be `\"Square\"`, which isn't admitted");
    let more = reads::<untagged_2::Shape, untagged_1::Shape>().unwrap_err();
    assert_eq!(more, "it may be a list, and must be a whole number or a text");
    let wider = reads::<tagged_2::Shape, tagged_1::Shape>().unwrap_err();
    assert_eq!(wider, "at /Circle/radius: may be more than 255");
}

versions!(flat_1, flat_2, {
    #[serde(tag = "kind")] pub(super) enum Kind { A { x: u8 }, B }
    pub(super) struct Item { name: String, #[serde(flatten)] kind: Kind }
} then {
    #[serde(tag = "kind")] pub(super) enum Kind { A { x: u8 }, B, C { y: u8 } }
    pub(super) struct Item { name: String, #[serde(flatten)] kind: Kind }
});

mod more {
    #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub(super) enum Shape {
        Point,
        Square { side: u8 },
    }
}

#[test]
fn flattened_enums_are_part_of_the_object() {
    assert_eq!(reads::<flat_1::Item, flat_2::Item>(), Ok(()));
    assert_eq!(
        reads::<flat_2::Item, flat_1::Item>(),
        Err("at /kind: may be `\"C\"`, which isn't admitted".to_owned())
    );
    assert_eq!(
        reads::<more::Shape, tagged_1::Shape>(),
        Err("at /Square: may be there, and isn't admitted".to_owned())
    );
}
