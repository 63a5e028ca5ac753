//! Which addresses may connect.

use std::{fmt, net::IpAddr, str::FromStr};

/// IP addresses that may use an adapter, `allow` in a Tars configuration. An empty list allows all that is not
/// [denied](Self::deny).
///
/// Its entries are IPv4 or IPv6 addresses, IPv4 addresses with a `*` in place of parts as in TarsCpp, and networks,
/// separated by `;`, `,`, `|` or white space.
///
/// ```
/// use tars_rpc::server::AllowList;
///
/// let list: AllowList = "127.0.0.1; 10.1.*.*; 192.168.0.0/16; fd00::/8".parse()?;
/// assert!(list.allows("10.1.2.3".parse().unwrap()));
/// assert!(!list.allows("10.2.2.3".parse().unwrap()));
/// assert!(list.allows("::ffff:127.0.0.1".parse().unwrap()), "how IPv6 sockets see IPv4");
///
/// let error = "10.1.2.x".parse::<AllowList>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`10.1.2.x` is no IP address, no `10.1.*.*` and no `10.1.0.0/16`; names are not looked up",
/// );
/// # Ok::<(), tars_rpc::server::AllowListError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    allow: Vec<Entry>,
    deny: Vec<Entry>,
    deny_first: bool,
}

/// Addresses whose masked bits are those of `network`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    V4 { network: u32, mask: u32 },
    V6 { network: u128, mask: u128 },
}

impl AllowList {
    /// Refuses the addresses of `deny`, the `deny` of a Tars configuration. An address that is in both lists is
    /// allowed, unless `deny_first`, which is `order=deny,allow`. The rest may connect if nothing is to be allowed.
    #[must_use]
    pub fn deny(mut self, deny: Self, deny_first: bool) -> Self {
        self.deny = deny.allow;
        self.deny_first = deny_first;
        self
    }

    /// Whether an address may connect.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let has = |entries: &[Entry]| entries.iter().any(|entry| entry.has(address));
        match (has(&self.allow), has(&self.deny)) {
            (true, true) => !self.deny_first,
            (is_allowed, false) => is_allowed || self.allow.is_empty(),
            (false, true) => false,
        }
    }
}

impl Entry {
    fn has(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(address)) => {
                address.to_bits() & mask == network & mask
            }
            (Self::V6 { network, mask }, IpAddr::V6(address)) => {
                address.to_bits() & mask == network & mask
            }
            _ => false,
        }
    }

    fn network(address: IpAddr, bits: u32) -> Option<Self> {
        Some(match address {
            IpAddr::V4(address) => Self::V4 {
                network: address.to_bits(),
                mask: u32::MAX
                    .checked_shl(32_u32.checked_sub(bits)?)
                    .unwrap_or_default(),
            },
            IpAddr::V6(address) => Self::V6 {
                network: address.to_bits(),
                mask: u128::MAX
                    .checked_shl(128_u32.checked_sub(bits)?)
                    .unwrap_or_default(),
            },
        })
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some((address, bits)) = text.split_once('/') {
            return Self::network(address.parse().ok()?, bits.parse().ok()?);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let address = address.to_canonical();
            return Self::network(address, if address.is_ipv4() { 32 } else { 128 });
        }
        let mut parts = text.split('.');
        let (mut network, mut mask) = (0, 0);
        for _ in 0..4 {
            let (part, bits) = match parts.next()? {
                "*" => (0, 0),
                part => (part.parse::<u8>().ok()?, 0xff),
            };
            network = network << 8 | u32::from(part);
            mask = mask << 8 | bits;
        }
        parts.next().is_none().then_some(Self::V4 { network, mask })
    }
}

impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, AllowListError> {
        text.split([';', ',', '|', ' ', '\t', '\r', '\n'])
            .filter(|entry| !entry.is_empty())
            .map(|entry| Entry::parse(entry).ok_or_else(|| AllowListError(entry.to_owned())))
            .collect::<Result<_, _>>()
            .map(|allow| Self {
                allow,
                ..Self::default()
            })
    }
}

/// An entry of an [`AllowList`] that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowListError(String);

impl std::error::Error for AllowListError {}

impl fmt::Display for AllowListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no IP address, no `10.1.*.*` and no `10.1.0.0/16`; names are not looked up",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        for (list, inside, outside) in [
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("*.*.*.*", "1.2.3.4", "::1"),
            ("10.*.0.1", "10.9.0.1", "10.9.1.1"),
            ("10.0.0.0/31", "10.0.0.1", "10.0.0.2"),
            ("0.0.0.0/0", "255.1.1.1", "fe80::1"),
            ("10.0.0.0/32", "10.0.0.0", "10.0.0.1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::/0", "::1", "127.0.0.1"),
            ("::1", "::1", "::2"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("1.1.1.1|2.2.2.2;3.3.3.3", "3.3.3.3", "4.4.4.4"),
        ] {
            let list: AllowList = list.parse().unwrap();
            assert!(list.allows(inside.parse().unwrap()), "{list:?} {inside}");
            assert!(!list.allows(outside.parse().unwrap()), "{list:?} {outside}");
        }
        for (deny_first, of_both) in [(false, true), (true, false)] {
            let [allow, deny] = ["10.*.*.*", "10.0.0.1;9.9.9.9"].map(|text| text.parse().unwrap());
            let list = AllowList::deny(allow, deny, deny_first);
            for (address, allowed) in [
                ("10.0.0.1", of_both),
                ("10.0.0.2", true),
                ("9.9.9.9", false),
                ("8.8.8.8", false),
            ] {
                assert_eq!(list.allows(address.parse().unwrap()), allowed, "{address}");
            }
        }
        let all_but = AllowList::default().deny("10.0.0.1".parse().unwrap(), false);
        assert!(all_but.allows("10.0.0.2".parse().unwrap()));
        assert!(!all_but.allows("10.0.0.1".parse().unwrap()));
        let all: AllowList = " ; ".parse().unwrap();
        assert!(all.allows("9.9.9.9".parse().unwrap()));
        for wrong in [
            "a",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.4/33",
            "::1/129",
            "1.2.3.256",
            "/",
        ] {
            wrong.parse::<AllowList>().unwrap_err();
        }
    }
}
