//! Work on several threads.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Maps items on as many threads as there are processors, but no more than one for `min_share` items. The results are
/// in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    min_share: usize,
    f: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let shares = items.len() / min_share.max(1);
    if shares < 2 {
        return items.iter().map(f).collect();
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    // Whoever is ready takes the next item: some take longer than others.
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match items.get(index) {
                Some(item) => done.push((index, f(item))),
                None => return done,
            }
        }
    };
    let mut results = thread::scope(|scope| {
        let helpers = (1..threads.min(shares)).map(|_| scope.spawn(work));
        let helpers: Vec<_> = helpers.collect();
        let mut results = work();
        for helper in helpers {
            results.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn order_is_kept() {
        for count in [0, 1, 2, 3, 1000] {
            let items: Vec<usize> = (0..count).collect();
            for min_share in [0, 1, 600, 2000] {
                assert_eq!(super::map(&items, min_share, |item| *item), items);
            }
        }
    }
}
