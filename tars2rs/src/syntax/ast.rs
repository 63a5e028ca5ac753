//! What a file says, before anything is looked up.

use std::collections::HashSet;

use crate::model::Doc;
use crate::source::Span;

/// A file.
#[derive(Debug, Default)]
pub struct File {
    /// Its includes, in their order.
    pub includes: Vec<Include>,
    /// Its modules; one may be there several times.
    pub modules: Vec<Module>,
    /// What syntax errors made invisible.
    pub lost: Lost,
}

/// The words in faulty pieces of a file. A name among them may well be declared there, so nobody should be told that
/// it does not exist.
#[derive(Debug, Default)]
pub struct Lost {
    /// Every name is possible: whole files could not be read.
    pub everything: bool,
    /// The words.
    pub words: HashSet<String>,
}

impl Lost {
    /// Whether a name may be declared in a faulty piece.
    #[must_use]
    pub fn may_declare(&self, name: &str) -> bool {
        self.everything || self.words.contains(name)
    }
}

/// `#include "path"`
#[derive(Debug)]
pub struct Include {
    /// What is between the quotes.
    pub path: String,
    /// The quoted path.
    pub span: Span,
}

/// An identifier.
#[derive(Debug, Clone)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Where it is.
    pub span: Span,
}

/// `A`, `A::B`, `::A::B`
#[derive(Debug)]
pub struct Path {
    /// Whether it begins with `::`.
    pub rooted: bool,
    /// At least one name.
    pub parts: Vec<Name>,
    /// All of it.
    pub span: Span,
}

impl Path {
    /// The path as a person writes it.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<_> = self.parts.iter().map(|part| part.text.as_str()).collect();
        format!(
            "{}{}",
            if self.rooted { "::" } else { "" },
            parts.join("::")
        )
    }
}

/// `module NAME { .. };`
#[derive(Debug)]
pub struct Module {
    /// Its name.
    pub name: Name,
    /// Its doc comment.
    pub doc: Doc,
    /// What it declares.
    pub items: Vec<Item>,
}

/// A declaration.
#[derive(Debug)]
pub enum Item {
    /// `struct`
    Struct(Struct),
    /// `enum`
    Enum(Enum),
    /// `const`
    Const(Box<Const>),
    /// `interface`
    Interface(Interface),
    /// `key[..]`
    Key(Key),
}

/// `struct NAME { .. };`
#[derive(Debug)]
pub struct Struct {
    /// Its name.
    pub name: Name,
    /// Its doc comment.
    pub doc: Doc,
    /// Its members, in the order of the text.
    pub members: Vec<Member>,
}

/// `TAG require|optional TYPE NAME = DEFAULT;`
#[derive(Debug)]
pub struct Member {
    /// The tag, not yet checked.
    pub tag: Integer,
    /// Where the tag is.
    pub tag_span: Span,
    /// `require` or `optional`.
    pub required: bool,
    /// Type and name.
    pub declarator: Declarator,
    /// The default.
    pub default: Option<Value>,
    /// Doc comment.
    pub doc: Doc,
}

/// A type and what it names: `int a`, `int a[4]`, `string a:16`, `byte *a`.
#[derive(Debug)]
pub struct Declarator {
    /// The type before the name.
    pub ty: Type,
    /// What the name makes of it.
    pub shape: Shape,
    /// The name.
    pub name: Name,
}

/// What is written around a declared name.
#[derive(Debug)]
pub enum Shape {
    /// `a`
    Plain,
    /// `a[N]`
    Array(Value),
    /// `a:N`
    Max(Value),
    /// `*a`, with the place of the `*`.
    Pointer(Span),
    /// `*a[N]` or `*a:N`, which means nothing.
    PointerArray(Span),
}

/// A type.
#[derive(Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// `:N` after it.
    pub max: Option<Value>,
    /// All of it.
    pub span: Span,
}

/// A type without `:N`.
#[derive(Debug)]
pub enum TypeKind {
    /// A keyword.
    Builtin(Builtin),
    /// `vector<T>`
    Vector(Box<Type>),
    /// `map<K, V>`
    Map(Box<Type>, Box<Type>),
    /// Anything else.
    Named(Path),
}

/// A builtin type without parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
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
    /// `unsigned byte`
    UByte,
    /// `unsigned short`
    UShort,
    /// `unsigned int`
    UInt,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `string`
    String,
}

impl Builtin {
    /// The type that a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "bool" => Self::Bool,
            "byte" => Self::Byte,
            "short" => Self::Short,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "string" => Self::String,
            _ => return None,
        })
    }
}

/// A whole number as written; one beyond `i128` is taken as the nearest, which no type holds either.
pub type Integer = i128;

/// A value and where it is.
#[derive(Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where it is.
    pub span: Span,
}

/// A literal or a reference to a value.
#[derive(Debug)]
pub enum ValueKind {
    /// A whole number.
    Integer(Integer),
    /// A number with a point or exponent.
    Float(f64),
    /// A string, escapes decoded.
    String(Vec<u8>),
    /// `true`, `false`
    Bool(bool),
    /// A constant or enumerator.
    Path(Path),
    /// A literal that was complained about already.
    Invalid,
}

/// `enum NAME { .. };`
#[derive(Debug)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Its doc comment.
    pub doc: Doc,
    /// Its enumerators.
    pub items: Vec<Enumerator>,
}

/// `NAME` or `NAME = VALUE`
#[derive(Debug)]
pub struct Enumerator {
    /// Its name.
    pub name: Name,
    /// Its doc comment.
    pub doc: Doc,
    /// Its value; without one, it is that of the enumerator before plus one.
    pub value: Option<Value>,
}

/// `const TYPE NAME = VALUE;`
#[derive(Debug)]
pub struct Const {
    /// Type and name.
    pub declarator: Declarator,
    /// Its value.
    pub value: Value,
    /// Its doc comment.
    pub doc: Doc,
}

/// `key[STRUCT, MEMBER, ..];`
#[derive(Debug)]
pub struct Key {
    /// The struct.
    pub of: Path,
    /// The members.
    pub members: Vec<Name>,
}

/// `interface NAME { .. };`
#[derive(Debug)]
pub struct Interface {
    /// Its name.
    pub name: Name,
    /// Its doc comment.
    pub doc: Doc,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// `RESULT NAME(PARAMETERS);`
#[derive(Debug)]
pub struct Method {
    /// Its name.
    pub name: Name,
    /// Its doc comment.
    pub doc: Doc,
    /// `None` for `void`.
    pub result: Option<Type>,
    /// Its parameters.
    pub params: Vec<Param>,
}

/// `[out|routekey] TYPE NAME`
#[derive(Debug)]
pub struct Param {
    /// `out`, `routekey` or neither.
    pub direction: Direction,
    /// Type and name.
    pub declarator: Declarator,
}

/// What a parameter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Goes in.
    In,
    /// `routekey`: goes in and chooses the node.
    RouteKey,
    /// `out`
    Out,
}
