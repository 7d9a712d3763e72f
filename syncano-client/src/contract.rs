//! What generated functions were built with, against what is published.
//!
//! A call says by a fingerprint which contract it goes by. If another is published nothing runs, and the server answers with
//! that: what fits is called by the published one from then on, and what doesn't is an error.

use std::collections::HashMap;
use std::fmt;
use std::sync::{OnceLock, PoisonError, RwLock};

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use syncano_core::{Contract, Map, Method, Socket, What, headers};

use crate::answer::Answer;
use crate::call::Asked;
use crate::header;

/// An endpoint that isn't what the program was built for. No script ran.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContractMismatch {
    /// `socket/endpoint`.
    pub endpoint: crate::Called,
    /// The method of the call.
    pub method: Method,
    /// What differs: [`What::Removed`], [`What::MethodRemoved`], or which of its schemas doesn't fit, and where.
    pub what: What,
}

impl ContractMismatch {
    /// The place in the arguments, the result or the error, as a JSON pointer; `*` stands for any item of a list, or key of a map.
    pub fn pointer(&self) -> Option<String> {
        self.what.incompatibility().map(|misfit| misfit.path.to_string())
    }
}

impl fmt::Display for ContractMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ContractMismatch { endpoint, method, what } = self;
        write!(f, "`{endpoint}` is not what this program was built for: ")?;
        match what {
            What::Arguments(Err(misfit)) => write!(f, "what {method} sends is refused: {misfit}")?,
            What::Results(Err(misfit)) => write!(f, "what {method} may answer isn't expected: {misfit}")?,
            What::Errors(Err(misfit)) => write!(f, "what {method} may raise isn't expected: {misfit}")?,
            What::MethodRemoved => write!(f, "it doesn't answer {method}")?,
            _ => f.write_str("there is no such endpoint")?,
        }
        f.write_str("; nothing ran: publish the socket, or build the program with what is published")
    }
}

impl std::error::Error for ContractMismatch {}

/// The contracts of a socket's functions, read from its definition when the first is called.
#[derive(Debug)]
pub struct Contracts {
    definition: fn() -> Socket,
    known: OnceLock<HashMap<String, HashMap<Method, Known>>>,
}

/// A contract, and its fingerprint.
#[derive(Debug)]
pub(crate) struct Known {
    contract: Contract,
    fingerprint: HeaderValue,
}

impl Contracts {
    /// Those of the functions that make this definition.
    pub const fn new(definition: fn() -> Socket) -> Contracts {
        Contracts { definition, known: OnceLock::new() }
    }

    pub(crate) fn of(&self, endpoint: &str, method: Method) -> Option<&Known> {
        let known = self.known.get_or_init(|| {
            let endpoints = (self.definition)().endpoints.into_iter();
            endpoints.map(|(name, endpoint)| (name, Known::all(&endpoint.metadata))).collect()
        });
        known.get(endpoint)?.get(&method)
    }
}

/// Fingerprints of published contracts that fit callers' own: by the caller's, and by method and path.
#[derive(Debug, Default)]
pub(crate) struct Accepted(RwLock<HashMap<(HeaderValue, String), HeaderValue>>);

/// There are as many as functions that differ, times instances; a program that meets more asks again.
const ACCEPTED: usize = 10_000;

/// What becomes of a call.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The answer is that of a run, or a refusal for another reason.
    Answered,
    /// Nothing ran, and the published contract fits: once more, by that.
    Fits,
    /// Nothing ran.
    Broken(What),
}

impl Known {
    fn all(metadata: &Map) -> HashMap<Method, Known> {
        let known = |method| {
            let contract = Contract::of(metadata, method);
            let fingerprint =
                HeaderValue::try_from(contract.fingerprint()).expect("a fingerprint is hexadecimal");
            Known { fingerprint, contract }
        };
        Method::ALL.into_iter().map(|method| (method, known(method))).collect()
    }

    /// The fingerprint to call by.
    pub(crate) fn to_send(&self, accepted: &Accepted, asked: Asked<'_>) -> HeaderValue {
        let accepted = accepted.0.read().unwrap_or_else(PoisonError::into_inner);
        if accepted.is_empty() {
            return self.fingerprint.clone();
        }
        let key = (self.fingerprint.clone(), asked.to_string());
        accepted.get(&key).cloned().unwrap_or(key.0)
    }

    /// What an answer says of the contract.
    pub(crate) fn examine(&self, accepted: &Accepted, asked: Asked<'_>, answer: &Answer) -> Verdict {
        #[derive(Deserialize)]
        struct Body {
            contract: Contract,
        }

        if answer.headers.contains_key(&header::STATUS) {
            return Verdict::Answered;
        }
        let said = answer.headers.get(&header::CONTRACT);
        match (answer.status, said) {
            (StatusCode::NOT_FOUND, Some(said)) if said == headers::NO_CONTRACT => {
                Verdict::Broken(What::Removed(Vec::new()))
            }
            (StatusCode::METHOD_NOT_ALLOWED, _) => Verdict::Broken(What::MethodRemoved),
            (StatusCode::PRECONDITION_FAILED, Some(fingerprint)) => {
                let Ok(Body { contract }) = serde_json::from_slice(&answer.body) else {
                    return Verdict::Answered;
                };
                if let Some(what) = self.contract.broken_by(&contract, asked.method) {
                    return Verdict::Broken(what);
                }
                let mut accepted = accepted.0.write().unwrap_or_else(PoisonError::into_inner);
                if accepted.len() >= ACCEPTED {
                    accepted.clear();
                }
                accepted.insert((self.fingerprint.clone(), asked.to_string()), fingerprint.clone());
                Verdict::Fits
            }
            _ => Verdict::Answered,
        }
    }
}
