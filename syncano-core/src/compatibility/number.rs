//! Numbers of a schema: bounds that are exact for whole numbers and fractions alike.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Number, Value};

/// A number as JSON may hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Num {
    Whole(i128),
    Float(f64),
}

impl Num {
    pub(super) fn of(number: &Number) -> Num {
        match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Num::Whole(whole.into()),
            (_, Some(whole), _) => Num::Whole(whole.into()),
            // `1.0` is a whole number to JSON Schema.
            (_, _, Some(float)) if float.fract() == 0.0 && float.abs() < 1e38 => Num::Whole(float as i128),
            (_, _, float) => Num::Float(float.unwrap_or(f64::MAX)),
        }
    }

    pub(super) fn cmp(self, other: Num) -> Ordering {
        match (self, other) {
            (Num::Whole(one), Num::Whole(other)) => one.cmp(&other),
            (Num::Float(one), Num::Float(other)) => one.total_cmp(&other),
            (Num::Whole(whole), Num::Float(float)) => compare(whole, float),
            (Num::Float(float), Num::Whole(whole)) => compare(whole, float).reverse(),
        }
    }

    pub(super) fn to_json(self) -> Option<Value> {
        match self {
            Num::Whole(whole) => {
                i64::try_from(whole).map(Value::from).or_else(|_| u64::try_from(whole).map(Value::from)).ok()
            }
            Num::Float(float) => Number::from_f64(float).map(Value::Number),
        }
    }

    fn plus(self, step: i8) -> Num {
        match self {
            Num::Whole(whole) => Num::Whole(whole.saturating_add(step.into())),
            Num::Float(float) => Num::Float(float + f64::from(step)),
        }
    }
}

/// Floats beyond whole numbers are larger than all of them.
fn compare(whole: i128, float: f64) -> Ordering {
    if float.abs() >= 1.7e38 {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    let floor = float.floor();
    whole.cmp(&(floor as i128)).then(if float > floor { Ordering::Less } else { Ordering::Equal })
}

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Num::Whole(whole) => write!(f, "{whole}"),
            Num::Float(float) => write!(f, "{float}"),
        }
    }
}

/// The numbers between two bounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Numbers<'a> {
    pub(super) whole: bool,
    pub(super) least: Option<Bound>,
    pub(super) most: Option<Bound>,
    pub(super) multiples: Vec<&'a Number>,
    /// Those that are left out (`NonZero`).
    pub(super) without: Vec<Num>,
}

/// A bound; numbers equal to it are within unless it is exclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    pub(super) at: Num,
    pub(super) exclusive: bool,
}

impl Numbers<'_> {
    /// Exclusive bounds of whole numbers become inclusive ones, fractional ones whole.
    pub(super) fn tidy(mut self) -> Self {
        if self.whole {
            self.least = self.least.map(|bound| Bound { at: next_whole(bound, 1), exclusive: false });
            self.most = self.most.map(|bound| Bound { at: next_whole(bound, -1), exclusive: false });
        }
        self
    }

    pub(super) fn raise_least(&mut self, bound: Bound) {
        if self.least.is_none_or(|now| tighter(now, bound, Ordering::Less)) {
            self.least = Some(bound);
        }
    }

    pub(super) fn lower_most(&mut self, bound: Bound) {
        if self.most.is_none_or(|now| tighter(now, bound, Ordering::Greater)) {
            self.most = Some(bound);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match (self.least, self.most) {
            (Some(least), Some(most)) => match least.at.cmp(most.at) {
                Ordering::Less => false,
                Ordering::Equal => least.exclusive || most.exclusive,
                Ordering::Greater => true,
            },
            _ => false,
        }
    }

    pub(super) fn contains(&self, number: &Number) -> Option<bool> {
        let value = Num::of(number);
        let whole = !self.whole || matches!(value, Num::Whole(_));
        let above = self.least.is_none_or(|bound| match value.cmp(bound.at) {
            Ordering::Less => false,
            Ordering::Equal => !bound.exclusive,
            Ordering::Greater => true,
        });
        let below = self.most.is_none_or(|bound| match value.cmp(bound.at) {
            Ordering::Less => true,
            Ordering::Equal => !bound.exclusive,
            Ordering::Greater => false,
        });
        if !(whole && above && below) || self.without.contains(&value) {
            return Some(false);
        }
        let mut all = true;
        for multiple in &self.multiples {
            match (value, Num::of(multiple)) {
                (Num::Whole(value), Num::Whole(multiple)) if multiple != 0 => all &= value % multiple == 0,
                // Floats are only near to what is written.
                _ => return None,
            }
        }
        Some(all)
    }

    /// Some numbers that fit, near the bounds.
    pub(super) fn samples(&self) -> Vec<Value> {
        let fits =
            |sample: &Value| matches!(sample, Value::Number(number) if self.contains(number) == Some(true));
        self.near().into_iter().filter(fits).collect()
    }

    /// Some numbers at, within and beyond the bounds.
    pub(super) fn near(&self) -> Vec<Value> {
        let mut samples = vec![Num::Whole(0), Num::Whole(1)];
        for bound in [self.least, self.most].into_iter().flatten() {
            samples.extend([bound.at, bound.at.plus(1), bound.at.plus(-1)]);
        }
        for multiple in &self.multiples {
            samples.push(Num::of(multiple));
        }
        if !self.whole {
            let halves: Vec<Num> = samples
                .iter()
                .filter_map(|sample| match sample {
                    Num::Whole(whole) if whole.abs() < 1 << 50 => Some(Num::Float(*whole as f64 + 0.5)),
                    _ => None,
                })
                .collect();
            samples.extend(halves);
        }
        samples.into_iter().filter_map(Num::to_json).collect()
    }
}

/// Whether `new` leaves less room than `now`; `side` is how a bound with more room compares.
fn tighter(now: Bound, new: Bound, side: Ordering) -> bool {
    match now.at.cmp(new.at) {
        Ordering::Equal => new.exclusive && !now.exclusive,
        other => other == side,
    }
}

fn next_whole(bound: Bound, step: i8) -> Num {
    match bound.at {
        whole @ Num::Whole(_) if bound.exclusive => whole.plus(step),
        whole @ Num::Whole(_) => whole,
        Num::Float(float) if float.abs() < 1e38 => {
            Num::Whole(if step > 0 { float.ceil() } else { float.floor() } as i128)
        }
        float => float,
    }
}
