//! The codec beside prost: `cargo bench -p tars-benches --bench codec`. For ratios under a goal, `codec-table`.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use tars_benches::codec::operations;

fn codec(c: &mut Criterion) {
    for mut operation in operations() {
        let id = format!("{} ({})", operation.cell, operation.way);
        c.bench_function(&id, |b| b.iter(|| operation.run()));
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
