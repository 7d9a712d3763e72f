//! Which addresses the server may connect to on behalf of others: public ones, and those that the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Networks that are not public: private and link-local ones, those of documentation and tests, multicast, and what is
/// reserved. Source: the special-purpose address registries of the IANA.
const NOT_PUBLIC: [&str; 26] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
];

/// The operator's decision.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    refused: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl Default for Network {
    fn default() -> Network {
        // The list is right, as a test says.
        let refused = NOT_PUBLIC.iter().filter_map(|text| text.parse().ok()).collect();
        Network { refused, allowed: Vec::new() }
    }
}

impl Network {
    /// Allows a network that is not public.
    pub(crate) fn allow(&mut self, network: IpNet) {
        self.allowed.push(network);
    }

    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        let address = inner(address);
        self.allowed.iter().any(|network| network.contains(&address))
            || !self.refused.iter().any(|network| network.contains(&address))
    }
}

/// The IPv4 address that an IPv6 address stands for, if it does: translators would send us there.
fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let octets = v6.octets();
    let v4 =
        |at: usize| IpAddr::V4(Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]));
    match v6.segments() {
        // Mapped, translated, and the old compatible form, except for `::` and `::1`.
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => v4(12),
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) > (0, 1) => v4(12),
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => v4(12),
        // 6to4.
        [0x2002, ..] => v4(2),
        _ => IpAddr::V6(Ipv6Addr::from(octets)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_permitted() {
        let network = Network::default();
        assert_eq!(network.refused.len(), NOT_PUBLIC.len());
        for public in ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(network.permits(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.100.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!network.permits(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn the_operator_may_allow_more() {
        let mut network = Network::default();
        network.allow("127.0.0.0/8".parse().unwrap());
        assert!(network.permits("127.0.0.1".parse().unwrap()));
        assert!(network.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!network.permits("10.0.0.1".parse().unwrap()));
    }
}
