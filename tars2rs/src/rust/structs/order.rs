//! Comparing, written out where deriving it would compare in another order or not at all.

use askama::Template;

use crate::model::{Field, Type};

use super::super::types::Spelling;
use super::super::{layout, text};
use super::Parts;

#[derive(Template)]
#[template(path = "struct_eq.rs.j2", escape = "none")]
struct EqImpl<'a> {
    spelling: &'a Spelling<'a>,
    name: &'a str,
    hashes: &'a [String],
}

#[derive(Template)]
#[template(path = "struct_order.rs.j2", escape = "none")]
struct OrderImpl<'a> {
    spelling: &'a Spelling<'a>,
    name: &'a str,
    /// One for each member, in the order that counts; the last one gives the result.
    comparisons: &'a [String],
}

impl Parts<'_> {
    pub(super) fn eq(&self) -> String {
        let hash = |(field, name): (&Field, &str)| match field.ty {
            Type::Float | Type::Double => {
                format!("std::hash::Hash::hash(&self.{name}.to_bits(), state);")
            }
            _ => format!("std::hash::Hash::hash(&self.{name}, state);"),
        };
        let hashes: Vec<String> = self.members().map(hash).collect();
        let spelling = self.spelling;
        text(&EqImpl {
            spelling,
            name: self.name,
            hashes: &hashes,
        })
    }

    /// The members of `key[..]` first, in its order; the others break ties, so that `Ord` agrees with `Eq`.
    pub(super) fn order(&self) -> String {
        let others = (0..self.of.fields.len()).filter(|index| !self.of.key.contains(index));
        let order = self.of.key.iter().copied().chain(others);
        let compared = order.map(|index| {
            let name = &self.fields[index];
            match self.of.fields[index].ty {
                Type::Float | Type::Double => format!("self.{name}.total_cmp(&other.{name})"),
                _ => format!("self.{name}.cmp(&other.{name})"),
            }
        });
        let compared: Vec<String> = compared.collect();
        let last = compared.len().saturating_sub(1);
        let line = |(index, compared): (usize, String)| {
            let order = if index == 0 {
                compared
            } else {
                format!("order.then_with(|| {compared})")
            };
            if index == last {
                order
            } else {
                layout::assign(8, "let order", &format!("{order};"))
                    .trim_start()
                    .to_owned()
            }
        };
        let comparisons: Vec<String> = compared.into_iter().enumerate().map(line).collect();
        let spelling = self.spelling;
        text(&OrderImpl {
            spelling,
            name: self.name,
            comparisons: &comparisons,
        })
    }
}
