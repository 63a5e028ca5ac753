//! The values as bytes, for the peers of `scripts/bench-codec.sh`.

use std::fmt;

use tars_codec::{RequestPacket, Struct, decode};

use super::{DataSet, operations::encoded, values};
use crate::generated::bench::plain::types::classes::bench::{
    Blob, ComplicatedStruct, LotofTags, Numbers, Text,
};

/// Values of one type.
pub struct Set {
    /// What the cells of these values begin with: `A same`.
    pub name: String,
    /// The struct of `benches/tars/bench.tars`, or `RequestPacket`.
    pub ty: &'static str,
    /// Each of them, encoded.
    pub values: Vec<Vec<u8>>,
    /// Whether bytes are the same value.
    pub is_same: fn(&[u8], &[u8]) -> bool,
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} ({})", self.values.len(), self.ty, self.name)
    }
}

/// All that are measured.
pub fn sets() -> Vec<Set> {
    let mut sets = Vec::new();
    for set in DataSet::ALL {
        let name = set.name();
        sets.push(of::<LotofTags>(format!("A {name}"), "LotofTags", &set.a()));
        for (value, values) in [("B", set.b()), ("C", set.c())] {
            let name = format!("{value} {name}");
            sets.push(of::<ComplicatedStruct>(name, "ComplicatedStruct", &values));
        }
        let requests = set.requests();
        let name = format!("request {name}");
        sets.push(of::<RequestPacket>(name, "RequestPacket", &requests));
    }
    for (mix, lists) in values::numbers() {
        let name = format!("vector<int> of 1,000, {mix}");
        sets.push(of::<Numbers>(name, "Numbers", &lists));
    }
    for (size, blobs) in values::blobs() {
        sets.push(of::<Blob>(format!("bytes, {size}"), "Blob", &blobs));
    }
    for (size, texts) in values::texts() {
        sets.push(of::<Text>(format!("string, {size}"), "Text", &texts));
    }
    sets
}

fn of<T: Struct + PartialEq>(name: String, ty: &'static str, values: &[T]) -> Set {
    Set {
        name,
        ty,
        values: encoded(values),
        is_same: |ours, theirs| matches!((decode::<T>(ours), decode::<T>(theirs)), (Ok(a), Ok(b)) if a == b),
    }
}
