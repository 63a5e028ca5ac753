//! Which form the values of a call have.

/// The version of the protocol in which a call is made and answered, `iVersion` of its packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Version {
    /// 1: values by position. What every peer speaks.
    #[default]
    Tars,
    /// 3, "TUP simple": values by name.
    Tup,
}

impl Version {
    /// For error messages.
    pub(crate) const SPOKEN: &str = "1 (TARS) and 3 (TUP)";

    /// The version with this number; `None` for one that is not spoken here.
    pub(crate) fn new(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Tars,
            3 => Self::Tup,
            _ => return None,
        })
    }

    /// The number on the wire.
    pub fn number(self) -> i16 {
        match self {
            Self::Tars => 1,
            Self::Tup => 3,
        }
    }
}
