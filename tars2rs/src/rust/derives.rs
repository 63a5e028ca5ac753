//! Which traits the structs can have, decided on the graph of types.

use crate::model::{Field, Model, Struct, StructId, Type};

use super::types::structs_in;

/// What is known of each struct; indexed as [`Model::structs`].
#[derive(Debug)]
pub(super) struct Traits {
    /// It is a map key or a part of one: it must have a total order, floats or not.
    pub(super) keys: Vec<bool>,
    /// It holds a float that has no total order.
    floats: Vec<bool>,
    /// Its bytes are all there is.
    copies: Vec<bool>,
}

impl Traits {
    /// Looks at all types of a model.
    pub(super) fn new(model: &Model) -> Self {
        let keys = keys(model);
        let floats = spread_to_users(model, |index, field| !keys[index] && has_float(&field.ty));
        let owns = spread_to_users(model, |_, field| {
            field.closes_cycle || owns_memory(&field.ty)
        });
        Self {
            keys,
            floats,
            copies: owns.into_iter().map(|owns| !owns).collect(),
        }
    }

    /// Whether `==` is an equivalence, and with it whether there can be `Eq`, `Hash` and `Ord`.
    pub(super) fn has_order(&self, id: StructId) -> bool {
        !self.floats[id.0 as usize]
    }

    /// Whether a struct of fields of these types has [an order](Self::has_order).
    pub(super) fn types_have_order<'t>(&self, mut types: impl Iterator<Item = &'t Type>) -> bool {
        types.all(|ty| {
            let mut ordered = !has_float(ty);
            structs_in(ty, false, &mut |id, _| ordered &= self.has_order(id));
            ordered
        })
    }

    /// Whether a struct of fields of these types can be `Copy`.
    pub(super) fn types_copy<'t>(&self, mut types: impl Iterator<Item = &'t Type>) -> bool {
        types.all(|ty| {
            let mut copies = !owns_memory(ty);
            structs_in(ty, false, &mut |id, _| copies &= self.copies(id));
            copies
        })
    }

    /// Whether it can be `Copy`.
    pub(super) fn copies(&self, id: StructId) -> bool {
        self.copies[id.0 as usize]
    }

    /// Whether comparing must be written out, because a float is to be compared by its bits.
    pub(super) fn compares_floats(&self, id: StructId, of: &Struct) -> bool {
        self.keys[id.0 as usize]
            && of
                .fields
                .iter()
                .any(|f| matches!(f.ty, Type::Float | Type::Double))
    }
}

/// The list for `#[derive(..)]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Derives {
    /// `Copy`
    pub(super) copy: bool,
    /// `Default`
    pub(super) default: bool,
    /// `PartialEq`
    pub(super) partial_eq: bool,
    /// `Eq` and `Hash`
    pub(super) eq: bool,
    /// `PartialOrd` and `Ord`
    pub(super) ord: bool,
}

impl Derives {
    /// The attribute.
    pub(super) fn attribute(self) -> String {
        let list = [
            ("Debug", true),
            ("Clone", true),
            ("Copy", self.copy),
            ("Default", self.default),
            ("PartialEq", self.partial_eq),
            ("Eq", self.eq),
            ("PartialOrd", self.ord),
            ("Ord", self.ord),
            ("Hash", self.eq),
        ];
        let list: Vec<_> = list
            .into_iter()
            .filter(|(_, wanted)| *wanted)
            .map(|(name, _)| name)
            .collect();
        format!("#[derive({})]", list.join(", "))
    }
}

/// Structs in map keys, and all that they hold.
fn keys(model: &Model) -> Vec<bool> {
    let mut keys = vec![false; model.structs.len()];
    let mut work = Vec::new();
    let fields = model
        .structs
        .iter()
        .flat_map(|s| s.fields.iter().map(|f| &f.ty));
    let methods = model.interfaces.iter().flat_map(|i| &i.methods);
    let calls = methods.flat_map(|m| m.params.iter().map(|p| &p.ty).chain(&m.result));
    for ty in fields.chain(calls) {
        structs_in(ty, false, &mut |id, in_key| {
            if in_key {
                work.push(id);
            }
        });
    }
    while let Some(id) = work.pop() {
        if !std::mem::replace(&mut keys[id.0 as usize], true) {
            for field in &model[id].fields {
                structs_in(&field.ty, true, &mut |id, _| work.push(id));
            }
        }
    }
    keys
}

/// The structs with such a field, and the structs that hold those.
fn spread_to_users(model: &Model, has: impl Fn(usize, &Field) -> bool) -> Vec<bool> {
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); model.structs.len()];
    let mut work = Vec::new();
    for (index, of) in model.structs.iter().enumerate() {
        for field in &of.fields {
            structs_in(&field.ty, false, &mut |id, _| {
                users[id.0 as usize].push(index);
            });
        }
        if of.fields.iter().any(|field| has(index, field)) {
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

/// Outside of map keys, where floats are wrapped.
fn has_float(ty: &Type) -> bool {
    match ty {
        Type::Float | Type::Double => true,
        Type::Vector { item, .. } => has_float(item),
        Type::Map { value, .. } => has_float(value),
        _ => false,
    }
}

fn owns_memory(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String { .. } | Type::Bytes { .. } | Type::Vector { .. } | Type::Map { .. }
    )
}
