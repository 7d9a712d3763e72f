//! Numbers that JSON doesn't have.

use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::{self, Serializer};

/// The first NaN or infinity in a value: serde_json writes `null` for it, and nobody would be told.
pub(crate) fn refuse<T: Serialize + ?Sized>(value: &T) -> Result<(), serde_json::Error> {
    match value.serialize(Finite) {
        Err(Stop::At { number, path }) => {
            let mut place = String::new();
            for segment in path.iter().rev() {
                place.push('/');
                place += &segment.replace('~', "~0").replace('/', "~1");
            }
            let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
            Err(ser::Error::custom(format!(
                "it is {number}{place}, and JSON has no such number: send `None`, or a text"
            )))
        }
        // Whatever else is wrong with the value, writing it tells.
        Ok(()) | Err(Stop::Other) => Ok(()),
    }
}

/// Goes through a value.
#[derive(Clone, Copy)]
struct Finite;

#[derive(Debug)]
enum Stop {
    /// The innermost first.
    At {
        number: f64,
        path: Vec<String>,
    },
    Other,
}

impl Stop {
    fn below(mut self, segment: &str) -> Stop {
        if let Stop::At { path, .. } = &mut self {
            path.push(segment.to_owned());
        }
        self
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: Display>(_: T) -> Stop {
        Stop::Other
    }
}

/// A list, a map or a struct, and where in it the walk is.
struct Inside {
    variant: Option<&'static str>,
    index: usize,
    key: String,
}

impl Inside {
    const ANY: Inside = Inside { variant: None, index: 0, key: String::new() };

    fn field<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Stop> {
        value.serialize(Finite).map_err(|stop| match self.variant {
            Some(variant) => stop.below(key).below(variant),
            None => stop.below(key),
        })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let index = self.index;
        self.index += 1;
        value.serialize(Finite).map_err(|stop| match self.variant {
            Some(variant) => stop.below(&index.to_string()).below(variant),
            None => stop.below(&index.to_string()),
        })
    }
}

macro_rules! finite {
    ($($method:ident: $of:ty),*) => {
        $(fn $method(self, _: $of) -> Result<(), Stop> {
            Ok(())
        })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Inside;
    type SerializeTuple = Inside;
    type SerializeTupleStruct = Inside;
    type SerializeTupleVariant = Inside;
    type SerializeMap = Inside;
    type SerializeStruct = Inside;
    type SerializeStructVariant = Inside;

    finite! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_unit_struct: &'static str
    }

    fn serialize_f32(self, number: f32) -> Result<(), Stop> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Stop> {
        if number.is_finite() { Ok(()) } else { Err(Stop::At { number, path: Vec::new() }) }
    }

    fn serialize_none(self) -> Result<(), Stop> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Stop> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(self).map_err(|stop| stop.below(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside, Stop> {
        Ok(Inside::ANY)
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside, Stop> {
        Ok(Inside::ANY)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside, Stop> {
        Ok(Inside::ANY)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside, Stop> {
        Ok(Inside { variant: Some(variant), ..Inside::ANY })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside, Stop> {
        Ok(Inside::ANY)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside, Stop> {
        Ok(Inside::ANY)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside, Stop> {
        Ok(Inside { variant: Some(variant), ..Inside::ANY })
    }
}

macro_rules! items {
    ($($of:ident: $method:ident),*) => {
        $(impl ser::$of for Inside {
            type Ok = ();
            type Error = Stop;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.item(value)
            }

            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        })*
    };
}

items! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field
}

macro_rules! fields {
    ($($of:ident),*) => {
        $(impl ser::$of for Inside {
            type Ok = ();
            type Error = Stop;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Stop> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Inside {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        let key = serde_json::to_value(key).map_err(|_| Stop::Other)?;
        self.key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.field(&self.key, value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    enum Shape {
        Circle { radius: f64 },
        Square(f32),
        Line(f64, f64),
    }

    #[derive(Serialize)]
    struct Drawing {
        name: Option<&'static str>,
        shapes: Vec<Shape>,
        scales: BTreeMap<u8, Option<f64>>,
    }

    fn told(value: impl Serialize) -> Option<String> {
        let end = ", and JSON has no such number: send `None`, or a text";
        refuse(&value).err().map(|error| error.to_string().strip_suffix(end).unwrap().to_owned())
    }

    #[test]
    fn it_is_found_wherever_it_is() {
        let drawing = |shape, scale| Drawing {
            name: None,
            shapes: vec![Shape::Square(1.0), shape],
            scales: [(7, None), (8, scale)].into(),
        };
        assert_eq!(told(drawing(Shape::Circle { radius: 1.0 }, Some(f64::MAX))), None);
        assert_eq!(told(f32::NEG_INFINITY).unwrap(), "it is -inf");
        assert_eq!(told(Some(f64::NAN)).unwrap(), "it is NaN");
        let circle = Shape::Circle { radius: f64::NAN };
        assert_eq!(told(drawing(circle, None)).unwrap(), "it is NaN at /shapes/1/Circle/radius");
        let square = Shape::Square(f32::INFINITY);
        assert_eq!(told(drawing(square, None)).unwrap(), "it is inf at /shapes/1/Square");
        let line = Shape::Line(0.0, f64::NAN);
        assert_eq!(told(drawing(line, None)).unwrap(), "it is NaN at /shapes/1/Line/1");
        let scaled = drawing(Shape::Line(0.0, 0.0), Some(f64::NAN));
        assert_eq!(told(scaled).unwrap(), "it is NaN at /scales/8");
        assert_eq!(told(BTreeMap::from([("a/b~", (1, f64::NAN))])).unwrap(), "it is NaN at /a~1b~0/1");
    }
}
