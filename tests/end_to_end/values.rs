//! Values that are sent and returned arrive bit for bit, or are refused with their place.

use serde_json::{Value, json};
use syncano_client::{CallError, Method, socket};
use syncano_server::FlatNames;

use crate::{World, node, python};

#[socket(name = "in-python", runtime = "python3")]
mod in_python {
    use serde_json::Value;

    #[endpoint("doubles", POST, GET, source = "def main(v): return v")]
    pub async fn doubles(v: &[f64]) -> Vec<f64>;

    #[endpoint("wholes", POST, GET, source = "def main(v): return v")]
    pub async fn wholes(v: &[i64]) -> Vec<i64>;

    #[endpoint("larger", POST, GET, source = "def main(v): return v")]
    pub async fn larger(v: &[u128]) -> Vec<u128>;

    #[endpoint("any", POST, source = "def main(n): return 2 ** n + 1")]
    pub async fn any(n: u8) -> Value;

    #[endpoint("some", GET, POST, source = "def main(v=None, w=None): return [v, w]")]
    pub async fn some(v: Option<Vec<String>>, w: Option<Vec<Option<f64>>>) -> Value;

    #[endpoint(
        "deep",
        POST,
        source = r#"
        def main(levels):
            v = 1
            for _ in range(levels):
                v = [v]
            return v
    "#
    )]
    pub async fn deep(levels: u16) -> Value;
}

#[socket(name = "in-javascript", runtime = "nodejs")]
mod in_javascript {
    #[endpoint("doubles", POST, GET, source = "export default ({ v }) => v")]
    pub async fn doubles(v: &[f64]) -> Vec<f64>;

    #[endpoint("wholes", POST, GET, source = "export default ({ v }) => v")]
    pub async fn wholes(v: &[i64]) -> Vec<i64>;

    #[endpoint("rounded", POST, source = "export default ({ v }) => v.map(Math.round)")]
    pub async fn rounded(v: &[f64]) -> Vec<i64>;
}

/// Numbers that differ from each other and are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // The generator splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Any bits, fractions of one, amounts of money, and whole numbers in turn.
    fn double(&mut self, index: usize) -> f64 {
        let bits = self.next();
        let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        match index % 4 {
            0 => Some(f64::from_bits(bits)).filter(|any| any.is_finite() && *any != 0.0).unwrap_or(0.5),
            1 => fraction,
            2 => (fraction * 1e8).round() / 100.0,
            _ => (bits >> (bits % 60)) as f64 * 16.0,
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_numbers_come_back_bit_for_bit() {
    if !python() || !node() {
        return;
    }
    const AT_ONCE: usize = 16_000;
    let world = World::with(|server| server.flat_names(FlatNames::Alias)).await;
    in_python::publish(&world.instance).await.unwrap();
    in_javascript::publish(&world.instance).await.unwrap();
    let python = in_python::Client::new(&world.instance);
    let javascript = in_javascript::Client::new(&world.instance);
    let mut random = Random(2016);
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    for _ in 0..7 {
        let doubles: Vec<f64> = (0..AT_ONCE).map(|index| random.double(index)).collect();
        let sent = bits(&doubles);
        assert!(bits(&python.doubles(&doubles).await.unwrap()) == sent);
        assert!(bits(&javascript.doubles(&doubles).await.unwrap()) == sent);
        let wholes: Vec<i64> = (0..AT_ONCE).map(|_| random.next().cast_signed()).collect();
        assert!(python.wholes(&wholes).await.unwrap() == wholes);
        let safe: Vec<i64> = wholes.iter().map(|whole| whole >> 11).collect();
        assert!(javascript.wholes(&safe).await.unwrap() == safe);
    }
    for _ in 0..4 {
        let doubles: Vec<f64> = (0..100).map(|index| random.double(index)).collect();
        let sent = bits(&doubles);
        assert!(bits(&python.doubles(&doubles).method(Method::Get).await.unwrap()) == sent);
        assert!(bits(&javascript.doubles(&doubles).method(Method::Get).await.unwrap()) == sent);
    }
    let zeros = [-0.0, 0.0, -0.0];
    for method in [Method::Post, Method::Get] {
        assert_eq!(bits(&python.doubles(&zeros).method(method).await.unwrap()), bits(&zeros));
        assert_eq!(bits(&javascript.doubles(&zeros).method(method).await.unwrap()), bits(&zeros));
    }
    // What JavaScript rounds to -0 is a whole number as well.
    assert_eq!(javascript.rounded(&[-0.4, 1.5, -0.0]).await.unwrap(), [0, 2, 0]);
    for method in [Method::Post, Method::Get] {
        let large = [u128::MAX, 1 << 64, u64::MAX.into(), 0];
        assert_eq!(python.larger(&large).method(method).await.unwrap(), large);
        let refused = javascript.wholes(&[0, 1 << 53]).method(method).await.unwrap_err();
        let CallError::Api { error, .. } = refused else { panic!("{refused:?}") };
        assert!(error.fields["v"][0].starts_with("at /v/1: expected a whole number up to 9007199254740991"));
    }
}

#[tokio::test]
async fn a_whole_number_that_a_type_does_not_hold_is_told_with_its_place() {
    if !python() {
        return;
    }
    let world = World::new().await;
    in_python::publish(&world.instance).await.unwrap();
    let api = in_python::Client::new(&world.instance);
    assert_eq!(api.any(60).await.unwrap(), json!((1_u64 << 60) + 1));
    let error = api.any(70).await.unwrap_err();
    assert!(error.to_string().contains("all its digits"), "{error}");
}

#[tokio::test]
async fn an_empty_list_is_not_nothing() {
    if !python() {
        return;
    }
    let world = World::new().await;
    in_python::publish(&world.instance).await.unwrap();
    let api = in_python::Client::new(&world.instance);
    for method in [Method::Get, Method::Post] {
        let some = async |v, w| api.some(v, w).method(method).await.unwrap();
        assert_eq!(some(None, None).await, json!([null, null]));
        assert_eq!(some(Some(vec![]), Some(vec![])).await, json!([[], []]));
        assert_eq!(some(Some(vec![String::new()]), Some(vec![None])).await, json!([[""], [null]]));
        assert_eq!(some(Some(vec!["[]".to_owned()]), None).await, json!([["[]"], null]));
    }
}

#[tokio::test]
async fn deep_results_are_answered_or_say_that_they_are_too_deep() {
    if !python() {
        return;
    }
    let world = World::new().await;
    in_python::publish(&world.instance).await.unwrap();
    let api = in_python::Client::new(&world.instance);
    let levels = |mut value: &Value| {
        let mut levels = 0;
        while let Some(inner) = value.get(0) {
            (value, levels) = (inner, levels + 1);
        }
        levels
    };
    for depth in [1, 126, 127] {
        assert_eq!(levels(&api.deep(depth).await.unwrap()), depth);
    }
    for depth in [128, 400] {
        let error = api.deep(depth).await.unwrap_err().to_string();
        assert!(error.contains("more than 127 levels deep"), "{depth}: {error}");
    }
}
