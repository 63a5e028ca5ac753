//! `<interface>.rs`: what client and server share: structs for the methods that give more than one value, and the list
//! of all functions.

use super::derives::Derives;
use super::interface::{Answer, Imports, Output, Plan};
use super::naming::bare;
use super::{Body, Context, docs, metadata, structs};

/// The file.
pub(super) fn file(plan: &Plan<'_>, cx: Context<'_>) -> Body {
    let replies: Vec<(&str, &str, &[Output<'_>])> = plan
        .methods
        .iter()
        .filter_map(|method| match &method.answer {
            Answer::Many(reply, outputs) => {
                Some((method.of.name.as_str(), *reply, outputs.as_slice()))
            }
            _ => None,
        })
        .collect();
    let defined: Vec<String> = replies
        .iter()
        .map(|(_, reply, _)| (*reply).to_owned())
        .collect();
    let imports = Imports::new(cx, &defined, plan.types(), "", &[]);
    let items = replies.iter().map(|(method, reply, outputs)| {
        let all = || outputs.iter().map(|output| (output.ty, output.types));
        let (has_eq, has_order) = (
            cx.traits.all_have_eq(all()),
            cx.traits.all_have_order(all()),
        );
        let derives = Derives {
            copy: cx.traits.all_copy(all()),
            default: true,
            partial_eq: true,
            eq: has_eq,
            ord: has_order,
            hash: has_order,
            more: Vec::new(),
            written: Vec::new(),
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
        structs::definition(
            &doc,
            &derives.attribute(),
            reply,
            &fields.collect::<Vec<_>>(),
        )
    });
    let mut items: Vec<String> = items.collect();
    items.push(metadata::functions(plan, &imports.spelling));
    let body = items.join("\n");
    Body {
        path: format!("{}.rs", bare(&plan.names.stem)),
        spans: vec![plan.of.span],
        doc: docs::plain(
            &[],
            &format!(
                "What client and server of the interface `{}` have in common.",
                plan.of.name
            ),
        ),
        exports: Vec::new(),
        text: imports.text(&body, cx.runtime, &[]) + &body,
    }
}
