//! The values, deterministic on every machine.

use tars_codec::{RequestPacket, encode};

use crate::generated::bench::plain::types::classes::bench::{
    Blob, ComplicatedStruct, LotofTags, Numbers, Record, Text,
};

/// How the values of a data set differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSet {
    /// One value, which the branch predictor learns.
    Same,
    /// 64 values, used in turn: integers of random widths, keys of random lengths.
    Varied,
}

impl DataSet {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Same, Self::Varied];

    /// As shown in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Varied => "varied",
        }
    }

    /// Value A: 10 records in the list and 10 in the map; 358 bytes if `same`.
    pub fn a(self) -> Vec<LotofTags> {
        self.values(|parts| LotofTags {
            id: 123,
            count: 77,
            page: 3,
            str: "x".repeat(32),
            ss: (0..10).map(|_| parts.record()).collect(),
            rs: parts.record(),
            mss: (0..10).map(|i| (parts.key(i), parts.record())).collect(),
        })
    }

    /// Value B: 10 records in the list and 10 in the map; 352 bytes if `same`.
    pub fn b(self) -> Vec<ComplicatedStruct> {
        self.complicated(10, 32)
    }

    /// Value C: one record each; 56 bytes if `same`.
    pub fn c(self) -> Vec<ComplicatedStruct> {
        self.complicated(1, 6)
    }

    fn complicated(self, records: usize, text: usize) -> Vec<ComplicatedStruct> {
        self.values(|parts| ComplicatedStruct {
            ss: (0..records).map(|_| parts.record()).collect(),
            rs: parts.record(),
            mss: (0..records)
                .map(|i| (parts.key(i), parts.record()))
                .collect(),
            str: "x".repeat(text),
        })
    }

    /// Requests with value A or C for a body.
    pub fn requests(self) -> Vec<RequestPacket> {
        let request = |body: &ComplicatedStruct| RequestPacket {
            version: 1,
            request_id: 1_000_000,
            servant: "PHPTest.PHPServer.obj".to_owned(),
            func: "testComplicatedStruct".to_owned(),
            body: encode(body).expect("a value that can be encoded").into(),
            timeout: 3000,
            ..RequestPacket::default()
        };
        self.c().iter().map(request).collect()
    }

    fn values<T>(self, mut make: impl FnMut(&mut Parts) -> T) -> Vec<T> {
        let count = if self == Self::Same { 1 } else { 64 };
        let random = Random(1);
        let mut parts = Parts { set: self, random };
        (0..count).map(|_| make(&mut parts)).collect()
    }
}

/// 64 lists of 1,000 numbers each, for each mix of widths.
pub(super) fn numbers() -> [(&'static str, Vec<Numbers>); 3] {
    let lists = |mut number: Box<dyn FnMut(&mut Random) -> i32>| {
        let mut random = Random(2);
        let mut list = || Numbers {
            values: (0..1000).map(|_| number(&mut random)).collect(),
        };
        (0..64).map(|_| list()).collect()
    };
    let mixed = |random: &mut Random| match random.below(4) {
        0 => 0,
        1 => 1 + random.below(100) as i32,
        2 => 1000 + random.below(10_000) as i32,
        _ => 100_000 + random.below(1_000_000) as i32,
    };
    let mostly_small = |random: &mut Random| match random.below(20) {
        0 => 1000 + random.below(10_000) as i32,
        _ => random.below(100) as i32,
    };
    [
        (
            "all Int1",
            lists(Box::new(|random| 1 + random.below(100) as i32)),
        ),
        ("mixed widths", lists(Box::new(mixed))),
        ("0..99, 5 % Int2", lists(Box::new(mostly_small))),
    ]
}

/// Bytes of some sizes.
pub(super) fn blobs() -> [(&'static str, Vec<Blob>); 2] {
    let blob = |len: usize| {
        vec![Blob {
            data: vec![7; len].into(),
        }]
    };
    [("4 KiB", blob(4 << 10)), ("1 MiB", blob(1 << 20))]
}

/// Texts of some sizes; the second is not ASCII.
pub(super) fn texts() -> [(&'static str, Vec<Text>); 3] {
    let text = |part: &str, len: usize| {
        vec![Text {
            text: part.repeat(len / part.len()),
        }]
    };
    [
        ("4 KiB", text("tars ", 4 << 10)),
        ("4 KiB of Chinese", text("\u{817e}\u{8baf}", 4 << 10)),
        ("1 MiB", text("tars ", 1 << 20)),
    ]
}

/// What the values are made of.
struct Parts {
    set: DataSet,
    random: Random,
}

impl Parts {
    fn record(&mut self) -> Record {
        match self.set {
            DataSet::Same => Record {
                id: 1_234_567,
                count: 1000,
                page: 10,
            },
            DataSet::Varied => Record {
                id: self.random.integer(64),
                count: self.random.integer(32) as i32,
                page: self.random.integer(16) as i16,
            },
        }
    }

    fn key(&mut self, i: usize) -> String {
        match self.set {
            DataSet::Same => format!("key{i}"),
            DataSet::Varied => format!("{}{i}", "k".repeat(1 + self.random.below(10))),
        }
    }
}

/// A small generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number of a random width of at most so many bits.
    fn integer(&mut self, bits: u32) -> i64 {
        let widths = bits.ilog2() as usize - 2; // 8, 16, 32, 64
        let width = 8_u32 << self.below(widths);
        (self.next() as i64) >> (64 - width)
    }
}
