//! Comparing, written out where deriving it would compare in another order or not at all.

use askama::Template;

use super::super::types::Spelling;
use super::super::{layout, text};
use super::{Member, Parts};

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
        let hash = |member: &Member<'_>| match member.is_bare_float() {
            true => format!("hash::Hash::hash(&self.{}.to_bits(), state);", member.name),
            false => format!("hash::Hash::hash(&self.{}, state);", member.name),
        };
        let mut hashes: Vec<String> = self.members.iter().map(hash).collect();
        if self.keeps_unknown {
            hashes.push("hash::Hash::hash(&self.unknown_fields, state);".to_owned());
        }
        let spelling = self.spelling;
        text(&EqImpl {
            spelling,
            name: self.name,
            hashes: &hashes,
        })
    }

    /// The members of `key[..]` first, in its order; the others break ties, so that `Ord` agrees with `Eq`.
    pub(super) fn order(&self) -> String {
        let others = (0..self.members.len()).filter(|index| !self.of.key.contains(index));
        let order = self.of.key.iter().copied().chain(others);
        let compared = order.map(|index| {
            let member = &self.members[index];
            let name = member.name;
            match member.is_bare_float() {
                true => format!("self.{name}.total_cmp(&other.{name})"),
                false => format!("self.{name}.cmp(&other.{name})"),
            }
        });
        let mut compared: Vec<String> = compared.collect();
        if self.keeps_unknown {
            compared.push("self.unknown_fields.cmp(&other.unknown_fields)".to_owned());
        }
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
