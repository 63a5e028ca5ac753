//! `<interface>_servant.rs`: the client proxy.

use askama::Template;

use crate::model::{Model, Type};

use super::interface::{Answer, Imports, MethodPlan, Output, Plan};
use super::names::Names;
use super::naming::bare;
use super::{Body, Runtime, docs, layout, text};

#[derive(Template)]
#[template(path = "servant_client.rs.j2", escape = "none")]
struct Client<'a> {
    doc: &'a str,
    name: &'a str,
    methods: &'a [Call],
}

struct Call {
    doc: String,
    signature: String,
    body: Vec<String>,
}

/// The file.
pub(super) fn file(plan: &Plan<'_>, model: &Model, names: &Names, runtime: Runtime<'_>) -> Body {
    let name = format!("{}Servant", plan.names.base);
    let replies: Vec<&str> = plan.replies().collect();
    let imports = Imports::new(
        model,
        names,
        std::slice::from_ref(&name),
        plan.signature_types(),
        &plan.names.stem,
        &replies,
    );
    let methods: Vec<Call> = plan
        .methods
        .iter()
        .map(|method| call(method, &imports, runtime))
        .collect();
    let fallback = format!(
        "Client proxy of the interface `{}`, cheap to clone.",
        plan.of.name
    );
    let doc = docs::outer(0, &plan.of.doc, &fallback);
    let body = text(&Client {
        doc: &doc,
        name: &name,
        methods: &methods,
    });
    Body {
        path: format!("{}_servant.rs", bare(&plan.names.stem)),
        spans: vec![plan.of.span],
        doc: docs::plain(
            &[],
            &format!("Client side of the interface `{}`.", plan.of.name),
        ),
        exports: vec![name],
        text: imports.text(&body, runtime, &["client"]) + &body,
    }
}

fn call(method: &MethodPlan<'_>, imports: &Imports<'_>, runtime: Runtime<'_>) -> Call {
    let mut params = vec!["&self".to_owned()];
    params.extend(
        method
            .ins
            .iter()
            .map(|(param, name)| format!("{name}: {}", imports.spelling.borrowed(&param.ty))),
    );
    let result = method.result(imports, runtime);
    let doc = docs::outer(4, &method.of.doc, &format!("Calls `{}`.", method.of.name));
    Call {
        doc: format!(
            "{doc}    ///\n    /// # Errors\n    /// The call failed, or the servant answered with an error.\n"
        ),
        signature: layout::signature(
            4,
            &format!("pub async fn {}", method.name),
            &params,
            &format!(" -> {result} {{"),
        ),
        body: body(method, imports),
    }
}

fn body(method: &MethodPlan<'_>, imports: &Imports<'_>) -> Vec<String> {
    let ok = imports.spelling.prelude.ok();
    let bind = match &method.answer {
        Answer::Nothing => "",
        Answer::One(_) | Answer::Many(..) => "let mut reply = ",
    };
    let func = format!("\"{}\"", method.of.name);
    let mut lines = vec![if method.ins.is_empty() {
        layout::await_call(8, bind, "self.proxy", "call", &[func, "|_| {}".to_owned()])
    } else {
        let puts = method.ins.iter().map(|(param, name)| {
            let value = if is_reference(&param.ty) {
                name.clone()
            } else {
                format!("&{name}")
            };
            layout::call(
                16,
                "args.put",
                &[param.tag.to_string(), format!("\"{}\"", param.name), value],
                ";",
            )
        });
        let puts: Vec<String> = puts.collect();
        layout::await_call_with_block(
            8,
            bind,
            "self.proxy",
            &format!("call({func}, |args|"),
            &puts,
        )
    }];
    lines.push(match &method.answer {
        Answer::Nothing => format!("        {ok}(())"),
        Answer::One(output) => format!("        {}", take(output)),
        Answer::Many(reply, outputs) => {
            let fields: Vec<String> = outputs
                .iter()
                .map(|output| format!("{}: {}?", output.name, take(output)))
                .collect();
            let reply = imports.replies.get(reply).unwrap_or(reply);
            layout::literal(8, &format!("{ok}({reply}"), &fields, ")")
        }
    });
    lines
}

fn take(output: &Output<'_>) -> String {
    match output.param {
        None => "reply.take_result()".to_owned(),
        Some(param) => format!("reply.take({}, \"{}\")", param.tag, param.name),
    }
}

/// As [`Spelling::borrowed`](super::types::Spelling::borrowed) has it.
fn is_reference(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String { .. }
            | Type::Bytes { .. }
            | Type::Vector { .. }
            | Type::Map { .. }
            | Type::Struct(_)
    )
}
