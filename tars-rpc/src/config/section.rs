//! Takes the keys of a block that are known, and lists the others.

use std::{fmt::Display, ops::RangeInclusive, path::PathBuf, time::Duration};

use super::{
    application::Key,
    document::{Block, Entry},
    edit::{macros, unknown_macro},
    error::Faults,
    values::{self, TlsConfig},
};
use crate::{Address, AddressError, Endpoint};

/// Characters of a value in a message.
const SHOWN: usize = 60;

/// What the sections of a file have in common.
pub(super) struct Findings<'d> {
    pub(super) text: &'d str,
    pub(super) faults: Faults<'d>,
    pub(super) unknown: Vec<Key>,
    pub(super) unused: Vec<Key>,
}

/// A block that is being read.
pub(super) struct Section<'a, 'd> {
    /// A block that is not there has defaults only.
    block: Option<Block<'d>>,
    path: String,
    findings: &'a mut Findings<'d>,
    known: Vec<&'static str>,
}

impl<'a, 'd> Section<'a, 'd> {
    pub(super) fn new(
        block: Option<Block<'d>>,
        path: String,
        findings: &'a mut Findings<'d>,
    ) -> Self {
        let known = Vec::new();
        Self {
            block,
            path,
            findings,
            known,
        }
    }

    /// Lists the keys that nobody asked for; `unused` are known to other implementations of Tars.
    pub(super) fn finish(self, unused: &[&str]) {
        for entry in self.block.iter().flat_map(|block| block.entries()) {
            if self.known.contains(&entry.key()) {
                continue;
            }
            let key = Key {
                path: format!("{}<{}>", self.path, entry.key()),
                value: entry.value().to_owned(),
            };
            match unused.contains(&entry.key()) {
                true => self.findings.unused.push(key),
                false => self.findings.unknown.push(key),
            }
        }
    }

    /// A value that is neither missing nor empty, nor has a macro that was not replaced.
    fn entry(&mut self, key: &'static str) -> Option<&'d Entry> {
        self.known.push(key);
        let entry = self.block?.entry(key)?;
        if let Some((_, name)) = macros(entry.value()).next() {
            self.findings.faults.add(entry.place(), unknown_macro(name));
            return None;
        }
        Some(entry).filter(|entry| !entry.value().is_empty())
    }

    /// A value of some form, and what is expected if it has another.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        match parse(entry.value()) {
            Ok(value) => Some(value),
            Err(expected) => {
                let shown: String = entry.value().chars().take(SHOWN).collect();
                let message = format!("`{key}` must be {expected}, not `{shown}`");
                self.findings.faults.add(entry.place(), message);
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.entry(key).map(|entry| entry.value().to_owned())
    }

    pub(super) fn parse<T: std::str::FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
    ) -> Option<T> {
        self.parsed(key, str::parse)
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        self.parsed(key, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
        })
    }

    pub(super) fn millis(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, |text| {
            duration(text, Duration::from_millis, 1, "milliseconds")
        })
    }

    pub(super) fn millis_or_zero(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, |text| {
            duration(text, Duration::from_millis, 0, "milliseconds")
        })
    }

    pub(super) fn seconds(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, |text| {
            duration(text, Duration::from_secs, 1, "seconds")
        })
    }

    pub(super) fn size(&mut self, key: &'static str) -> Option<u64> {
        let expected = "a number of bytes with or without K, M or G";
        self.parsed(key, |text| values::size(text).ok_or(expected))
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.parsed(key, |text| values::flag(text).ok_or("0, 1, n or y"))
    }

    /// Names between semicolons or commas.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<String> {
        let text = self.text(key).unwrap_or_default();
        let names = text.split([';', ',']).map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn address(&mut self, key: &'static str) -> Option<Address> {
        self.located(key, str::parse)
    }

    pub(super) fn endpoint(&mut self, key: &'static str) -> Option<Endpoint> {
        self.located(key, str::parse)
    }

    /// A value whose errors say where in it they are.
    fn located<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, AddressError>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        match parse(entry.value()) {
            Ok(value) => Some(value),
            Err(error) => {
                let mut place = entry.place();
                // With escapes in it, the value is not what is written.
                if self.findings.text.get(place.clone()) == Some(entry.value()) {
                    let at = place.start + error.offset();
                    let word = entry.value().get(error.offset()..).unwrap_or_default();
                    let word = word.split_whitespace().next().map_or(0, str::len);
                    place = at..at + word;
                }
                let message = format!("in `{key}`: {}", error.message());
                self.findings.faults.add(place, message);
                None
            }
        }
    }

    pub(super) fn tls(&mut self) -> Option<TlsConfig> {
        let tls = TlsConfig {
            ca: self.path("ca"),
            cert: self.path("cert"),
            key: self.path("key"),
            verify_client: self.flag("verifyclient").unwrap_or_default(),
        };
        (tls.ca.is_some() || tls.cert.is_some()).then_some(tls)
    }

    /// The value of a key that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self, key);
        let is_there = |block: Block<'_>| block.get(key).is_some_and(|value| !value.is_empty());
        if value.is_none() && !self.block.is_some_and(is_there) {
            let message = format!("the key `{key}` is missing, or has no value");
            self.complain(message);
        }
        value
    }

    /// Something is wrong with the block as a whole.
    pub(super) fn complain(&mut self, message: String) {
        if let Some(block) = self.block {
            self.findings.faults.add(block.node().tag.clone(), message);
        }
    }

    /// Something is wrong with a value as it is.
    pub(super) fn refuse(&mut self, key: &str, message: String) {
        if let Some(entry) = self.block.and_then(|block| block.entry(key)) {
            self.findings.faults.add(entry.place(), message);
        }
    }

    /// The blocks in this block, with what they share.
    pub(super) fn blocks(&mut self) -> Vec<Block<'d>> {
        self.block.iter().flat_map(|block| block.blocks()).collect()
    }

    pub(super) fn section(&mut self, block: Block<'d>) -> Section<'_, 'd> {
        let path = format!("{}/{}", self.path, block.name());
        Section::new(Some(block), path, self.findings)
    }
}

fn duration(
    text: &str,
    from: fn(u64) -> Duration,
    min: u32,
    unit: &str,
) -> Result<Duration, String> {
    // TarsCpp reads an `int`.
    let max = i32::MAX;
    let number = text.parse::<i32>().ok().map(u32::try_from);
    match number {
        Some(Ok(number)) if number >= min => Ok(from(number.into())),
        _ => Err(format!("a number of {unit} from {min} to {max}")),
    }
}
