//! Where an address is: its network, and its country where a database of countries is configured.

use std::{fs, net::IpAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use maxminddb::{Reader, path};

/// A database of countries in MaxMind's format, or none.
#[derive(Clone, Default)]
pub struct Places(Option<Arc<Reader<Vec<u8>>>>);

impl Places {
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Places(None)) };
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        Self::of(bytes).with_context(|| format!("{} is no database of countries", path.display()))
    }

    pub fn of(bytes: Vec<u8>) -> anyhow::Result<Self> {
        Ok(Places(Some(Arc::new(Reader::from_source(bytes)?))))
    }

    /// The two letters of the country of an address (ISO 3166-1), if known. The layouts of MaxMind and of others.
    pub fn country(&self, address: IpAddr) -> Option<String> {
        let found = self.0.as_ref()?.lookup(address.to_canonical()).ok()?;
        let nested = found.decode_path::<String>(&path!["country", "iso_code"]).ok().flatten();
        let code = nested.or_else(|| found.decode_path::<String>(&path!["country_code"]).ok().flatten())?;
        (code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())).then_some(code)
    }
}

/// The network of an address: what stays when a phone gets another one from the same provider.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A database of one country a network of the first eight bits, as its format says: a tree, sixteen zeros, the data,
    /// the description.
    pub fn database(countries: &[(u8, &str)]) -> Vec<u8> {
        let text =
            |text: &str| [vec![0x40 | u8::try_from(text.len()).expect("short")], text.as_bytes().to_vec()].concat();
        let map = |pairs: u8| vec![0xE0 | pairs];
        let short = |value: u16| [vec![0xA2], value.to_be_bytes().to_vec()].concat();
        let long = |value: u32| [vec![0xC4], value.to_be_bytes().to_vec()].concat();
        // One path of eight nodes for each country, over a root that all share.
        let mut nodes = vec![[None::<u32>; 2]];
        let mut ends = Vec::new();
        let mut data = Vec::new();
        for (first, country) in countries {
            let offset = u32::try_from(data.len()).expect("small");
            data.extend([map(1), text("country"), map(1), text("iso_code"), text(country)].concat());
            let mut at = 0;
            for bit in (0..8).rev() {
                let side = usize::from((first >> bit) & 1);
                if bit == 0 {
                    ends.push((at, side, offset));
                } else {
                    at = match nodes[at][side] {
                        Some(next) => usize::try_from(next).expect("small"),
                        None => {
                            nodes.push([None; 2]);
                            let next = nodes.len() - 1;
                            nodes[at][side] = Some(u32::try_from(next).expect("small"));
                            next
                        }
                    };
                }
            }
        }
        let count = u32::try_from(nodes.len()).expect("small");
        let mut records = nodes.iter().map(|node| node.map(|side| side.unwrap_or(count))).collect::<Vec<_>>();
        for (at, side, offset) in ends {
            records[at][side] = count + 16 + offset;
        }
        let mut bytes = Vec::new();
        for record in records.into_iter().flatten() {
            bytes.extend(&record.to_be_bytes()[1..]);
        }
        bytes.extend([0; 16]);
        bytes.extend(data);
        bytes.extend(b"\xAB\xCD\xEFMaxMind.com");
        bytes.extend(
            [
                map(9),
                text("binary_format_major_version"),
                short(2),
                text("binary_format_minor_version"),
                short(0),
                text("build_epoch"),
                vec![0x04, 0x02, 0, 0, 0, 1],
                text("database_type"),
                text("Test-Country"),
                text("description"),
                map(0),
                text("ip_version"),
                short(4),
                text("languages"),
                vec![0x00, 0x04],
                text("node_count"),
                long(count),
                text("record_size"),
                short(24),
            ]
            .concat(),
        );
        bytes
    }

    /// A9: the country comes from the database alone; without one nobody has any.
    #[test]
    fn a_country_is_found_where_a_database_tells_it() {
        let places = Places::of(database(&[(203, "SA"), (198, "EG"), (192, "JO")])).expect("a database");
        let of = |address: &str| places.country(address.parse().expect("an address"));
        assert_eq!(of("203.0.113.9").as_deref(), Some("SA"));
        assert_eq!(of("198.51.100.1").as_deref(), Some("EG"));
        assert_eq!(of("::ffff:192.0.2.1").as_deref(), Some("JO"));
        assert_eq!(of("10.0.0.1"), None);
        assert_eq!(Places::default().country("203.0.113.9".parse().expect("an address")), None);
        assert!(Places::of(b"nothing".to_vec()).is_err());
    }

    #[test]
    fn a_network_is_what_neighbours_share() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("203.0.113.9"), "203.0.113.0/24");
        assert_eq!(of("::ffff:203.0.113.200"), "203.0.113.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
    }
}
