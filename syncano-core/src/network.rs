//! Whom the scripts of a socket may talk to.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde_json::Value;

/// The longest name of a host, and the longest part of one between dots, in bytes.
const NAME: usize = 253;
const LABEL: usize = 63;

/// Whom scripts may talk to. A socket says so for its own scripts (`metadata.network`), an operator for all of a server's.
///
/// ```
/// use syncano_core::NetworkPolicy;
///
/// let policy: NetworkPolicy = "api.example.com, *.example.org:443".parse()?;
/// assert!(policy.permits("api.example.com", 8080));
/// assert!(policy.permits("eu.example.org", 443) && !policy.permits("eu.example.org", 80));
/// assert!(!policy.permits("example.org", 443));
/// # Ok::<(), syncano_core::NetworkProblem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NetworkPolicy {
    /// Nobody.
    None,
    /// These hosts, as far as [`Public`](NetworkPolicy::Public) permits them.
    Hosts(Vec<HostPattern>),
    /// Whatever has a public address, or one that the operator allows.
    #[default]
    Public,
}

impl NetworkPolicy {
    /// Reads what a socket's metadata has under `network`: `"none"`, `"public"` or `{"hosts": [...]}`.
    ///
    /// # Errors
    /// What is wrong, and which of the hosts it is wrong with.
    pub fn from_json(policy: &Value) -> Result<NetworkPolicy, NetworkProblem> {
        match policy {
            Value::String(word) if word == "none" => Ok(NetworkPolicy::None),
            Value::String(word) if word == "public" => Ok(NetworkPolicy::Public),
            _ => {
                let hosts = policy.get("hosts").and_then(Value::as_array).ok_or(NetworkProblem::Shape)?;
                let hosts = hosts.iter().map(|host| host.as_str().ok_or(NetworkProblem::Shape)?.parse());
                Ok(NetworkPolicy::Hosts(hosts.collect::<Result<_, _>>()?))
            }
        }
    }

    /// Whether a script may talk to `host` at `port`. `host` is a name in lower case without a dot at its end, or an address
    /// as [`IpAddr`] writes it.
    pub fn permits(&self, host: &str, port: u16) -> bool {
        match self {
            NetworkPolicy::None => false,
            NetworkPolicy::Hosts(hosts) => hosts.iter().any(|pattern| pattern.matches(host, port)),
            NetworkPolicy::Public => true,
        }
    }
}

/// `none`, `public`, or the hosts with commas between them.
impl fmt::Display for NetworkPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkPolicy::None => f.write_str("none"),
            NetworkPolicy::Public => f.write_str("public"),
            NetworkPolicy::Hosts(hosts) => hosts.iter().enumerate().try_for_each(|(index, host)| {
                f.write_str(if index > 0 { ", " } else { "" })?;
                host.fmt(f)
            }),
        }
    }
}

impl FromStr for NetworkPolicy {
    type Err = NetworkProblem;

    fn from_str(text: &str) -> Result<NetworkPolicy, NetworkProblem> {
        match text.trim() {
            "none" => Ok(NetworkPolicy::None),
            "public" => Ok(NetworkPolicy::Public),
            hosts => {
                let hosts = hosts.split(',').map(|host| host.trim().parse());
                Ok(NetworkPolicy::Hosts(hosts.collect::<Result<_, _>>()?))
            }
        }
    }
}

/// A host that scripts may talk to: `api.example.com`, `*.example.com` (every name below it), an address; each of them with
/// `:443` at its end for that port only. IPv6 addresses with a port stand in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// In lower case.
    Name(String),
    /// Names that end with a dot and this one.
    Below(String),
    Address(IpAddr),
}

