//! Classification of IP addresses: local to the checker and its platform, or on the public Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address leads to the checker's own machine or to a platform service of that machine.
///
/// In Lambda, these are the Runtime API (on 127.0.0.1), the metadata and credentials services (169.254.169.254,
/// 169.254.170.2, fd00:ec2::254) and every other link-local address. Equivalent IPv6 forms are included: IPv4-mapped
/// and IPv4-compatible (RFC 4291, section 2.5.5), and NAT64 (RFC 6052, RFC 8215).
pub fn is_own(address: IpAddr) -> bool {
    match address {
        // The unspecified address reaches the local machine (Linux, ip(7)); no other address of 0.0.0.0/8 is a host
        // (RFC 6890, section 2.2.2).
        IpAddr::V4(address) => address.octets()[0] == 0 || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address.segments().starts_with(&[0xfd00, 0x0ec2])
                || embedded(address).is_some_and(|inner| is_own(IpAddr::V4(inner)))
        }
    }
}

/// The IPv4 address that an IPv6 address embeds. `::` and `::1` embed 0.0.0.0 and 0.0.0.1.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = matches!(
        address.segments(),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..]
    );
    let [.., a, b, c, d] = address.octets();
    address
        .to_ipv4()
        .or_else(|| nat64.then(|| Ipv4Addr::new(a, b, c, d)))
}

/// Whether an address can belong to a host on the public Internet: of IPv6, a global unicast address (RFC 4291, section
/// 2.4; IANA assigns them from 2000::/3) that embeds no other IPv4 address than a public one.
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public(inner),
            None => address.segments().first().is_some_and(|first| first >> 13 == 1),
        },
    }
}

/// Whether an IPv4 address can belong to a host on the public Internet.
///
/// Source: IANA's registry of special-purpose addresses (RFC 6890). The documentation networks count as public, because
/// examples use them.
pub(crate) fn is_public(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This network (RFC 791), loopback, multicast (RFC 5771), reserved and broadcast (RFC 1112).
        [0 | 127 | 224..=255, ..] => false,
        // Shared address space between a provider and its customers (RFC 6598).
        [100, 64..=127, ..] => false,
        // Protocol assignments (RFC 6890), benchmarks (RFC 2544).
        [192, 0, 0, _] | [198, 18..=19, ..] => false,
        // RFC 1918, RFC 3927.
        _ => !address.is_private() && !address.is_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_address_excludes_every_private_form() {
        for (address, expected) in [
            ("192.0.2.1", true),
            ("10.0.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("2606:4700::1", true),
            ("::1", false),
            ("::", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:192.0.2.1", true),
            ("64:ff9b::a00:1", false),
        ] {
            assert_eq!(is_public_address(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn is_own_recognizes_every_form_of_a_local_address() {
        let own = [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.170.2",
            "::",
            "::1",
            "fe80::1",
            "febf:ffff::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::127.0.0.1",
            "::169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:ffff::127.0.0.1",
        ];
        for address in own {
            assert!(is_own(address.parse().unwrap()), "{address}");
        }
        let others = [
            "1.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "203.0.113.1",
            "2001:db8::1",
            "fd00:ec3::254",
            "fec0::1",
            "::ffff:203.0.113.1",
            "64:ff9b::203.0.113.1",
            "64:ff9c::127.0.0.1",
        ];
        for address in others {
            assert!(!is_own(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn is_public_is_exact_at_block_boundaries() {
        // The last address before a block, its first, its last, and the first after it.
        let blocks = [
            ["", "0.0.0.0", "0.255.255.255", "1.0.0.0"],
            ["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
            ["100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"],
            ["126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"],
            ["169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
            ["172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"],
            ["191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"],
            ["192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"],
            ["198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"],
            ["223.255.255.255", "224.0.0.0", "255.255.255.255", ""],
        ];
        for [before, first, last, after] in blocks {
            for (address, expected) in [(before, true), (first, false), (last, false), (after, true)] {
                if let Ok(address) = address.parse() {
                    assert_eq!(is_public(address), expected, "{address}");
                }
            }
        }
        assert!(is_public("203.0.113.7".parse().unwrap()), "documentation");
    }
}
