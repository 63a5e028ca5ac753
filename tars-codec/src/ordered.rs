//! Floats with a total order, for map keys.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::{Decode, Encode, Reader, Result, WireType, Writer};

macro_rules! ordered {
    ($($name:ident $float:ident;)*) => {$(
        #[doc = concat!("An `", stringify!($float), "` that can be a map key: it is ordered and compared by `total_cmp`.")]
        #[derive(Clone, Copy, Default)]
        #[repr(transparent)]
        pub struct $name(pub $float);

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.to_bits() == other.0.to_bits()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.total_cmp(&other.0)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.to_bits().hash(state);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<$float> for $name {
            fn from(value: $float) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $float {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl Encode for $name {
            #[inline]
            fn encode(&self, w: &mut Writer<'_>, tag: u8) {
                self.0.encode(w, tag);
            }

            #[inline(always)]
            fn is_default(&self) -> bool {
                self.0.is_default()
            }
        }

        impl Decode for $name {
            const WHOLE: bool = true;

            #[inline]
            fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
                $float::decode_whole(r, tag).map(Self)
            }

            #[inline]
            fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
                $float::decode(r, ty).map(Self)
            }
        }
    )*};
}

ordered! {
    OrderedF32 f32;
    OrderedF64 f64;
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use super::*;
    use crate::write;

    #[test]
    fn every_float_is_one_key() {
        let keys = [f64::NAN, -0.0, 0.0, f64::NEG_INFINITY, f64::NAN];
        let map: BTreeMap<OrderedF64, ()> = keys.iter().map(|&key| (key.into(), ())).collect();
        let order: Vec<u64> = map.keys().map(|key| key.0.to_bits()).collect();
        let expected = [f64::NEG_INFINITY, -0.0, 0.0, f64::NAN].map(f64::to_bits);
        assert_eq!(order, expected);
    }

    #[test]
    fn the_wire_is_that_of_the_float() {
        let mut wrapped = Vec::new();
        write(&mut wrapped, |w| w.put(3, &OrderedF32(1.5))).unwrap();
        let mut bare = Vec::new();
        write(&mut bare, |w| w.put(3, &1.5_f32)).unwrap();
        assert_eq!(wrapped, bare);
    }
}
