//! The peers, and what they cannot do. Each reason was found in the source of the version that is pinned.

use tars_rpc::Version;

use crate::cases::Case;

/// The columns of each peer.
pub(crate) const VERSIONS: [Version; 4] = [
    Version::Tars,
    Version::TupComplex,
    Version::Tup,
    Version::Json,
];

/// An implementation of Tars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// This project: shows that the cases themselves are right.
    Rust,
    Js,
    Go,
    Java,
}

/// Why a peer cannot pass a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cannot {
    pub(crate) reason: &'static str,
    /// The whole version is unknown to the peer. One case of it is tried.
    version: bool,
}

impl Cannot {
    const fn case(reason: &'static str) -> Self {
        Self {
            reason,
            version: false,
        }
    }

    const fn version(reason: &'static str) -> Self {
        Self {
            reason,
            version: true,
        }
    }

    /// Whether a case need not be tried.
    pub(crate) fn skip(&self, case: Case) -> bool {
        self.version && case != Case::TestReturn
    }
}

static JS_JSON: Cannot = Cannot::version(
    "Tars.js has no version 5: its generated code knows binary and TUP bodies, its client sends iVersion 1 in place of it",
);

static JS_SERVANT: Cannot = Cannot::case(
    "a port of Tars.js belongs to one servant, and runs the functions of whatever servant is named",
);

static GO_VERSION_2: Cannot =
    Cannot::version("TarsGo has no version 2: it answers such a request with code 1");
static GO_CLIENT_TUP: Cannot =
    Cannot::version("a client of TarsGo has no TUP: it reads every answer as a ResponsePacket");
static GO_TUP_ERROR: Cannot = Cannot::case(
    "a server of TarsGo loses code and text of an error in TUP: `req2Byte` copies neither",
);
static GO_FUNCTION: Cannot = Cannot::case(
    "code that tars2go generates answers an unknown function with code 1, `func mismatch`",
);
static GO_SERVANT: Cannot = Cannot::case(
    "a port of TarsGo belongs to one servant, and runs the functions of whatever servant is named",
);
static GO_BASE64: Cannot = Cannot::case(
    "TarsGo writes vector<unsigned byte> to JSON as base64: to encoding/json, []uint8 is not a list of numbers",
);

static JAVA_TUP_ERROR: Cannot = Cannot::case(
    "a server of TarsJava loses code and text of an error in TUP: `encodeResponse` writes neither",
);
static JAVA_GBK: Cannot = Cannot::case(
    "a server of TarsJava reads the strings of a packet's head as GBK, before it sets its charset",
);
static JAVA_CLIENT: Cannot = Cannot::version(
    "a client of TarsJava has version 1 alone: `TarsInvoker` sets it in every request",
);

static JS_TUP_CONTEXT: Cannot =
    Cannot::case("a server of Tars.js sends no context in TUP: `composeTUP` leaves it out");
static JAVA_CONTEXT: Cannot =
    Cannot::case("TarsJava has no response context: its codec neither writes nor reads it");

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Rust, Self::Js, Self::Go, Self::Java];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Go => "go",
            Self::Java => "java",
        }
    }

    /// The head of a column.
    pub(crate) fn column(self, version: Version) -> String {
        format!("{} {}", self.name(), version.number())
    }

    /// Why its server cannot pass a case.
    pub(crate) fn server_cannot(self, case: Case, version: Version) -> Option<&'static Cannot> {
        match (self, version, case) {
            (Self::Js, Version::Json, _) => Some(&JS_JSON),
            (Self::Js, _, Case::UnknownServant) => Some(&JS_SERVANT),
            (Self::Js, Version::TupComplex | Version::Tup, Case::ResponseContext) => {
                Some(&JS_TUP_CONTEXT)
            }
            (Self::Go, Version::TupComplex, _) => Some(&GO_VERSION_2),
            (Self::Go, _, Case::UnknownServant) => Some(&GO_SERVANT),
            (Self::Go, Version::Tup, Case::Error | Case::UnknownFunction) => Some(&GO_TUP_ERROR),
            (Self::Go, _, Case::UnknownFunction) => Some(&GO_FUNCTION),
            (Self::Go, Version::Json, Case::EchoContainers) => Some(&GO_BASE64),
            (Self::Java, _, Case::ContextUtf8) => Some(&JAVA_GBK),
            (Self::Java, _, Case::ResponseContext) => Some(&JAVA_CONTEXT),
            (
                Self::Java,
                Version::Tup | Version::TupComplex,
                Case::Error | Case::UnknownFunction | Case::UnknownServant,
            ) => Some(&JAVA_TUP_ERROR),
            _ => None,
        }
    }

    /// Why its client cannot pass a case.
    pub(crate) fn client_cannot(self, case: Case, version: Version) -> Option<&'static Cannot> {
        match (self, version, case) {
            (Self::Js, Version::Json, _) => Some(&JS_JSON),
            (Self::Go, Version::TupComplex | Version::Tup, _) => Some(&GO_CLIENT_TUP),
            (Self::Go, Version::Json, Case::EchoContainers) => Some(&GO_BASE64),
            (Self::Java, Version::Tars, Case::ResponseContext) => Some(&JAVA_CONTEXT),
            (Self::Java, Version::Tars, _) => None,
            (Self::Java, _, _) => Some(&JAVA_CLIENT),
            _ => None,
        }
    }
}
