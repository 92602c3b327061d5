//! From an address to the country that announces it, by a bundled table.
//!
//! The address is looked up in memory and forgotten: it is never written, logged or sent anywhere (contract N13). Only
//! the country is derived. City, region and time zone would single people out unless a crowd shares them (secrecy
//! contract 3.2), so they are not derived at all. Where the table comes from: `data/README.md`; its layout:
//! `data/convert.py`.

use std::net::{IpAddr, Ipv4Addr};

static TABLE: &[u8] = include_bytes!("../data/country.bin");

/// The bundled table, ready for look-ups.
pub struct CountryTable {
    codes: Vec<&'static str>,
    four: Ranges,
    six: Ranges,
}

/// First units of ranges in ascending order, big-endian and packed, and what each range is.
struct Ranges {
    starts: &'static [u8],
    width_bytes: usize,
    countries: &'static [u8],
}

impl Ranges {
    fn start(&self, at: usize) -> u64 {
        let bytes = &self.starts[at * self.width_bytes..][..self.width_bytes];
        bytes.iter().fold(0, |start, byte| start << 8 | u64::from(*byte))
    }

    fn country(&self, unit: u64) -> usize {
        let (mut low, mut high) = (0, self.countries.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.start(middle) <= unit {
                low = middle + 1
            } else {
                high = middle
            }
        }
        // The first range starts at zero, so there always is one before.
        usize::from(self.countries[low - 1])
    }
}

impl CountryTable {
    /// # Panics
    ///
    /// When the bundled file is damaged, which a unit test would have shown.
    pub fn bundled() -> CountryTable {
        let mut rest = TABLE
            .strip_prefix(b"FPIP\x01")
            .expect("the bundled table has this magic");
        let count = usize::from(take(&mut rest, 1)[0]);
        let codes = std::str::from_utf8(take(&mut rest, 2 * count)).expect("country codes are ASCII");
        let codes = (0..count).map(|at| &codes[2 * at..2 * at + 2]).collect();
        let four = ranges(&mut rest, 3);
        let six = ranges(&mut rest, 6);
        CountryTable { codes, four, six }
    }

    /// ISO 3166-1 code of the country, or `None` for addresses that are no client's or that nobody announces.
    pub fn country(&self, address: IpAddr) -> Option<&'static str> {
        let index = match address.to_canonical() {
            IpAddr::V4(four) if is_local(four) => return None,
            IpAddr::V4(four) => self.four.country(u64::from(u32::from(four) >> 8)),
            IpAddr::V6(six) => {
                // Only 2000::/3 is given out to anybody.
                if six.octets()[0] >> 5 != 1 {
                    return None;
                }
                self.six.country((u128::from(six) >> 80) as u64)
            }
        };
        (index > 0).then(|| self.codes[index])
    }

    /// Whether the text is a country code that the table knows.
    pub fn is_country(&self, code: &str) -> bool {
        self.codes[1..].binary_search(&code).is_ok()
    }
}

fn is_local(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || first == 0
        || first >= 224
        || (first == 100 && second & 0xc0 == 64)
}

fn take(rest: &mut &'static [u8], length: usize) -> &'static [u8] {
    let (head, tail) = rest.split_at(length);
    *rest = tail;
    head
}

fn ranges(rest: &mut &'static [u8], width_bytes: usize) -> Ranges {
    let count = take(rest, 4)
        .iter()
        .fold(0, |count, byte| count << 8 | usize::from(*byte));
    Ranges {
        starts: take(rest, count * width_bytes),
        width_bytes,
        countries: take(rest, count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<&str>) {
        assert_eq!(
            CountryTable::bundled().country(address.parse().unwrap()),
            expected,
            "{address}"
        );
    }

    #[test]
    fn names_the_country_of_known_networks() {
        check("8.8.8.8", Some("US"));
        check("90.0.0.1", Some("FR"));
        check("133.11.0.1", Some("JP"));
        check("46.4.1.1", Some("DE"));
        check("::ffff:90.0.0.1", Some("FR"));
        check("2a01:e0a::1", Some("FR"));
        check("2001:200::1", Some("JP"));
    }

    #[test]
    fn has_no_country_for_addresses_of_nobody() {
        for address in [
            "10.1.2.3",
            "192.168.0.1",
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fc00::1",
        ] {
            check(address, None);
        }
    }

    #[test]
    fn the_table_is_sorted_and_whole() {
        let table = CountryTable::bundled();
        for ranges in [&table.four, &table.six] {
            assert_eq!(ranges.start(0), 0);
            assert!((1..ranges.countries.len()).all(|at| ranges.start(at - 1) < ranges.start(at)));
            assert!(
                ranges
                    .countries
                    .iter()
                    .all(|index| usize::from(*index) < table.codes.len())
            );
        }
        assert!(table.is_country("FR") && !table.is_country("--") && !table.is_country("fr"));
    }
}
