//! The trace context of W3C, which clients send and servers read.

use std::fmt;

/// Its key within the context of a request.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// `00-TRACE-SPAN-FLAGS`, all in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    flags: u8,
}

impl TraceParent {
    const SAMPLED: u8 = 1;

    pub(crate) fn random() -> Self {
        Self {
            trace: fastrand::u128(1..),
            span: fastrand::u64(1..),
            flags: Self::SAMPLED,
        }
    }

    pub(crate) fn child(self) -> Self {
        let span = fastrand::u64(1..);
        Self { span, ..self }
    }

    /// `None` for what W3C says must be ignored. Versions to come may have more parts.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next()?;
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            (part.len() == digits && part.bytes().all(is_hex)).then_some(part)
        };
        let version = part(2)?;
        let trace = u128::from_str_radix(part(32)?, 16).ok()?;
        let span = u64::from_str_radix(part(16)?, 16).ok()?;
        let flags = u8::from_str_radix(part(2)?, 16).ok()?;
        let has_more = parts.next().is_some();
        let is_valid = version != "ff" && !(version == "00" && has_more) && trace != 0 && span != 0;
        is_valid.then_some(Self { trace, span, flags })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_w3c_takes_and_what_not() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceParent::parse(good).unwrap();
        assert_eq!(parent.to_string(), good);
        let child = parent.child();
        assert_eq!((child.trace, child.flags), (parent.trace, 1));
        assert_ne!(child.span, parent.span);
        let newer = good.replacen("00", "01", 1) + "-more";
        assert_eq!(TraceParent::parse(&newer), Some(parent));
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