impl HostPattern {
    fn matches(&self, host: &str, port: u16) -> bool {
        let is_host = match &self.host {
            Host::Name(name) => name == host,
            Host::Below(name) => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            Host::Address(address) => host.parse() == Ok(*address),
        };
        is_host && self.port.is_none_or(|only| only == port)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.port) {
            (Host::Name(name), _) => f.write_str(name)?,
            (Host::Below(name), _) => write!(f, "*.{name}")?,
            (Host::Address(IpAddr::V6(address)), Some(_)) => write!(f, "[{address}]")?,
            (Host::Address(address), _) => address.fmt(f)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for HostPattern {
    type Err = NetworkProblem;

    fn from_str(text: &str) -> Result<HostPattern, NetworkProblem> {
        let wrong = |problem| NetworkProblem::Host { host: text.to_owned(), problem };
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(HostPattern { host: Host::Address(address.into()), port: None });
        }
        if text.contains(['/', '?', '#', '@']) {
            return Err(wrong("write the host alone, without scheme, user or path"));
        }
        let (host, port) = match text.rsplit_once(':') {
            // The colon belongs to the address.
            Some(_) if text.ends_with(']') => (text, None),
            Some((host, port)) => match port.parse() {
                Ok(port) if port > 0 => (host, Some(port)),
                _ => return Err(wrong("its port is no number from 1 to 65535")),
            },
            None => (text, None),
        };
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match (bracketed, host.strip_prefix("*.")) {
            (Some(address), _) => {
                let address: Ipv6Addr =
                    address.parse().map_err(|_| wrong("what stands in brackets is no IPv6 address"))?;
                Host::Address(address.into())
            }
            (None, Some(name)) => Host::Below(name_of(name).map_err(wrong)?),
            (None, None) => match host.parse() {
                Ok(address) => Host::Address(address),
                Err(_) => Host::Name(name_of(host).map_err(wrong)?),
            },
        };
        Ok(HostPattern { host, port })
    }
}

/// The name as it is compared.
fn name_of(text: &str) -> Result<String, &'static str> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.is_empty() {
        return Err("it has no name");
    }
    if name.contains('*') {
        return Err(
            "`*` stands for everything before the first dot only, as in `*.example.com`; for every host write `\"public\"`",
        );
    }
    if !name.is_ascii() {
        return Err("write its name in ASCII, as browsers send it: `xn--…`");
    }
    let is_part = |part: &str| {
        (1..=LABEL).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() > NAME || !name.split('.').all(is_part) {
        return Err("names of hosts have letters, digits, `-` and `_` with dots between them");
    }
    // `127.1` and `0x7f000001` are spellings of addresses.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Err("write the address with four decimal numbers");
    }
    Ok(name)
}

/// Why something is no network policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkProblem {
    /// Neither a word nor a list of texts.
    #[error(
        "no network policy: write `\"none\"`, `\"public\"`, or hosts as `{{\"hosts\": [\"api.example.com\"]}}`"
    )]
    Shape,
    /// One of the hosts is none.
    #[error("`{host}` is no host that scripts could be allowed to talk to: {problem}")]
    Host {
        /// As it was written.
        host: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(pattern: &str, host: &str, port: u16) -> bool {
        pattern.parse::<HostPattern>().unwrap().matches(host, port)
    }

    #[test]
    fn patterns_match_hosts() {
        assert!(permits("API.Example.com", "api.example.com", 1));
        assert!(permits("api.example.com.", "api.example.com", 1));
        assert!(!permits("example.com", "api.example.com", 1));
        assert!(permits("*.example.com", "a.b.example.com", 1));
        for other in ["example.com", ".example.com", "badexample.com", "example.com.evil.org"] {
            assert!(!permits("*.example.com", other, 1), "{other}");
        }
        assert!(permits("a.example:443", "a.example", 443) && !permits("a.example:443", "a.example", 80));
        assert!(permits("10.0.0.1", "10.0.0.1", 80) && !permits("10.0.0.1", "10.0.0.10", 80));
        assert!(permits("fd00::1", "fd00::1", 80) && permits("[FD00:0::1]:80", "fd00::1", 80));
        assert!(!permits("[fd00::1]:80", "fd00::1", 81));
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for text in ["none", "public", "a.example, *.b.example:443, 10.0.0.1:80, ::1, [::1]:80"] {
            let policy: NetworkPolicy = text.parse().unwrap();
            assert_eq!(policy.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_host_says_why() {
        for (text, reason) in [
            ("", "it has no name"),
            ("https://a.example/", "without scheme"),
            ("a.example/path", "without scheme"),
            ("user@a.example", "without scheme"),
            ("*", "`*` stands for"),
            ("a.*.example", "`*` stands for"),
            ("*.*.example", "`*` stands for"),
            ("a.example:0", "port"),
            ("a.example:http", "port"),
            ("a.example:65536", "port"),
            ("[a.example]", "brackets"),
            ("a b", "names of hosts"),
            ("a..b", "names of hosts"),
            ("bücher.example", "xn--"),
            ("2130706433", "four decimal numbers"),
            ("127.1", "four decimal numbers"),
            ("0x7f000001", "four decimal numbers"),
        ] {
            let said = text.parse::<HostPattern>().unwrap_err().to_string();
            assert!(said.starts_with(&format!("`{text}` is no host")) && said.contains(reason), "{said}");
        }
    }
}
