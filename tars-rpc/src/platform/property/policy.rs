//! How values of a property become one.

/// How the values of an interval, and on the platform those of all reports, become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Their sum.
    Sum,
    /// Their average.
    Avg,
    /// How many they are.
    Count,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// How many are below each bound, and not below the one before. Bounds ascend.
    Distr(&'static [i32]),
}

impl Policy {
    /// As the platform spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Avg => "Avg",
            Self::Count => "Count",
            Self::Max => "Max",
            Self::Min => "Min",
            Self::Distr(_) => "Distr",
        }
    }
}

/// What TarsCpp reports as the largest of no values.
const NOTHING: &str = "-9999999";

/// The values of an interval.
#[derive(Debug)]
pub(super) enum State {
    Sum(i64),
    Avg {
        sum: i64,
        count: u64,
    },
    Count(u64),
    Max(Option<i64>),
    Min(Option<i64>),
    Distr {
        bounds: &'static [i32],
        counts: Vec<u64>,
    },
}

impl State {
    pub(super) fn new(policy: Policy) -> Self {
        match policy {
            Policy::Sum => Self::Sum(0),
            Policy::Avg => Self::Avg { sum: 0, count: 0 },
            Policy::Count => Self::Count(0),
            Policy::Max => Self::Max(None),
            Policy::Min => Self::Min(None),
            Policy::Distr(bounds) => Self::Distr {
                bounds,
                counts: vec![0; bounds.len() + 1],
            },
        }
    }

    pub(super) fn add(&mut self, value: i64) {
        match self {
            Self::Sum(sum) => *sum = sum.saturating_add(value),
            Self::Avg { sum, count } => {
                *sum = sum.saturating_add(value);
                *count += 1;
            }
            Self::Count(count) => *count += 1,
            Self::Max(max) => *max = Some(max.map_or(value, |max| max.max(value))),
            Self::Min(min) => *min = Some(min.map_or(value, |min| min.min(value))),
            Self::Distr { bounds, counts } => {
                let class = bounds
                    .iter()
                    .take_while(|bound| value >= i64::from(**bound))
                    .count();
                if let Some(count) = counts.get_mut(class) {
                    *count += 1;
                }
            }
        }
    }

    /// As the platform reads it; `None` when there is nothing to say.
    pub(super) fn value(&self) -> Option<String> {
        Some(match self {
            Self::Sum(sum) => sum.to_string(),
            Self::Avg { sum, count } => average(*sum, *count),
            Self::Count(count) => count.to_string(),
            Self::Max(max) => max.map_or_else(|| NOTHING.to_owned(), |max| max.to_string()),
            Self::Min(min) => return min.map(|min| min.to_string()),
            Self::Distr { bounds, counts } => {
                let bounds = bounds.iter().map(ToString::to_string);
                let bounds = bounds.chain(["max".to_owned()]).zip(counts);
                let classes: Vec<_> = bounds.map(|(bound, n)| format!("{bound}|{n}")).collect();
                classes.join(",")
            }
        })
    }
}

/// With at most three decimals, and none for a whole number.
fn average(sum: i64, count: u64) -> String {
    if count == 0 {
        return "0".to_owned();
    }
    let average = sum as f64 / count as f64;
    let text = format!("{average:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Policy; 6] = [
        Policy::Sum,
        Policy::Avg,
        Policy::Max,
        Policy::Min,
        Policy::Count,
        Policy::Distr(&[10, 100, 1000]),
    ];

    fn values(of: &[i64]) -> Vec<Option<String>> {
        let state = |policy| {
            let mut state = State::new(policy);
            of.iter().for_each(|value| state.add(*value));
            state.value()
        };
        POLICIES.map(state).into()
    }

    fn some(values: [&str; 6]) -> Vec<Option<String>> {
        values.map(|value| Some(value.to_owned())).into()
    }

    /// A property of a TarsCpp server, as recorded.
    #[test]
    fn values_are_reported_as_tars_cpp_does() {
        let expected = ["168", "28", "52", "5", "6", "10|3,100|3,1000|0,max|0"];
        assert_eq!(values(&[5, 9, 7, 52, 50, 45]), some(expected));
    }

    #[test]
    fn nothing_is_reported_as_tars_cpp_does() {
        let mut expected = some(["0", "0", "-9999999", "", "0", "10|0,100|0,1000|0,max|0"]);
        expected[3] = None;
        assert_eq!(values(&[]), expected);
    }

    #[test]
    fn bounds_belong_to_the_class_above() {
        let expected = ["1110", "370", "1000", "10", "3", "10|0,100|1,1000|1,max|1"];
        assert_eq!(values(&[10, 100, 1000]), some(expected));
    }

    #[test]
    fn averages_have_three_decimals_at_most() {
        for (sum, count, text) in [
            (440, 6, "73.333"),
            (1, 2, "0.5"),
            (-1, 3000, "0"),
            (-3, 2, "-1.5"),
            (100, 1, "100"),
            (i64::MIN, 1, "-9223372036854775808"),
        ] {
            assert_eq!(average(sum, count), text);
        }
        assert_eq!(values(&[i64::MAX, i64::MAX])[0], Some(i64::MAX.to_string()));
    }
}
