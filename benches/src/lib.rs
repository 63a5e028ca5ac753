//! Values that the benchmarks encode and decode, as Tars structs and as the same messages of prost.
//!
//! Each comes in two data sets: `same` is one value, which the branch predictor learns; `varied` is 64 values of
//! random widths, used in turn.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use example_server::servant::php_test::php_server::obj::classes::testtafserviceservant as tars;

/// The messages of prost that hold what the Tars structs hold.
pub mod peer {
    use std::collections::BTreeMap;

    /// As `SimpleStruct`.
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct SimpleStruct {
        /// Field `id`.
        #[prost(int64, tag = "1")]
        pub id: i64,
        /// Field `count`.
        #[prost(int32, tag = "2")]
        pub count: i32,
        /// Field `page`.
        #[prost(int32, tag = "3")]
        pub page: i32,
    }

    /// As `LotofTags`.
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct LotofTags {
        /// Field `id`.
        #[prost(int64, tag = "1")]
        pub id: i64,
        /// Field `count`.
        #[prost(int32, tag = "2")]
        pub count: i32,
        /// Field `page`.
        #[prost(int32, tag = "3")]
        pub page: i32,
        /// Field `str`.
        #[prost(string, tag = "4")]
        pub str: String,
        /// Field `ss`.
        #[prost(message, repeated, tag = "5")]
        pub ss: Vec<SimpleStruct>,
        /// Field `rs`.
        #[prost(message, optional, tag = "6")]
        pub rs: Option<SimpleStruct>,
        /// Field `mss`.
        #[prost(btree_map = "string, message", tag = "7")]
        pub mss: BTreeMap<String, SimpleStruct>,
    }
}

/// How the values of a data set differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSet {
    /// All alike.
    Same,
    /// Integers of random widths, keys of random lengths.
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

    /// Value A of docs/DESIGN.md: `LotofTags` with 10 structs in the vector and 10 in the map.
    pub fn lotof_tags(self) -> Vec<tars::LotofTags> {
        let mut random = Random(1);
        let count = if self == Self::Same { 1 } else { 64 };
        (0..count).map(|_| self.value(&mut random)).collect()
    }

    fn value(self, random: &mut Random) -> tars::LotofTags {
        let mut key = |i: usize| match self {
            Self::Same => format!("key{i}"),
            Self::Varied => format!("{}{i}", "k".repeat(1 + random.below(10))),
        };
        let keys: Vec<String> = (0..10).map(&mut key).collect();
        let mut record = || match self {
            Self::Same => tars::SimpleStruct {
                id: 1_234_567,
                count: 100,
                page: 10,
            },
            Self::Varied => tars::SimpleStruct {
                id: random.integer(64),
                count: random.integer(32) as i32,
                page: random.integer(16) as i16,
            },
        };
        tars::LotofTags {
            id: 123_456_789,
            count: 77,
            page: 3,
            str: "x".repeat(32),
            ss: (0..10).map(|_| record()).collect(),
            rs: record(),
            mss: keys
                .into_iter()
                .map(|key| (key, record()))
                .collect::<BTreeMap<_, _>>(),
        }
    }
}

/// What prost sends for a Tars value.
pub fn to_peer(value: &tars::LotofTags) -> peer::LotofTags {
    let record = |s: &tars::SimpleStruct| peer::SimpleStruct {
        id: s.id,
        count: s.count,
        page: i32::from(s.page),
    };
    peer::LotofTags {
        id: value.id,
        count: value.count,
        page: i32::from(value.page),
        str: value.str.clone(),
        ss: value.ss.iter().map(record).collect(),
        rs: Some(record(&value.rs)),
        mss: value
            .mss
            .iter()
            .map(|(key, s)| (key.clone(), record(s)))
            .collect(),
    }
}

/// A small generator, the same on every machine.
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
