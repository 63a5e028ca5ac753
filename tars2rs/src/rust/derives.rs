//! Which traits the structs can have, decided on the graph of types.

use crate::config::{MapType, OptionalType, Types};
use crate::model::{Field, Model, Struct, StructId, Type};

use super::graph::{spread_to_users, structs_in};
use super::layout;
use super::styles::{Styles, mentions};

/// What is known of each struct; indexed as [`Model::structs`].
#[derive(Debug)]
pub(super) struct Traits {
    /// It is a map key or a part of one: it must have a total order, floats and options or not.
    pub(super) keys: Vec<bool>,
    /// It holds a float that has no total order.
    floats: Vec<bool>,
    /// It holds a map without an order of its own.
    unordered: Vec<bool>,
    /// Its bytes are all there is.
    copies: Vec<bool>,
}

impl Traits {
    /// Looks at all types of a model.
    pub(super) fn new(model: &Model, styles: &Styles<'_>) -> Self {
        let keys = keys(model);
        let to_all = |_, _| true;
        let floats = spread_to_users(model, to_all, |id, index| {
            !keys[id.0 as usize] && has_float(&model[id].fields[index].ty)
        });
        let unordered = spread_to_users(model, to_all, |id, index| {
            let types = styles.field(id, index);
            !keys[id.0 as usize] && has_unordered_map(&model[id].fields[index].ty, types)
        });
        let owns = spread_to_users(model, to_all, |id, index| {
            let field = &model[id].fields[index];
            field.closes_cycle || owns_memory(&field.ty)
        });
        let ids = (0..).map(StructId);
        let copies = ids
            .zip(owns)
            .map(|(id, owns)| !owns && !styles.keeps_unknown(id));
        Self {
            keys,
            floats,
            unordered,
            copies: copies.collect(),
        }
    }

    /// Whether `==` is an equivalence.
    pub(super) fn has_eq(&self, id: StructId) -> bool {
        !self.floats[id.0 as usize]
    }

    /// Whether there can be `Ord` and `Hash`.
    pub(super) fn has_order(&self, id: StructId) -> bool {
        self.has_eq(id) && !self.unordered[id.0 as usize]
    }

    /// Whether it can be `Copy`.
    pub(super) fn copies(&self, id: StructId) -> bool {
        self.copies[id.0 as usize]
    }

    /// Whether a struct of fields of these types [has `Eq`](Self::has_eq).
    pub(super) fn all_have_eq<'t>(
        &self,
        mut fields: impl Iterator<Item = (&'t Type, Types)>,
    ) -> bool {
        fields.all(|(ty, _)| !has_float(ty) && all_structs(ty, |id| self.has_eq(id)))
    }

    /// Whether a struct of fields of these types [has an order](Self::has_order).
    pub(super) fn all_have_order<'t>(
        &self,
        mut fields: impl Iterator<Item = (&'t Type, Types)>,
    ) -> bool {
        fields.all(|(ty, types)| {
            !has_float(ty)
                && !has_unordered_map(ty, types)
                && all_structs(ty, |id| self.has_order(id))
        })
    }

    /// Whether a struct of fields of these types can be `Copy`.
    pub(super) fn all_copy<'t>(&self, mut fields: impl Iterator<Item = (&'t Type, Types)>) -> bool {
        fields.all(|(ty, _)| !owns_memory(ty) && all_structs(ty, |id| self.copies(id)))
    }

    /// Whether comparing must be written out, because a float is to be compared by its bits.
    pub(super) fn compares_floats(&self, id: StructId, of: &Struct, styles: &Styles<'_>) -> bool {
        let mut fields = of.fields.iter().enumerate();
        self.keys[id.0 as usize]
            && fields.any(|(index, field)| is_bare_float(field, styles.field(id, index)))
    }
}

/// A float that is a member itself, and so has its own type also in a map key.
pub(super) fn is_bare_float(field: &Field, types: Types) -> bool {
    matches!(field.ty, Type::Float | Type::Double) && !is_option(field, types)
}

/// Whether a member is an `Option`.
pub(super) fn is_option(field: &Field, types: Types) -> bool {
    field.closes_cycle || (!field.required && types.optional == OptionalType::Option)
}

/// The list for `#[derive(..)]`.
#[derive(Debug, Clone)]
pub(super) struct Derives {
    /// `Copy`
    pub(super) copy: bool,
    /// `Default`
    pub(super) default: bool,
    /// `PartialEq`
    pub(super) partial_eq: bool,
    /// `Eq`
    pub(super) eq: bool,
    /// `PartialOrd` and `Ord`
    pub(super) ord: bool,
    /// `Hash`
    pub(super) hash: bool,
    /// What the config adds.
    pub(super) more: Vec<String>,
    /// What is written out instead.
    pub(super) written: Vec<&'static str>,
}

