//! The part of a config that says what the generated code is like.

use std::ops::Range;

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `runtimeCrate`: the path by which generated code names the runtime, `::tars_rpc` by default.
    pub runtime_crate: String,
    /// What holds for everything that no rule is about.
    pub types: Types,
    /// `[types."PATH"]`: other types for a part of the IDL.
    pub rules: Vec<Rule>,
    /// `externPath`: types that exist already.
    pub externs: Vec<Extern>,
    /// `[[attributes]]`: more derives and attributes.
    pub attributes: Vec<Attributes>,
    /// `serde`: `Serialize` and `Deserialize` for structs and enums.
    pub serde: bool,
    /// `edition`: for rustfmt; what is generated is the same for all.
    pub edition: Edition,
    /// `format`
    pub format: Format,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtime_crate: "::tars_rpc".to_owned(),
            types: Types::default(),
            rules: Vec::new(),
            externs: Vec::new(),
            attributes: Vec::new(),
            serde: false,
            edition: Edition::default(),
            format: Format::default(),
        }
    }
}

/// What the types of the IDL become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Types {
    /// `optionalType`
    pub optional: OptionalType,
    /// `stringType`
    pub string: StringType,
    /// `bytesType`
    pub bytes: BytesType,
    /// `mapType`
    pub map: MapType,
    /// `unknownFields`
    pub unknown_fields: bool,
    /// `borrowed`
    pub borrowed: bool,
}

/// A place in the IDL, such as `Module.Struct.field`.
#[derive(Debug, Clone)]
pub struct IdlPath {
    /// As in the config.
    pub text: String,
    /// Where it is in the config.
    pub at: Range<usize>,
}

/// Options are the same when they say the same, wherever in their files.
impl PartialEq for IdlPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for IdlPath {}

/// What is different below a path. What is `None` is as further up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A module, struct, member, interface, method or parameter.
    pub path: IdlPath,
    /// `optionalType`
    pub optional: Option<OptionalType>,
    /// `stringType`
    pub string: Option<StringType>,
    /// `bytesType`
    pub bytes: Option<BytesType>,
    /// `mapType`
    pub map: Option<MapType>,
    /// `unknownFields`
    pub unknown_fields: Option<bool>,
    /// `borrowed`
    pub borrowed: Option<bool>,
}

/// Types of the IDL that are not to be generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extern {
    /// A module, struct or enum.
    pub path: IdlPath,
    /// The Rust module or type to use.
    pub rust: String,
}

/// More derives and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// A module, struct, enum or member.
    pub path: IdlPath,
    /// Traits to derive.
    pub derive: Vec<String>,
    /// Whole attributes.
    pub attributes: Vec<String>,
}

/// A value that is one of a few words.
pub trait Choice: Copy + 'static {
    /// The words and what they mean, the default first.
    const CHOICES: &'static [(&'static str, Self)];
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$first_doc:meta])* $first:ident = $first_word:literal),+;
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum $name {
            $($(#[$first_doc])* $first,)+
        }

        impl Choice for $name {
            const CHOICES: &'static [(&'static str, Self)] = &[$(($first_word, Self::$first)),+];
        }
    )*};
}

choices! {
    /// What an `optional` member becomes.
    OptionalType {
        /// The plain type: a member that was not sent has its default.
        #[default]
        Plain = "plain",
        /// An `Option`.
        Option = "option";
    }

    /// What a string becomes.
    StringType {
        /// `String`
        #[default]
        String = "String",
        /// `bytes::Bytes`: not checked to be UTF-8, and shares the memory of what was received.
        Bytes = "bytes::Bytes",
        /// `std::sync::Arc<str>`: cheap to clone.
        Shared = "Arc<str>",
        /// `InlineStr`: in place when short, shares the memory of what was received when long.
        Inline = "InlineStr";
    }

    /// What `vector<byte>` becomes.
    BytesType {
        /// `bytes::Bytes`, which shares the memory of what was received.
        #[default]
        Bytes = "Bytes",
        /// `Vec<u8>`
        Vec = "Vec<u8>";
    }

    /// What a map becomes.
    MapType {
        /// `BTreeMap`: the order and so the bytes of TarsCpp.
        #[default]
        BTreeMap = "BTreeMap",
        /// `HashMap`: in any order.
        HashMap = "HashMap",
        /// `IndexMap`: in the order of insertion.
        IndexMap = "IndexMap",
        /// `VecMap`: sorted, in one allocation.
        VecMap = "VecMap";
    }

    /// The edition of the crate that the code goes to.
    Edition {
        /// 2024
        #[default]
        E2024 = "2024",
        /// 2021
        E2021 = "2021";
    }

    /// Who formats the code.
    Format {
        /// Nobody needs to: it is as rustfmt has it by default.
        #[default]
        Default = "default",
        /// The user's rustfmt, with its configuration.
        Rustfmt = "rustfmt";
    }
}

impl Edition {
    /// As rustfmt and cargo have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::E2021 => "2021",
            Self::E2024 => "2024",
        }
    }
}
