//! What a script asks to be connected to.

use std::fmt;
use std::net::IpAddr;

use ::http::uri::Authority;
use url::Host;

/// A host and a port, in the one spelling that is compared and looked up.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Target {
    /// Reads `host:port`, or `host` alone where there is a port that everyone knows. Addresses are read in each spelling that
    /// some resolver would understand: `2130706433`, `0x7f.1` and `127.0.0.1` are one.
    pub(super) fn parse(authority: &Authority, usual_port: Option<u16>) -> Result<Target, String> {
        let no_host = |why: &str| format!("`{authority}` names no host to connect to: {why}");
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()),
            None if authority.as_str().ends_with(':') => None,
            None => usual_port,
        };
        let port = port.filter(|port| *port > 0).ok_or_else(|| no_host("it lacks a port"))?;
        let host = Host::parse(authority.host()).map_err(|error| no_host(&error.to_string()))?;
        let host = match host {
            Host::Domain(name) => match name.strip_suffix('.').unwrap_or(&name) {
                "" => return Err(no_host("the name is empty")),
                name => Host::Domain(name.to_owned()),
            },
            Host::Ipv6(address) => match address.to_ipv4_mapped() {
                Some(address) => Host::Ipv4(address),
                None => Host::Ipv6(address),
            },
            address => address,
        };
        Ok(Target { host, port })
    }

    /// As policies compare it.
    pub(super) fn name(&self) -> String {
        match &self.host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        }
    }

    /// The address, unless it is a name.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        let authority = text.parse::<Authority>().ok()?;
        Target::parse(&authority, None).ok().map(|target| target.to_string())
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for spelling in [
            "127.0.0.1:80",
            "127.0.0.1.:80",
            "2130706433:80",
            "0x7f000001:80",
            "0x7f.1:80",
            "0177.0.0.1:80",
            "127.1:80",
            "[::ffff:127.0.0.1]:80",
            "[::ffff:7f00:1]:80",
            "user:password@127.0.0.1:80",
        ] {
            assert_eq!(parsed(spelling).as_deref(), Some("127.0.0.1:80"), "{spelling}");
        }
        assert_eq!(parsed("[0:0::1]:80").as_deref(), Some("[::1]:80"));
    }

    #[test]
    fn names_are_compared_in_lower_case_without_a_dot_at_the_end() {
        assert_eq!(parsed("API.Example.COM.:443").as_deref(), Some("api.example.com:443"));
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for bad in [
            "example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            ".:80",
            "[fe80::1%25eth0]:80",
            "1.2.3.4.5:80",
            ":80",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }
}
