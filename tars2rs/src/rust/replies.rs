//! `<interface>.rs`: structs for the methods that give more than one value, shared by client and server.

use super::derives::Derives;
use super::interface::{Answer, Imports, Output, Plan};
use super::naming::bare;
use super::{Body, Context, docs, structs};

/// The file; `None` when no method needs a struct.
pub(super) fn file(plan: &Plan<'_>, cx: Context<'_>) -> Option<Body> {
    let replies: Vec<(&str, &str, &[Output<'_>])> = plan
        .methods
        .iter()
        .filter_map(|method| match &method.answer {
            Answer::Many(reply, outputs) => {
                Some((method.of.name.as_str(), reply.as_str(), outputs.as_slice()))
            }
            _ => None,
        })
        .collect();
    if replies.is_empty() {
        return None;
    }
    let defined: Vec<String> = replies
        .iter()
        .map(|(_, reply, _)| (*reply).to_owned())
        .collect();
    let types = replies
        .iter()
        .flat_map(|(_, _, outputs)| outputs.iter().map(|output| output.ty));
    let imports = Imports::new(cx, &defined, types, "", &[]);
    let items = replies.iter().map(|(method, reply, outputs)| {
        let all = || outputs.iter().map(|output| (output.ty, output.types));
        let (has_eq, has_order) = (cx.traits.all_have_eq(all()), cx.traits.all_have_order(all()));
        let derives = Derives {
            copy: cx.traits.all_copy(all()),
            default: true,
            partial_eq: true,
            eq: has_eq,
            ord: has_order,
            hash: has_order,
            more: Vec::new(),
        };
        let fields = outputs.iter().map(|output| {
            let doc = match output.param {
                None => "The return value.".to_owned(),
                Some(param) => format!("Out parameter `{}`.", param.name),
            };
            structs::FieldLines::new(
                &[],
                &doc,
                &[],
                &output.name,
                &imports.spelling.owned(output.ty, output.types),
            )
        });
        let doc = docs::outer(0, &[], &format!("Answer of `{method}`."));
        structs::definition(&doc, &derives.attribute(), reply, &fields.collect::<Vec<_>>())
    });
    let body = items.collect::<Vec<_>>().join("\n");
    Some(Body {
        path: format!("{}.rs", bare(&plan.names.stem)),
        spans: vec![plan.of.span],
        doc: docs::plain(
            &[],
            &format!(
                "Answers of the interface `{}` that have more than one value.",
                plan.of.name
            ),
        ),
        exports: Vec::new(),
        text: imports.text(&body, cx.runtime, &[]) + &body,
    })
}
