#!/usr/bin/env python3
"""big-prost.py [structs=2000] > lib.rs

What prost-build would write for the messages of ../shared/tools/big-idl/big.py, which has the same shape: 20 enums, and
structs of 20 fields that refer to earlier ones. A map of lists, which protobuf lacks, becomes a map of messages.
"""
import sys

structs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
out = sys.stdout.write

PLAIN = {
    0: ("bool", "bool"),
    1: ("int32", "i32"),
    2: ("int32", "i32"),
    3: ("int32", "i32"),
    4: ("int64", "i64"),
    5: ("float", "f32"),
    6: ("double", "f64"),
    7: ("string", "::prost::alloc::string::String"),
    8: ("uint32", "u32"),
    9: ('bytes = "bytes"', "::prost::bytes::Bytes"),
    10: ("int32, repeated", "::prost::alloc::vec::Vec<i32>"),
    11: ("string, repeated", "::prost::alloc::vec::Vec<::prost::alloc::string::String>"),
    12: ('btree_map = "string, string"', "Map<String, String>"),
    13: ('btree_map = "int32, message"', "Map<i32, Strings>"),
    18: ("string", "::prost::alloc::string::String"),
    19: ("int32", "i32"),
}

out("//! Messages for prost.\n#![allow(missing_docs)]\nuse ::prost::alloc::collections::BTreeMap as Map;\n\n")
for e in range(20):
    out("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]\n#[repr(i32)]\n")
    out(f"pub enum E{e} {{\n" + "".join(f"    V{v} = {v * 3},\n" for v in range(10)) + "}\n\n")
out('#[derive(Clone, PartialEq, ::prost::Message)]\npub struct Strings {\n    #[prost(string, repeated, tag = "1")]\n')
out("    pub items: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,\n}\n\n")
for s in range(structs):
    out(f"/// struct {s}\n#[derive(Clone, PartialEq, ::prost::Message)]\npub struct S{s} {{\n")
    for f in range(20):
        other = f"S{(s * 7919 + f) % s}" if s else None
        if f == 14:
            kind, ty = f'enumeration = "E{s % 20}"', "i32"
        elif f in (15, 16, 17) and other is None:
            kind, ty = "int32", "i32"
        elif f == 15:
            kind, ty = "message, optional", f"::core::option::Option<{other}>"
        elif f == 16:
            kind, ty = "message, repeated", f"::prost::alloc::vec::Vec<{other}>"
        elif f == 17:
            kind, ty = 'btree_map = "string, message"', f"Map<String, {other}>"
        else:
            kind, ty = PLAIN[f]
        out(f'    #[prost({kind}, tag = "{f + 1}")]\n    pub field{f}: {ty},\n')
    out("}\n\n")
