//! Which addresses are connected to on behalf of others. Nothing else decides that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

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

/// Which addresses the server connects to on behalf of others, scripts among them: public ones, and those that the operator
/// allows. The machine's own addresses aren't public whatever they are: what is behind its firewall is reached by them.
///
/// ```
/// use syncano_runner::Addresses;
///
/// let mut addresses = Addresses::default();
/// assert!(!addresses.permits([10, 0, 0, 1].into()));
/// addresses.allow("10.0.0.0/8".parse()?);
/// assert!(addresses.permits([10, 0, 0, 1].into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Addresses {
    refused: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl Default for Addresses {
    fn default() -> Addresses {
        // The list is right, as a test says.
        let refused = NOT_PUBLIC.iter().filter_map(|text| text.parse().ok()).collect();
        Addresses { refused, allowed: Vec::new() }
    }
}

impl Addresses {
    /// Allows a network that is not public.
    pub fn allow(&mut self, network: IpNet) {
        self.allowed.push(network);
    }

    /// Whether the server connects to this address. An IPv6 address that stands for an IPv4 address is that one.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = inner(address);
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        is_in(&self.allowed) || !(is_in(&self.refused) || is_own(address))
    }

    /// Whether the operator has allowed it.
    #[cfg(target_os = "linux")]
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let address = inner(address);
        self.allowed.iter().any(|network| network.contains(&address))
    }

    /// What to tell whoever asked for `host`, which isn't permitted.
    pub fn refusal(host: &str) -> String {
        format!("`{host}` is not a public address; the operator may allow its network")
    }
}

/// Whether it is one of this machine's: then the way there begins and ends at the same address.
fn is_own(address: IpAddr) -> bool {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // Nothing is sent: connecting such a socket only looks up the way. Where there is none, nothing will be reached.
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
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
        let addresses = Addresses::default();
        assert_eq!(addresses.refused.len(), NOT_PUBLIC.len());
        for public in ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(addresses.permits(public.parse().unwrap()), "{public}");
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
            assert!(!addresses.permits(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn the_operator_may_allow_more() {
        let mut addresses = Addresses::default();
        addresses.allow("127.0.0.0/8".parse().unwrap());
        assert!(addresses.permits("127.0.0.1".parse().unwrap()));
        assert!(addresses.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!addresses.permits("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn the_own_addresses_are_known() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(!is_own("192.0.2.1".parse().unwrap()));
    }
}
