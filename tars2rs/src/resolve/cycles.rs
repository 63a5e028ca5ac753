//! Structs that contain themselves by value.
//!
//! A vector or map between the two breaks the chain. Otherwise an `optional` member on the way can be boxed, and
//! without one no value of the struct could ever end.

use std::collections::{HashMap, VecDeque};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{Field, Model, Struct, StructId, Type};

/// Marks the members to box; reports cycles of `require` members.
pub(super) fn check(model: &mut Model, diagnostics: &mut Diagnostics) {
    // Every optional member in a cycle is marked, though one would do: which ones must not depend on their order.
    let component = components(&model.structs, |_| true);
    for (index, of) in model.structs.iter_mut().enumerate() {
        for field in of.fields.iter_mut().filter(|field| !field.required) {
            if let Type::Struct(target) = field.ty {
                field.closes_cycle = component[target.0 as usize] == component[index];
            }
        }
    }
    let required: fn(&Field) -> bool = |field| field.required;
    let component = components(&model.structs, required);
    let mut reported = vec![false; model.structs.len()];
    for (start, of) in model.structs.iter().enumerate() {
        let in_cycle = held(of, required).any(|(_, target)| component[target] == component[start]);
        if in_cycle && !std::mem::replace(&mut reported[component[start]], true) {
            let cycle = shortest_cycle(&model.structs, start, &component);
            diagnostics.extend(cycle.map(|cycle| infinite(&model.structs, &cycle)));
        }
    }
}

/// The structs that the members of a struct hold by value.
fn held<'s>(
    of: &'s Struct,
    follow: impl Fn(&Field) -> bool + 's,
) -> impl Iterator<Item = (usize, usize)> + 's {
    of.fields
        .iter()
        .enumerate()
        .filter(move |(_, field)| follow(field))
        .filter_map(|(index, field)| match field.ty {
            Type::Struct(StructId(target)) => Some((index, target as usize)),
            _ => None,
        })
}

/// For each struct the number of its strongly connected component (Kosaraju; no recursion, because a chain of
/// structs may be as long as the IDL).
fn components(structs: &[Struct], follow: fn(&Field) -> bool) -> Vec<usize> {
    let edges: Vec<Vec<usize>> = structs
        .iter()
        .map(|of| held(of, follow).map(|(_, target)| target).collect())
        .collect();
    let mut reverse = vec![Vec::new(); structs.len()];
    for (from, targets) in edges.iter().enumerate() {
        for &to in targets {
            reverse[to].push(from);
        }
    }

    // Each struct after all that it reaches.
    let mut finished = Vec::with_capacity(structs.len());
    let mut seen = vec![false; structs.len()];
    for start in 0..structs.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            match edges[*node].get(*next) {
                Some(&target) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[target], true) {
                        path.push((target, 0));
                    }
                }
                None => {
                    finished.push(*node);
                    path.pop();
                }
            }
        }
    }

    let mut component = vec![usize::MAX; structs.len()];
    for &start in finished.iter().rev() {
        let mut todo = vec![start];
        while let Some(node) = todo.pop() {
            if component[node] == usize::MAX {
                component[node] = start;
                todo.extend(&reverse[node]);
            }
        }
    }
    component
}

/// The shortest way over `require` members from a struct to itself: pairs of struct and field.
fn shortest_cycle(
    structs: &[Struct],
    start: usize,
    component: &[usize],
) -> Option<Vec<(usize, usize)>> {
    // From where, by which field, each struct was reached first.
    let mut reached: HashMap<usize, (usize, usize)> = HashMap::new();
    let mut todo = VecDeque::from([start]);
    while let Some(node) = todo.pop_front() {
        for (field, target) in held(&structs[node], |field| field.required) {
            if component[target] == component[start] && !reached.contains_key(&target) {
                reached.insert(target, (node, field));
                todo.push_back(target);
            }
        }
        if reached.contains_key(&start) {
            break;
        }
    }
    let mut cycle = Vec::new();
    let mut at = start;
    loop {
        let &(from, field) = reached.get(&at)?;
        cycle.push((from, field));
        at = from;
        if at == start {
            cycle.reverse();
            return Some(cycle);
        }
    }
}

fn infinite(structs: &[Struct], cycle: &[(usize, usize)]) -> Diagnostic {
    const SHOWN: usize = 12;
    let name = |index: usize| structs[index].name.as_str();
    let start = cycle.first().map_or("", |&(of, _)| name(of));
    let mut steps: Vec<_> = cycle
        .iter()
        .take(SHOWN)
        .map(|&(of, field)| format!("{}.{}", name(of), structs[of].fields[field].name))
        .collect();
    if cycle.len() > SHOWN {
        steps.push("..".to_owned());
    }
    steps.push(start.to_owned());
    let mut error = Diagnostic::new(
        Code::InfiniteStruct,
        format!("struct `{start}` contains itself without end"),
    )
    .note(format!("the cycle is {}", steps.join(" -> ")))
    .help("make one of these members `optional`, or a vector");
    for (position, &(of, field)) in cycle.iter().take(SHOWN).enumerate() {
        let field = &structs[of].fields[field];
        error = if position == 0 {
            error.at(field.span, "this member is required")
        } else {
            error.see(field.span, "and this one")
        };
    }
    error
}
