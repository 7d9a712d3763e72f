//! Python. What reads scripts is there with the feature `python`.

#[cfg(feature = "python")]
mod annotation;
#[cfg(feature = "python")]
mod answers;
#[cfg(feature = "python")]
mod bindings;
#[cfg(feature = "python")]
mod check;
#[cfg(feature = "python")]
mod compiler;
#[cfg(feature = "python")]
mod entry;
mod kind;
#[cfg(feature = "python")]
mod known;
#[cfg(feature = "python")]
mod message;
#[cfg(feature = "python")]
mod names;
#[cfg(feature = "python")]
mod nesting;
#[cfg(feature = "python")]
mod reads;
#[cfg(feature = "python")]
mod remarks;
#[cfg(feature = "python")]
mod scope;
#[cfg(feature = "python")]
mod semantic;
mod takes;
#[cfg(feature = "python")]
mod unclosed;
mod version;

#[cfg(feature = "python")]
pub use self::check::{check, read, takes};
pub use self::kind::{Kind, Kinds};
pub use self::takes::{Key, Parameter, Parameters, Returns, Takes};
pub use self::version::{UnknownVersion, Version};
