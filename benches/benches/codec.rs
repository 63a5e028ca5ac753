//! The codec beside prost: `cargo bench -p tars-benches --bench codec`.

#![allow(missing_docs)] // criterion_group makes a public function

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use example_server::servant::php_test::php_server::obj::classes::testtafserviceservant::LotofTags;
use prost::Message as _;
use tars_benches::{DataSet, peer, to_peer};
use tars_codec::{Struct, decode, encode, encode_into};

/// Calls `run` with each of the values in turn.
fn cycle<T, R>(values: &[T], run: impl Fn(&T) -> R) -> impl FnMut() -> R {
    let mut next = 0;
    move || {
        next = (next + 1) % values.len();
        run(black_box(&values[next]))
    }
}

fn lotof_tags(c: &mut Criterion) {
    for set in DataSet::ALL {
        let values = set.lotof_tags();
        let peers: Vec<peer::LotofTags> = values.iter().map(to_peer).collect();
        let bytes: Vec<Vec<u8>> = values
            .iter()
            .map(|v| encode(v).expect("a value that can be encoded"))
            .collect();
        let peer_bytes: Vec<Vec<u8>> = peers.iter().map(|v| v.encode_to_vec()).collect();

        let mut group = c.benchmark_group("encode, buffer reused");
        group.bench_function(BenchmarkId::new("tars", set.name()), |b| {
            reuse(b, &values, |v, buf| {
                encode_into(v, buf).expect("a value that can be encoded");
            });
        });
        group.bench_function(BenchmarkId::new("prost", set.name()), |b| {
            reuse(b, &peers, |v, buf| {
                v.encode(buf).expect("a value that can be encoded");
            });
        });
        group.finish();

        let mut group = c.benchmark_group("decode, owned");
        group.bench_function(BenchmarkId::new("tars", set.name()), |b| {
            b.iter(cycle(&bytes, |b| read::<LotofTags>(b)));
        });
        group.bench_function(BenchmarkId::new("prost", set.name()), |b| {
            b.iter(cycle(&peer_bytes, |b| {
                peer::LotofTags::decode(&b[..]).expect("bytes of prost")
            }));
        });
        group.finish();
    }
}

fn read<T: Struct>(bytes: &[u8]) -> T {
    decode(bytes).expect("bytes of this codec")
}

fn reuse<T>(b: &mut criterion::Bencher<'_>, values: &[T], encode: impl Fn(&T, &mut Vec<u8>)) {
    let mut buf = Vec::new();
    let mut next = 0;
    b.iter(|| {
        next = (next + 1) % values.len();
        buf.clear();
        encode(black_box(&values[next]), &mut buf);
        black_box(buf.len())
    });
}

criterion_group!(benches, lotof_tags);
criterion_main!(benches);
