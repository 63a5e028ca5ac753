//! Generated types in formats of serde, as their JSON has them.

use core::{cell::Cell, fmt};

use serde_core::{
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
    ser::{self, SerializeMap, SerializeSeq},
};

use super::{read, to_string};
use crate::{Decode, Encode, Input, Limits, Typed};

pub use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

/// What [`Serialize`] does for a generated type: gives what its JSON says, in the same order.
///
/// # Errors
/// The value cannot be encoded, or the format has no place for it.
pub fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Encode + Typed + ?Sized,
    S: Serializer,
{
    let text = to_string(value).map_err(ser::Error::custom)?;
    let mut json = serde_json::Deserializer::from_str(&text);
    Transcoder(Cell::new(Some(&mut json))).serialize(serializer)
}

/// What [`Deserialize`] does for a generated type: takes what its JSON may say, from any format that says what it has.
///
/// # Errors
/// What is there is not of this type.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Decode + Typed,
    D: Deserializer<'de>,
{
    let tars = read::read_from(deserializer, T::TYPE, &Limits::DEFAULT)?.into();
    let input = Input::shared(&tars);
    let mut r = input.reader();
    let value = r.next_if(0).map_err(de::Error::custom)?;
    r.require(value, 0).map_err(de::Error::custom)
}

/// Gives a serializer what a deserializer has, once.
struct Transcoder<D>(Cell<Option<D>>);

impl<'de, D: Deserializer<'de>> Serialize for Transcoder<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.take() {
            Some(input) => input
                .deserialize_any(Output(serializer))
                .map_err(ser::Error::custom),
            None => Err(ser::Error::custom("serialized twice")),
        }
    }
}

/// Where the transcoded value goes.
struct Output<S>(S);

macro_rules! scalars {
    ($($visit:ident $serialize:ident $ty:ty;)*) => {$(
        fn $visit<E: de::Error>(self, value: $ty) -> Result<S::Ok, E> {
            self.0.$serialize(value).map_err(E::custom)
        }
    )*};
}

impl<'de, S: Serializer> Visitor<'de> for Output<S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    scalars! {
        visit_bool serialize_bool bool;
        visit_i64 serialize_i64 i64;
        visit_u64 serialize_u64 u64;
        visit_f64 serialize_f64 f64;
        visit_str serialize_str &str;
    }

    /// `null`
    fn visit_unit<E: de::Error>(self) -> Result<S::Ok, E> {
        self.0.serialize_none().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<S::Ok, A::Error> {
        let mut list = self
            .0
            .serialize_seq(items.size_hint())
            .map_err(de::Error::custom)?;
        while items.next_element_seed(Element(&mut list))?.is_some() {}
        list.end().map_err(de::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<S::Ok, A::Error> {
        let mut map = self
            .0
            .serialize_map(entries.size_hint())
            .map_err(de::Error::custom)?;
        while entries.next_key_seed(Key(&mut map))?.is_some() {
            entries.next_value_seed(Value(&mut map))?;
        }
        map.end().map_err(de::Error::custom)
    }
}

macro_rules! seeds {
    ($($name:ident $of:ident $put:ident;)*) => {$(
        struct $name<'a, S>(&'a mut S);

        impl<'de, S: $of> DeserializeSeed<'de> for $name<'_, S> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
                let value = Transcoder(Cell::new(Some(input)));
                self.0.$put(&value).map_err(de::Error::custom)
            }
        }
    )*};
}

seeds! {
    Element SerializeSeq serialize_element;
    Key SerializeMap serialize_key;
    Value SerializeMap serialize_value;
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec, vec::Vec};

    use super::*;

    struct Generated<'a, T>(&'a T);

    impl<T: Encode + Typed> Serialize for Generated<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize(self.0, serializer)
        }
    }

    #[test]
    fn what_json_has() {
        let value = BTreeMap::from([(-1_i64, vec![0.1_f32, f32::NAN]), (7, Vec::new())]);
        let json = to_string(&value).unwrap();
        assert_eq!(serde_json::to_string(&Generated(&value)).unwrap(), json);

        let mut input = serde_json::Deserializer::from_str(&json);
        let back: BTreeMap<i64, Vec<f32>> = deserialize(&mut input).unwrap();
        assert_eq!((back[&-1][0], back[&7].len()), (0.1, 0));
        let mut input = serde_json::Deserializer::from_str("[1]");
        assert!(deserialize::<i32, _>(&mut input).is_err());
    }
}
