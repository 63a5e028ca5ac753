//! `<interface>_servant.rs`: the client proxy.

use askama::Template;

use crate::config::StringType;
use crate::model::Type;

use super::interface::{Answer, Imports, Input, MethodPlan, Output, Plan, from_wire, to_wire};
use super::names::ROUTED;
use super::naming::join;
use super::{Body, Context, Runtime, docs, layout, text};

#[derive(Template)]
#[template(path = "servant_client.rs.j2", escape = "none")]
struct Client<'a> {
    doc: &'a str,
    name: &'a str,
    with_response_context: &'a str,
    routes: bool,
    methods: &'a [Call],
}

struct Call {
    doc: String,
    signature: String,
    body: Vec<String>,
}

/// The file.
pub(super) fn file(plan: &Plan<'_>, cx: Context<'_>) -> Body {
    let name = join(&plan.names.base, "Servant");
    let replies: Vec<&str> = plan.replies().collect();
    let imports = Imports::new(
        cx,
        std::slice::from_ref(&name),
        plan.signature_types(),
        &plan.names.stem,
        &replies,
    );
    let methods: Vec<Call> = plan
        .methods
        .iter()
        .map(|method| call(method, &imports, cx.runtime))
        .collect();
    let fallback = format!(
        "Client proxy of the interface `{}`, cheap to clone.",
        plan.of.name
    );
    let doc = docs::outer(0, &plan.of.doc, &fallback);
    let body = text(&Client {
        doc: &doc,
        name: &name,
        with_response_context: &with_response_context(&imports, cx.runtime),
        routes: plan
            .methods
            .iter()
            .any(|method| route_key(method).is_some()),
        methods: &methods,
    });
    Body {
        path: join(&plan.names.stem, "_servant.rs"),
        spans: vec![plan.of.span],
        doc: docs::plain(
            &[],
            &format!("Client side of the interface `{}`.", plan.of.name),
        ),
        exports: vec![name],
        text: imports.text(&body, cx.runtime, &["client"]) + &body,
    }
}

/// The head of the one function that serves all methods: a second function for each would double the code.
fn with_response_context(imports: &Imports<'_>, runtime: Runtime<'_>) -> String {
    let (calls, result) = (
        imports.spelling.prelude.async_fn_once(),
        format!("{}::Result", runtime.name()),
    );
    layout::signature(
        4,
        "pub async fn with_response_context<T>",
        &[
            "&self".to_owned(),
            format!("call: impl {calls}(Self) -> {result}<T>"),
        ],
        &format!(" -> {result}<(T, codec::Attributes)> {{"),
    )
}

fn call(method: &MethodPlan<'_>, imports: &Imports<'_>, runtime: Runtime<'_>) -> Call {
    let mut params = vec!["&self".to_owned()];
    params.extend(method.ins.iter().map(|Input { name, param, types }| {
        let ty = imports.spelling.borrowed(&param.ty, *types);
        format!("{name}: {ty}")
    }));
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

/// The parameter by which the node is chosen, as a text or something to be shown as one.
fn route_key(method: &MethodPlan<'_>) -> Option<String> {
    let Input { name, param, types } = method.ins.iter().find(|input| input.param.routekey)?;
    match param.ty {
        Type::String { .. } if types.string == StringType::Bytes => {
            Some(format!("::std::string::String::from_utf8_lossy({name})"))
        }
        // Nobody agrees on a text for these.
        Type::Bytes { .. }
        | Type::Vector { .. }
        | Type::Map { .. }
        | Type::Struct(_)
        | Type::Enum(_) => None,
        _ => Some(name.clone()),
    }
}

fn body(method: &MethodPlan<'_>, imports: &Imports<'_>) -> Vec<String> {
    let ok = imports.spelling.prelude.ok();
    let proxy = match route_key(method) {
        Some(key) => format!("self.{ROUTED}({key})"),
        None => "self.proxy".to_owned(),
    };
    let head = match &method.answer {
        Answer::Nothing => "",
        Answer::One(_) | Answer::Many(..) => "let mut reply = ",
    };
    let func = format!("\"{}\"", method.of.name);
    let mut lines = vec![if method.ins.is_empty() {
        layout::await_call(8, head, &proxy, "call", &[func, "|_| {}".to_owned()])
    } else {
        let puts = method.ins.iter().map(|Input { name, param, types }| {
            let value = if !super::types::is_scalar(&param.ty) {
                to_wire(name, &param.ty, *types)
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
        layout::await_call_with_block(8, head, &proxy, &format!("call({func}, |args|"), &puts)
    }];
    match &method.answer {
        Answer::Nothing => lines.push(format!("        {ok}(())")),
        Answer::One(output) if comes_plain(output) => {
            lines.push(format!("        {}", take(output)));
        }
        Answer::One(output) => {
            lines.push(bind(output));
            lines.push(format!("        {ok}({})", output.local));
        }
        Answer::Many(reply, outputs) => {
            // All or none, so that the values are taken in their order.
            let plain = outputs.iter().all(comes_plain);
            if !plain {
                lines.extend(outputs.iter().map(bind));
            }
            let field = |output: &Output<'_>| match plain {
                true => format!("{}: {}?", output.name, take(output)),
                false if output.name == output.local => output.name.clone(),
                false => format!("{}: {}", output.name, output.local),
            };
            let fields: Vec<String> = outputs.iter().map(field).collect();
            let reply = imports.spelled_reply(reply);
            lines.push(layout::literal(8, &format!("{ok}({reply}"), &fields, ")"));
        }
    }
    lines
}

fn comes_plain(output: &Output<'_>) -> bool {
    from_wire(&output.local, output.ty, output.types) == output.local
}

fn bind(output: &Output<'_>) -> String {
    let pattern = from_wire(&output.local, output.ty, output.types);
    layout::assign(8, &format!("let {pattern}"), &format!("{}?;", take(output)))
}

fn take(output: &Output<'_>) -> String {
    match output.param {
        None => "reply.take_result()".to_owned(),
        Some(param) => format!("reply.take({}, \"{}\")", param.tag, param.name),
    }
}
