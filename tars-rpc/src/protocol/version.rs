//! The versions of the protocol: which form packets and values have.

/// The version of the protocol in which a call is made and answered, `iVersion` of its packets.
///
/// A server answers each request in its version. A client asks in the one of its
/// [`CallOptions`](crate::client::CallOptions::version).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[repr(i16)]
pub enum Version {
    /// 1, TARS: values by position. What every peer speaks.
    #[default]
    Tars = 1,
    /// 2, TUP complex: values by name and the name of their type. Of the servers, only Tars.js and this one know it.
    #[cfg(feature = "tup")]
    TupComplex = 2,
    /// 3, TUP simple: values by name.
    #[cfg(feature = "tup")]
    Tup = 3,
    /// 5, JSON: an object with a member for each value.
    #[cfg(feature = "json")]
    Json = 5,
}

impl Version {
    /// For error messages.
    pub(crate) const SPOKEN: &str = match (cfg!(feature = "tup"), cfg!(feature = "json")) {
        (true, true) => "1 (TARS), 2 and 3 (TUP) and 5 (JSON)",
        (true, false) => "1 (TARS), 2 and 3 (TUP)",
        (false, true) => "1 (TARS) and 5 (JSON)",
        (false, false) => "1 (TARS)",
    };

    /// The version with this number; `None` for one that is not spoken here.
    pub(crate) fn new(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Tars,
            #[cfg(feature = "tup")]
            2 => Self::TupComplex,
            #[cfg(feature = "tup")]
            3 => Self::Tup,
            #[cfg(feature = "json")]
            5 => Self::Json,
            _ => return None,
        })
    }

    /// The number on the wire.
    pub fn number(self) -> i16 {
        self as i16
    }

    /// Whether an answer has the shape of a request.
    pub(crate) fn is_tup(self) -> bool {
        matches!(self.number(), 2 | 3)
    }

    fn is_json(self) -> bool {
        self.number() == 5
    }

    /// The form of the values in an answer to a request of this version, by the number of the answer.
    ///
    /// TarsPHP answers JSON requests with JSON in packets of version 1, whose bodies never begin like an object:
    /// that would be the end of a struct.
    pub(crate) fn of_answer(self, number: i16, body: &[u8]) -> Self {
        match Self::new(number) {
            Some(Self::Tars) | None if self.is_json() && body.starts_with(b"{") => self,
            Some(version) => version,
            None => Self::Tars,
        }
    }
}
