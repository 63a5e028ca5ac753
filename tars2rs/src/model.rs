//! The resolved model: what a set of IDL files means once every name, constant and type is decided.
//!
//! The resolver is the only writer and a backend the only reader: no name is looked up and no value is
//! computed after this point.

use crate::source::Span;

/// Everything that a run was given, includes merged in.
#[derive(Debug, Default)]
pub struct Model {
    /// IDL modules in the order of their first appearance; a reopened module is one entry.
    pub modules: Vec<Module>,
    /// Indexed by [`StructId`].
    pub structs: Vec<Struct>,
    /// Indexed by [`EnumId`].
    pub enums: Vec<Enum>,
    /// Indexed by [`ConstId`].
    pub consts: Vec<Const>,
    /// Indexed by [`InterfaceId`].
    pub interfaces: Vec<Interface>,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident => $list:ident: $of:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $id(pub u32);

        impl std::ops::Index<$id> for Model {
            type Output = $of;

            fn index(&self, id: $id) -> &$of {
                &self.$list[id.0 as usize]
            }
        }
    )*};
}

ids! {
    /// Index of a module in [`Model::modules`].
    ModuleId => modules: Module;
    /// Index of a struct in [`Model::structs`].
    StructId => structs: Struct;
    /// Index of an enum in [`Model::enums`].
    EnumId => enums: Enum;
    /// Index of a const in [`Model::consts`].
    ConstId => consts: Const;
    /// Index of an interface in [`Model::interfaces`].
    InterfaceId => interfaces: Interface;
}

/// `module NAME { .. };`, all parts of it.
#[derive(Debug)]
pub struct Module {
    /// Name in the IDL.
    pub name: String,
    /// Where the name of its first part is.
    pub span: Span,
    /// Doc comment of the first part that has one.
    pub doc: Doc,
    /// Declarations in their order.
    pub items: Vec<Item>,
}

/// A declaration of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// `struct`
    Struct(StructId),
    /// `enum`
    Enum(EnumId),
    /// `const`
    Const(ConstId),
    /// `interface`
    Interface(InterfaceId),
}

/// The lines of a doc comment, comment signs and common indentation removed.
pub type Doc = Vec<String>;

/// `struct NAME { .. };`
#[derive(Debug)]
pub struct Struct {
    /// The module it is in.
    pub module: ModuleId,
    /// Name in the IDL.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment.
    pub doc: Doc,
    /// Fields by ascending tag.
    pub fields: Vec<Field>,
    /// Indexes into `fields` of the members that `key[..]` names, in its order; empty without one.
    pub key: Vec<usize>,
}

/// A member of a struct.
#[derive(Debug)]
pub struct Field {
    /// Tag on the wire.
    pub tag: u8,
    /// Name in the IDL.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment: the block above, or the trailing `//` on its line.
    pub doc: Doc,
    /// `require` (true) or `optional`.
    pub required: bool,
    /// Its type.
    pub ty: Type,
    /// The declared default, already converted and range-checked to `ty`.
    pub default: Option<Value>,
    /// Where it is.
    pub default_span: Option<Span>,
    /// An optional member that closes a cycle of structs held by value: it must be boxed.
    pub closes_cycle: bool,
}

/// A type, fully resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `byte`
    Byte,
    /// `short`
    Short,
    /// `int`
    Int,
    /// `long`
    Long,
    /// `unsigned byte`, a short on the wire
    UByte,
    /// `unsigned short`, an int on the wire
    UShort,
    /// `unsigned int`, a long on the wire
    UInt,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `string`; `string:N` has a maximum of N bytes.
    String {
        /// Maximum length in bytes.
        max: Option<u32>,
    },
    /// `vector<byte>`, `byte a[N]`, `byte *p`: a SimpleList.
    Bytes {
        /// Maximum length in bytes.
        max: Option<u32>,
    },
    /// `vector<T>` (T not byte), `T a[N]`, `vector<T>:N`.
    Vector {
        /// Element type.
        item: Box<Self>,
        /// Maximum number of elements.
        max: Option<u32>,
    },
    /// `map<K, V>`
    Map {
        /// Key type.
        key: Box<Self>,
        /// Value type.
        value: Box<Self>,
    },
    /// A struct.
    Struct(StructId),
    /// An enum.
    Enum(EnumId),
}

/// A constant value, converted to the type of its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true`, `false`
    Bool(bool),
    /// For every integer type; for an enum, a number that no enumerator has.
    Int(i64),
    /// For `float` (already rounded to f32) and `double`.
    Float(f64),
    /// For `string`, escapes decoded. UTF-8, but for the default of a member, which may be bytes in the generated code.
    String(Vec<u8>),
    /// An enumerator, for an enum.
    Enumerator {
        /// The enum.
        of: EnumId,
        /// Index into [`Enum::items`].
        index: usize,
    },
}

/// `enum NAME { .. };`
#[derive(Debug)]
pub struct Enum {
    /// The module it is in.
    pub module: ModuleId,
    /// Name in the IDL.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment.
    pub doc: Doc,
    /// Enumerators in their order; values may repeat.
    pub items: Vec<Enumerator>,
}

/// An enumerator with its value decided.
#[derive(Debug)]
pub struct Enumerator {
    /// Name in the IDL.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment.
    pub doc: Doc,
    /// Value on the wire.
    pub value: i32,
}

/// `const TYPE NAME = VALUE;`
#[derive(Debug)]
pub struct Const {
    /// The module it is in.
    pub module: ModuleId,
    /// Name in the IDL.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment.
    pub doc: Doc,
    /// A builtin scalar, string or enum.
    pub ty: Type,
    /// Its value.
    pub value: Value,
}

/// `interface NAME { .. };`
#[derive(Debug)]
pub struct Interface {
    /// The module it is in.
    pub module: ModuleId,
    /// Name in the IDL.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment.
    pub doc: Doc,
    /// Methods in their order.
    pub methods: Vec<Method>,
}

/// A method of an interface.
#[derive(Debug)]
pub struct Method {
    /// Name in the IDL and on the wire.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Doc comment.
    pub doc: Doc,
    /// `None` for `void`.
    pub result: Option<Type>,
    /// In and out parameters together, in their order: tag `i + 1` is at index `i`.
    pub params: Vec<Param>,
}

/// A parameter of a method.
#[derive(Debug)]
pub struct Param {
    /// Name in the IDL; the key of TUP and JSON.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Tag on the wire: its position from 1.
    pub tag: u8,
    /// Its type.
    pub ty: Type,
    /// `out`
    pub out: bool,
    /// `routekey`
    pub routekey: bool,
}
