//! JavaScript, as the server runs it on Node. What reads scripts is there with the feature `javascript`.

#[cfg(feature = "javascript")]
mod answers;
#[cfg(feature = "javascript")]
mod check;
#[cfg(feature = "javascript")]
mod known;
#[cfg(feature = "javascript")]
mod lenient;
#[cfg(feature = "javascript")]
mod message;
#[cfg(feature = "javascript")]
mod nesting;
#[cfg(feature = "javascript")]
mod newer;
#[cfg(feature = "javascript")]
mod reads;
#[cfg(feature = "javascript")]
mod remarks;
mod takes;
#[cfg(feature = "javascript")]
mod token;
#[cfg(feature = "javascript")]
mod typescript;
#[cfg(feature = "javascript")]
mod unclosed;
mod version;

#[cfg(feature = "javascript")]
pub use self::check::{check, read, takes};
pub use self::takes::{Key, Keys, Origin, Takes};
pub use self::version::{UnknownVersion, Version};
