//! Values of config files that have a form of their own.

use std::{fmt, path::PathBuf, str::FromStr};

/// What is written to the log: this level and those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum LogLevel {
    /// `NONE`: nothing.
    None,
    /// `ERROR`
    Error,
    /// `WARN`
    Warn,
    /// `INFO`
    Info,
    /// `DEBUG`, the default.
    #[default]
    Debug,
    /// `TARS`: also what the framework says about itself.
    Tars,
}

impl LogLevel {
    /// All levels, from the fewest lines to the most.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Tars,
    ];

    /// As in config files and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Tars => "TARS",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Upper or lower case. The error says what is expected.
impl FromStr for LogLevel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut levels = Self::ALL.into_iter();
        levels
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or("NONE, ERROR, WARN, INFO, DEBUG or TARS")
    }
}

/// A set, `name.area.group`: servers that belong together and call each other.
///
/// ```
/// use tars_rpc::config::SetDivision;
///
/// let set: SetDivision = "mtt.s.1".parse().unwrap();
/// assert_eq!((set.name(), set.area(), set.group()), ("mtt", "s", "1"));
/// assert!("mtt.*.1".parse::<SetDivision>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SetDivision {
    text: String,
    area: usize,
    group: usize,
}

impl SetDivision {
    /// The first part.
    pub fn name(&self) -> &str {
        self.text.get(..self.area - 1).unwrap_or_default()
    }

    /// The second part.
    pub fn area(&self) -> &str {
        self.text.get(self.area..self.group - 1).unwrap_or_default()
    }

    /// The third part; `*` for all groups of the area.
    pub fn group(&self) -> &str {
        self.text.get(self.group..).unwrap_or_default()
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SetDivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The error says what is expected.
impl FromStr for SetDivision {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let (name, area, group) = (parts.next(), parts.next(), parts.next());
        match (name, area, group, parts.next()) {
            (Some(name), Some(area), Some(group), None)
                if ![name, area, group].contains(&"") && name != "*" && area != "*" =>
            {
                let area_at = name.len() + 1;
                Ok(Self {
                    text: text.to_owned(),
                    area: area_at,
                    group: area_at + area.len() + 1,
                })
            }
            _ => Err("a set, NAME.AREA.GROUP, of which only GROUP may be `*`"),
        }
    }
}

/// What an adapter speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// `tars`, the default: calls in the protocol of Tars.
    #[default]
    Tars,
    /// `not_tars` and whatever is not `tars`: the server knows.
    NotTars,
}

impl Protocol {
    pub(super) fn new(text: &str) -> Self {
        match text {
            "tars" | "taf" => Self::Tars,
            _ => Self::NotTars,
        }
    }
}

/// What a client must know to use a servant. Printed, it keeps its secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// `accesskey`: the name of the secret.
    pub access_key: String,
    /// `secretkey`: the secret.
    pub secret_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// The files for TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// `ca`: certificates of the authorities that are trusted.
    pub ca: Option<PathBuf>,
    /// `cert`: the own certificate.
    pub cert: Option<PathBuf>,
    /// `key`: its private key.
    pub key: Option<PathBuf>,
    /// `verifyclient`: a server wants a certificate of its clients, too. Default no.
    pub verify_client: bool,
}

/// `10M`: a number with an optional unit of 1024 (`K`), its square (`M`) or cube (`G`).
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 'K' | 'k') => (text.get(..at)?, 1 << 10),
        (at, 'M' | 'm') => (text.get(..at)?, 1 << 20),
        (at, 'G' | 'g') => (text.get(..at)?, 1 << 30),
        _ => (text, 1_u64),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (unit == 1 && number != whole) {
        return None;
    }
    // Six digits decide about bytes of a gigabyte; more would not fit.
    let fraction = fraction.get(..fraction.len().min(6))?;
    let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let parts = fraction.parse::<u64>().ok()? * unit / scale;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)?
        .checked_add(parts)
}

/// `0` or `1`, `n` or `y`, in words or letters of either case.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "y" | "yes" | "true" | "on" => Some(true),
        "0" | "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("52428800", Some(50 << 20)),
            ("128K", Some(128 << 10)),
            ("10M", Some(10 << 20)),
            ("1g", Some(1 << 30)),
            ("1.5M", Some(3 << 19)),
            ("0.25G", Some(1 << 28)),
            ("17179869183G", Some(17_179_869_183 << 30)),
            ("17179869184G", None),
            ("99999999999999999999", None),
            ("0.9999999999999999999999999G", Some(1_073_740_750)),
            ("1.5", None),
            ("1.M", None),
            ("-1", None),
            ("+1", None),
            ("M", None),
            ("10 M", None),
            ("10MB", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn sets_have_three_parts() {
        for text in ["a.b.c", "a.b.*", "\u{4e00}.\u{4e8c}.\u{4e09}"] {
            let set: SetDivision = text.parse().unwrap();
            let parts = [set.name(), set.area(), set.group()];
            assert_eq!(parts.join("."), text);
        }
        for text in ["", "NULL", "a.b", "a.b.c.d", "a..c", "*.b.c", "a.*.c"] {
            assert!(text.parse::<SetDivision>().is_err(), "{text}");
        }
    }
}