impl Derives {
    /// The attribute.
    pub(super) fn attribute(&self) -> String {
        let list = [
            ("Debug", true),
            ("Clone", true),
            ("Copy", self.copy),
            ("Default", self.default),
            ("PartialEq", self.partial_eq),
            ("Eq", self.eq),
            ("PartialOrd", self.ord),
            ("Ord", self.ord),
            ("Hash", self.hash),
        ];
        let own = list.into_iter().filter(|(_, wanted)| *wanted);
        derive(own.map(|(name, _)| name), &self.more, &self.written)
    }
}

/// `#[derive(..)]` of traits and of those that the config adds, each once; `written` are those of which there is an
/// implementation already.
pub(super) fn derive<'a>(
    own: impl Iterator<Item = &'a str>,
    more: &[String],
    written: &[&str],
) -> String {
    let mut names: Vec<String> = own.map(str::to_owned).collect();
    for name in more {
        // However the config writes `Hash`, it is there already.
        let last = name.rsplit("::").next().unwrap_or(name);
        let is_there = names.iter().any(|known| known == name || known == last);
        let is_written = written.contains(&last) && is_same_trait(name, last);
        if !is_there && !is_written {
            names.push(name.clone());
        }
    }
    layout::derive(&names)
}

/// What `serde = true` writes out.
pub(super) const SERDE: [&str; 2] = ["Serialize", "Deserialize"];

/// Whether a macro of this path implements what `last` is called elsewhere. That of another crate implements the trait of
/// the standard library, as `strum::Display` does; but other crates have a `Serialize` of their own.
fn is_same_trait(path: &str, last: &str) -> bool {
    let from = path.trim_start_matches("::").split("::").next();
    !SERDE.contains(&last) || path == last || matches!(from, Some("serde" | "serde_derive"))
}

/// Attributes below others.
pub(super) fn with_lines(first: String, more: &[String]) -> String {
    more.iter()
        .fold(first, |text, line| format!("{text}\n{line}"))
}

fn all_structs(ty: &Type, is: impl Fn(StructId) -> bool) -> bool {
    let mut all = true;
    structs_in(ty, false, &mut |id, _| all &= is(id));
    all
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

/// Outside of map keys, where floats are wrapped.
fn has_float(ty: &Type) -> bool {
    match ty {
        Type::Float | Type::Double => true,
        Type::Vector { item, .. } => has_float(item),
        Type::Map { value, .. } => has_float(value),
        _ => false,
    }
}

/// Outside of map keys, where every map is sorted.
fn has_unordered_map(ty: &Type, types: Types) -> bool {
    matches!(types.map, MapType::HashMap | MapType::IndexMap)
        && mentions(ty, &|ty| matches!(ty, Type::Map { .. }))
}

fn owns_memory(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String { .. } | Type::Bytes { .. } | Type::Vector { .. } | Type::Map { .. }
    )
}

#[cfg(test)]
mod tests {
    use crate::config::{Attributes, IdlPath, MapType, OptionalType, Options, Types};
    use crate::resolve::{Input, resolve};

    use super::super::Backend;

