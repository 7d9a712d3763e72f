//! Points in time: microseconds since 1970 in the database, UTC with six digits after the point on the wire.

use std::time::SystemTime;

use jiff::Timestamp;

/// Now, in microseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// A system time in microseconds since 1970.
pub(crate) fn micros(time: SystemTime) -> i64 {
    // A clock set before year -9999 is no clock.
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH).as_microsecond()
}

/// `YYYY-MM-DDTHH:MM:SS.ffffffZ`. Old clients fail without the six digits.
pub(crate) fn wire(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}", time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_shows_six_digits_always() {
        assert_eq!(wire(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(wire(1_471_346_659_000_001), "2016-08-16T11:24:19.000001Z");
        assert_eq!(micros(SystemTime::UNIX_EPOCH), 0);
    }
}
