//! JavaScript, as the server runs it on Node. What reads scripts is there with the feature `javascript`.

#[cfg(feature = "javascript")]
mod check;
#[cfg(feature = "javascript")]
mod lenient;
#[cfg(feature = "javascript")]
mod message;
#[cfg(feature = "javascript")]
mod nesting;
#[cfg(feature = "javascript")]
mod reads;
mod takes;
#[cfg(feature = "javascript")]
mod token;
#[cfg(feature = "javascript")]
mod typescript;
#[cfg(feature = "javascript")]
mod unclosed;

#[cfg(feature = "javascript")]
pub use self::check::{check, takes};
pub use self::takes::{Key, Keys, Origin, Takes};
