//! Walks over the structs of a model and what they hold.

use crate::model::{Model, StructId, Type};

/// Calls `visit` with each struct that a type mentions; true for one that is a map key or in one.
pub(super) fn structs_in(ty: &Type, in_key: bool, visit: &mut impl FnMut(StructId, bool)) {
    match ty {
        Type::Struct(id) => visit(*id, in_key),
        Type::Vector { item, .. } => structs_in(item, in_key, visit),
        Type::Map { key, value } => {
            structs_in(key, true, visit);
            structs_in(value, in_key, visit);
        }
        _ => {}
    }
}

/// The structs with such a field, and the structs that hold those, of which `spreads` says whether it goes on to them:
/// true for one that holds it in a map key. Each is looked at once, however deep they are.
pub(super) fn spread_to_users(
    model: &Model,
    spreads: impl Fn(StructId, bool) -> bool,
    has: impl Fn(StructId, usize) -> bool,
) -> Vec<bool> {
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); model.structs.len()];
    let mut work = Vec::new();
    for (index, of) in model.structs.iter().enumerate() {
        let user = StructId(index as u32);
        for field in &of.fields {
            structs_in(&field.ty, false, &mut |id, in_key| {
                if spreads(user, in_key) {
                    users[id.0 as usize].push(index);
                }
            });
        }
        if (0..of.fields.len()).any(|field| has(user, field)) {
            work.push(index);
        }
    }
    let mut marked = vec![false; model.structs.len()];
    while let Some(index) = work.pop() {
        if !std::mem::replace(&mut marked[index], true) {
            work.extend(&users[index]);
        }
    }
    marked
}