    const IDL: &str = "module M {
        enum E { A = 1, B };
        struct Plain { 0 require int a; 1 optional E e; };
        struct Defaults { 0 require int a = 5; 1 optional E e = B; };
        struct Float { 0 require double d; };
        struct HasFloat { 0 require vector<Float> f; };
        struct Text { 0 optional string s; };
        struct Map { 0 require map<string, int> m; };
        struct HasMap { 0 require Map m; };
        struct Key { 0 require float f; 1 optional double d; };
        struct DeepKey { 0 require Key k; 1 require map<int, double> m; };
        struct Keyed { 0 require map<DeepKey, int> m; };
        struct Cycle { 0 optional Cycle next; 1 require int a; };
        struct Sorted { 0 require int a; 1 require int b; };
        key[Sorted, b];
    };";

    const ALL: &str = "Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash";

    /// What is derived for a type.
    fn derived(of: &str, types: Types) -> String {
        derived_with(
            of,
            Options {
                types,
                ..Options::default()
            },
        )
    }

    fn derived_with(of: &str, options: Options) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.tars");
        std::fs::write(&file, IDL).unwrap();
        let output = resolve(&Input {
            files: &[file],
            base_dir: dir.path(),
            include_dirs: &[],
        });
        let model = output.model.unwrap();
        let text = Backend::new(&model, &options)
            .unwrap()
            .types()
            .remove(0)
            .text;
        let definition = |end: &str| text.split_once(&format!("\npub struct {of}{end}"));
        let before = definition(" {").or_else(|| definition("(")).unwrap().0;
        let list = before.rsplit_once("#[derive(").unwrap().1;
        let list = list.split_once(")]").unwrap().0;
        let names: Vec<&str> = list.split_whitespace().collect();
        names.join(" ").trim_end_matches(',').to_owned()
    }

    fn plain(of: &str) -> String {
        derived(of, Types::default())
    }

    #[test]
    fn as_much_as_possible() {
        assert_eq!(plain("Plain"), ALL);
        assert_eq!(plain("Text"), ALL.replace("Copy, ", ""));
        assert_eq!(plain("Cycle"), ALL.replace("Copy, ", ""));
        assert_eq!(plain("HasMap"), ALL.replace("Copy, ", ""));
        assert_eq!(plain("Defaults"), ALL.replace("Default, ", ""));
        assert_eq!(
            plain("Sorted"),
            ALL.replace("PartialOrd, Ord, ", ""),
            "written out"
        );
    }

    #[test]
    fn floats_have_no_order_but_in_keys() {
        assert_eq!(plain("Float"), "Debug, Clone, Copy, Default, PartialEq");
        assert_eq!(plain("HasFloat"), "Debug, Clone, Default, PartialEq");
        assert_eq!(plain("Key"), "Debug, Clone, Copy, Default", "written out");
        assert_eq!(plain("DeepKey"), ALL.replace("Copy, ", ""));
    }

    #[test]
    fn options() {
        let option = Types {
            optional: OptionalType::Option,
            ..Types::default()
        };
        assert_eq!(derived("Plain", option), ALL);
        assert_eq!(derived("Defaults", option), ALL.replace("Default, ", ""));
        assert_eq!(
            derived("Key", option),
            "Debug, Clone, Copy, Default",
            "`f` is still bare"
        );
        assert_eq!(derived("Text", option), ALL.replace("Copy, ", ""));
    }

    #[test]
    fn maps_without_order() {
        for map in [MapType::HashMap, MapType::IndexMap] {
            let types = Types {
                map,
                ..Types::default()
            };
            let eq_only = "Debug, Clone, Default, PartialEq, Eq";
            assert_eq!(derived("Map", types), eq_only);
            assert_eq!(derived("HasMap", types), eq_only);
            assert_eq!(derived("Keyed", types), eq_only);
            assert_eq!(
                derived("DeepKey", types),
                ALL.replace("Copy, ", ""),
                "its maps are sorted"
            );
        }
    }

    #[test]
    fn what_is_written_out_is_not_derived_as_well() {
        let more = ALL.replace("Copy, ", "") + ", Serialize, Display, Other";
        let derived = |of: &str, serde| {
            let attributes = Attributes {
                path: IdlPath {
                    text: "M".to_owned(),
                    at: 0..0,
                },
                derive: more
                    .split(", ")
                    .map(|name| format!("::a::{name}"))
                    .chain(["::serde::Deserialize".to_owned()])
                    .collect(),
                attributes: Vec::new(),
            };
            let options = Options {
                attributes: vec![attributes],
                serde,
                ..Options::default()
            };
            derived_with(of, options)
        };
        let further = "::a::Serialize, ::a::Display, ::a::Other, ::serde::Deserialize";
        assert_eq!(derived("Plain", false), format!("{ALL}, {further}"));
        assert_eq!(
            derived("Plain", true),
            format!("{ALL}, ::a::Serialize, ::a::Display, ::a::Other")
        );
        let no_default = ALL.replace("Default, ", "");
        assert_eq!(
            derived("Defaults", false),
            format!("{no_default}, {further}")
        );
        let no_order = ALL.replace("PartialOrd, Ord, ", "");
        assert_eq!(derived("Sorted", false), format!("{no_order}, {further}"));
        let no_traits = "Debug, Clone, Copy, Default";
        assert_eq!(derived("Key", false), format!("{no_traits}, {further}"));
        let of_enum = ALL.replace("Debug, ", "").replace("Default, ", "");
        assert_eq!(
            derived("E", false),
            format!("{of_enum}, ::a::Serialize, ::a::Other, ::serde::Deserialize")
        );
        assert_eq!(
            derived("E", true),
            format!("{of_enum}, ::a::Serialize, ::a::Other")
        );
    }

    #[test]
    fn unknown_fields_own_memory() {
        let types = Types {
            unknown_fields: true,
            ..Types::default()
        };
        assert_eq!(derived("Plain", types), ALL.replace("Copy, ", ""));
        assert_eq!(derived("Key", types), "Debug, Clone, Default");
    }
}
