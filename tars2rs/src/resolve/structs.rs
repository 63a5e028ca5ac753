//! Structs: members, tags, defaults and keys.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::Resolver;
use super::declare::TypeItem;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Field, ModuleId, Struct, StructId, Type};
use crate::source::Span;
use crate::syntax::ast;

impl Resolver<'_> {
    /// All structs, with their keys.
    pub(super) fn structs(&mut self) -> Vec<Struct> {
        let declared = self.declared;
        let mut structs: Vec<_> = declared
            .structs
            .iter()
            .map(|(module, of)| self.struct_def(*module, of))
            .collect();
        // The place of the key of each struct that has one.
        let mut keys: HashMap<StructId, Span> = HashMap::new();
        for (module, key) in &declared.keys {
            let Some(id) = self.struct_of_key(*module, key) else {
                continue;
            };
            match keys.entry(id) {
                Entry::Vacant(entry) => {
                    entry.insert(key.of.span);
                    let of = &mut structs[id.0 as usize];
                    of.key = self.key_members(of, declared.structs[id.0 as usize].1, key);
                }
                Entry::Occupied(first) => {
                    let name = &structs[id.0 as usize].name;
                    self.report(
                        Diagnostic::new(Code::InvalidKey, format!("struct `{name}` has two keys"))
                            .at(key.of.span, "second key")
                            .see(*first.get(), "first key")
                            .help("name all members in one `key[..]`"),
                    );
                }
            }
        }
        structs
    }

    fn struct_def(&mut self, module: ModuleId, declared: &ast::Struct) -> Struct {
        self.check_names(&declared.members);
        let mut fields = Vec::new();
        let mut members_by_tag: HashMap<u8, &ast::Member> = HashMap::new();
        for member in &declared.members {
            let tag = self.tag(member, &mut members_by_tag);
            let ty = self.declared_type(module, &member.declarator);
            let (Some(tag), Some(ty)) = (tag, ty) else {
                continue;
            };
            let default = member.default.as_ref().and_then(|value| {
                if !can_have_default(&ty) {
                    self.report(no_default(member, value));
                    return None;
                }
                self.value(module, &ty, value)
            });
            let name = &member.declarator.name;
            fields.push(Field {
                tag,
                name: name.text.clone(),
                span: name.span,
                doc: member.doc.clone(),
                required: member.required,
                ty,
                default,
                default_span: member.default.as_ref().map(|value| value.span),
                closes_cycle: false,
            });
        }
        fields.sort_by_key(|field| field.tag);
        Struct {
            module,
            name: declared.name.text.clone(),
            span: declared.name.span,
            doc: declared.doc.clone(),
            fields,
            key: Vec::new(),
        }
    }

    fn check_names(&mut self, members: &[ast::Member]) {
        let mut first: HashMap<&str, Span> = HashMap::new();
        for member in members {
            let name = &member.declarator.name;
            match first.entry(&name.text) {
                Entry::Vacant(entry) => {
                    entry.insert(name.span);
                }
                Entry::Occupied(entry) => self.report(
                    Diagnostic::new(
                        Code::DuplicateMember,
                        format!("two members are called `{}`", name.text),
                    )
                    .at(name.span, "used again here")
                    .see(*entry.get(), "first used here"),
                ),
            }
        }
    }

    fn tag<'m>(
        &mut self,
        member: &'m ast::Member,
        members_by_tag: &mut HashMap<u8, &'m ast::Member>,
    ) -> Option<u8> {
        let Ok(tag) = u8::try_from(member.tag) else {
            self.report(
                Diagnostic::new(Code::InvalidTag, "this tag is out of range")
                    .at(member.tag_span, "")
                    .note("a tag is 0 to 255"),
            );
            return None;
        };
        match members_by_tag.entry(tag) {
            Entry::Vacant(entry) => {
                entry.insert(member);
                Some(tag)
            }
            Entry::Occupied(entry) => {
                let first = entry.get();
                let message = format!(
                    "members `{}` and `{}` both have tag {tag}",
                    first.declarator.name.text, member.declarator.name.text
                );
                self.report(
                    Diagnostic::new(Code::DuplicateTag, message)
                        .at(member.tag_span, "used again here")
                        .see(first.tag_span, "first used here"),
                );
                None
            }
        }
    }

    fn struct_of_key(&mut self, module: ModuleId, key: &ast::Key) -> Option<StructId> {
        let error = match self.find_type(module, &key.of) {
            Some(TypeItem::Struct(id)) => return Some(id),
            Some(other) => Diagnostic::new(
                Code::InvalidKey,
                format!("`{}` is not a struct", key.of.text()),
            )
            .at(key.of.span, "only structs have keys")
            .see(self.declared.type_span(other), "declared here"),
            None if key
                .of
                .parts
                .iter()
                .any(|part| self.declared.lost.may_declare(&part.text)) =>
            {
                return None;
            }
            None => self.unknown_type(module, &key.of),
        };
        self.report(error);
        None
    }

    fn key_members(&mut self, of: &Struct, declared: &ast::Struct, key: &ast::Key) -> Vec<usize> {
        let mut indexes: Vec<usize> = Vec::new();
        let by_name: HashMap<&str, usize> = of
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| (field.name.as_str(), index))
            .collect();
        // A member with an error of its own is no field, but it is there.
        let members: HashSet<&str> = declared
            .members
            .iter()
            .map(|member| member.declarator.name.text.as_str())
            .collect();
        let mut first: HashMap<&str, Span> = HashMap::new();
        for member in &key.members {
            let name = member.text.as_str();
            if let Some(before) = first.insert(name, member.span) {
                self.report(
                    Diagnostic::new(Code::InvalidKey, format!("the key names `{name}` twice"))
                        .at(member.span, "named again here")
                        .see(before, "first named here"),
                );
                continue;
            }
            match by_name.get(name) {
                Some(&index) => indexes.push(index),
                None if members.contains(name) || self.declared.lost.may_declare(name) => {}
                None => {
                    let error = Diagnostic::new(
                        Code::InvalidKey,
                        format!("struct `{}` has no member `{name}`", of.name),
                    )
                    .at(member.span, "not found")
                    .see(of.span, "the struct");
                    let fields = of.fields.iter().map(|field| field.name.as_str());
                    let near = self.declared.guesses.nearest(name, fields);
                    let error = match near {
                        Some(near) => error.help(format!("did you mean `{near}`?")),
                        None => error,
                    };
                    self.report(error);
                }
            }
        }
        indexes
    }
}

/// Whether a type has values that can be written in the IDL.
fn can_have_default(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::Bytes { .. } | Type::Vector { .. } | Type::Map { .. } | Type::Struct(_)
    )
}

fn no_default(member: &ast::Member, value: &ast::Value) -> Diagnostic {
    let name = &member.declarator.name.text;
    Diagnostic::new(
        Code::NoDefaultAllowed,
        format!("member `{name}` cannot have a default"),
    )
    .at(value.span, "")
    .see(member.declarator.ty.span, "of this type")
    .note("only numbers, bools, strings and enums can; everything else begins empty")
}
