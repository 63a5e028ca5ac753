//! What is measured.

use std::{any::type_name, fmt, hint::black_box};

use tars_codec::{
    Bytes, RequestPacket, Struct, decode, decode_bytes, decode_ref, encode, encode_into,
};

use super::{DataSet, peer, values};
use crate::generated::bench::{
    fast::types::classes::bench as fast, plain::types::classes::bench as plain,
};

/// Something to measure beside the same thing of prost.
pub struct Operation {
    /// What is done with which value: `A same: encode`.
    pub cell: String,
    /// In which way: `tars`, `tars, fast types`, `prost`.
    pub way: &'static str,
    /// The most that it may take of what prost takes, where there is such a goal.
    pub goal: Option<f64>,
    run: Box<dyn FnMut()>,
}

impl Operation {
    /// Does it once.
    pub fn run(&mut self) {
        (self.run)();
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cell, self.way)
    }
}

/// Decodes to a type that borrows.
macro_rules! borrow {
    ($ty:ty) => {
        Some(|bytes| {
            black_box(decode_ref::<$ty>(bytes).expect("bytes of this codec"));
        })
    };
}

/// All of them.
pub fn operations() -> Vec<Operation> {
    let mut all = Operations::default();
    for set in DataSet::ALL {
        let name = set.name();
        let goals = match set {
            DataSet::Same => Goals::new(0.13, 0.35, 0.18).borrowed(0.13),
            DataSet::Varied => Goals::new(0.18, 0.42, 0.32).borrowed(0.25),
        };
        all.add::<_, fast::LotofTags, peer::LotofTags>(
            &format!("A {name}"),
            &set.a(),
            goals,
            borrow!(fast::LotofTagsRef<'_>),
        );
        all.add::<_, fast::ComplicatedStruct, peer::ComplicatedStruct>(
            &format!("B {name}"),
            &set.b(),
            goals,
            borrow!(fast::ComplicatedStructRef<'_>),
        );
        all.add::<_, fast::ComplicatedStruct, peer::ComplicatedStruct>(
            &format!("C {name}"),
            &set.c(),
            goals,
            borrow!(fast::ComplicatedStructRef<'_>),
        );
        let goals = Goals::default();
        all.add_shared::<RequestPacket, peer::RequestPacket>(
            &format!("request {name}"),
            &set.requests(),
            goals,
        );
    }
    for (mix, lists) in values::numbers() {
        let goals = Goals::new(1.0, 1.0, 1.0);
        all.add::<_, fast::Numbers, peer::Numbers>(
            &format!("vector<int> of 1,000, {mix}"),
            &lists,
            goals,
            None,
        );
    }
    for (size, blob) in values::blobs() {
        let goals = Goals::default();
        all.add_shared::<plain::Blob, peer::Blob>(&format!("bytes, {size}"), &blob, goals);
    }
    for (size, text) in values::texts() {
        let goals = Goals::default();
        all.add::<_, fast::Text, peer::Text>(
            &format!("string, {size}"),
            &text,
            goals,
            borrow!(fast::TextRef<'_>),
        );
    }
    all.0
}

/// The goals of one value, as ratios to prost.
#[derive(Debug, Clone, Copy, Default)]
struct Goals {
    encode: Option<f64>,
    decode: Option<f64>,
    decode_fast: Option<f64>,
    decode_borrowed: Option<f64>,
}

impl Goals {
    fn new(encode: f64, decode: f64, decode_fast: f64) -> Self {
        Self {
            encode: Some(encode),
            decode: Some(decode),
            decode_fast: Some(decode_fast),
            decode_borrowed: None,
        }
    }

    fn borrowed(self, decode_borrowed: f64) -> Self {
        Self {
            decode_borrowed: Some(decode_borrowed),
            ..self
        }
    }
}

#[derive(Default)]
struct Operations(Vec<Operation>);

impl Operations {
    /// Encoding and decoding of a value; also decoding to the fast types, and to those that borrow.
    fn add<T, F, P>(&mut self, name: &str, values: &[T], goals: Goals, borrowed: Option<fn(&[u8])>)
    where
        T: Struct + Clone + 'static,
        F: Struct + 'static,
        P: prost::Message + Default + for<'a> From<&'a T> + 'static,
    {
        self.encoding::<T, F, P>(name, values, goals);
        let cell = format!("{name}: decode");
        let bytes = encoded(values);
        self.cycle(&cell, "tars", goals.decode, bytes, |bytes| {
            decode::<T>(bytes).expect("bytes of this codec")
        });
        let bytes = encoded(values).into_iter().map(Bytes::from).collect();
        self.cycle(&cell, FAST, goals.decode_fast, bytes, |bytes| {
            decode_bytes::<F>(bytes).expect("bytes of this codec")
        });
        if let Some(decode) = borrowed {
            let bytes = encoded(values);
            self.cycle(
                &cell,
                "tars, borrowed",
                goals.decode_borrowed,
                bytes,
                move |bytes| decode(bytes),
            );
        }
        let bytes: Vec<Vec<u8>> = values.iter().map(|v| P::from(v).encode_to_vec()).collect();
        self.cycle(&cell, "prost", None, bytes, |bytes| {
            P::decode(&bytes[..]).expect("bytes of prost")
        });
    }

    /// The same, decoding from memory that may be shared.
    fn add_shared<T, P>(&mut self, name: &str, values: &[T], goals: Goals)
    where
        T: Struct + Clone + 'static,
        P: prost::Message + Default + for<'a> From<&'a T> + 'static,
    {
        self.encoding::<T, T, P>(name, values, goals);
        let cell = format!("{name}: decode");
        let bytes = encoded(values).into_iter().map(Bytes::from).collect();
        self.cycle(&cell, "tars", goals.decode, bytes, |bytes| {
            decode_bytes::<T>(bytes).expect("bytes of this codec")
        });
        let bytes = values
            .iter()
            .map(|v| Bytes::from(P::from(v).encode_to_vec()));
        self.cycle(&cell, "prost", None, bytes.collect(), |bytes| {
            P::decode(bytes.clone()).expect("bytes of prost")
        });
    }

    fn encoding<T, F, P>(&mut self, name: &str, values: &[T], goals: Goals)
    where
        T: Struct + Clone + 'static,
        F: Struct + 'static,
        P: prost::Message + for<'a> From<&'a T> + 'static,
    {
        let cell = format!("{name}: encode");
        let mut buf = Vec::new();
        self.cycle(&cell, "tars", goals.encode, values.to_vec(), move |value| {
            buf.clear();
            encode_into(value, &mut buf).expect("a value that can be encoded");
            buf.len()
        });
        if type_name::<F>() != type_name::<T>() {
            let decoded = encoded(values).into_iter();
            let decoded = decoded.map(|b| decode::<F>(&b).expect("bytes of this codec"));
            let mut buf = Vec::new();
            self.cycle(&cell, FAST, goals.encode, decoded.collect(), move |value| {
                buf.clear();
                encode_into(value, &mut buf).expect("a value that can be encoded");
                buf.len()
            });
        }
        let mut buf = Vec::new();
        let peers = values.iter().map(P::from).collect();
        self.cycle(&cell, "prost", None, peers, move |peer: &P| {
            buf.clear();
            peer.encode(&mut buf).expect("a vector grows");
            buf.len()
        });
    }

    /// Calls `run` with each of the values in turn.
    fn cycle<T: 'static, R>(
        &mut self,
        cell: &str,
        way: &'static str,
        goal: Option<f64>,
        values: Vec<T>,
        mut run: impl FnMut(&T) -> R + 'static,
    ) {
        let mut next = 0;
        let run = move || {
            next = if next + 1 == values.len() {
                0
            } else {
                next + 1
            };
            black_box(run(black_box(&values[next])));
        };
        self.0.push(Operation {
            cell: cell.to_owned(),
            way,
            goal,
            run: Box::new(run),
        });
    }
}

/// `VecMap` for maps, `InlineStr` for strings.
const FAST: &str = "tars, fast types";

pub(super) fn encoded<T: Struct>(values: &[T]) -> Vec<Vec<u8>> {
    let encode = |value| encode(value).expect("a value that can be encoded");
    values.iter().map(encode).collect()
}
