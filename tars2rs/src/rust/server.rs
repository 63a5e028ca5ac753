//! `<interface>_server.rs`: the server trait and its dispatcher.

use askama::Template;

use super::interface::{Answer, Imports, Input, MethodPlan, Output, Plan, from_wire, to_wire};
use super::naming::join;
use super::prelude::Prelude;
use super::{Body, Context, Runtime, docs, layout, text};

#[derive(Template)]
#[template(path = "servant_server.rs.j2", escape = "none")]
struct Server<'a> {
    prelude: &'a Prelude,
    doc: &'a str,
    name: &'a str,
    dispatcher: &'a str,
    /// The type parameter.
    param: &'a str,
    /// Pattern for the arguments.
    args: &'a str,
    /// Pattern for the reply.
    reply: &'a str,
    methods: &'a [Handler],
}

struct Handler {
    doc: String,
    signature: String,
    wire_name: String,
    dispatch: Vec<String>,
}

/// The file.
pub(super) fn file(plan: &Plan<'_>, cx: Context<'_>) -> Body {
    let name = &plan.names.base;
    let dispatcher = join(name, "Server");
    let defined = [name.clone(), dispatcher.clone()];
    let replies: Vec<&str> = plan.replies().collect();
    let imports = Imports::new(
        cx,
        &defined,
        plan.signature_types(),
        &plan.names.stem,
        &replies,
    );
    let methods: Vec<Handler> = plan
        .methods
        .iter()
        .map(|method| handler(method, &imports, cx.runtime))
        .collect();
    let fallback = format!("Server side of the interface `{}`.", plan.of.name);
    let doc = docs::outer(0, &plan.of.doc, &fallback);
    let doc = format!("{doc}///\n/// Implement it and serve it through [`{dispatcher}`].\n");
    let takes = plan.methods.iter().any(|method| !method.ins.is_empty());
    let gives = plan
        .methods
        .iter()
        .any(|method| !matches!(method.answer, Answer::Nothing));
    let body = text(&Server {
        prelude: &imports.spelling.prelude,
        doc: &doc,
        name,
        dispatcher: &dispatcher,
        param: if name == "T" { "S" } else { "T" },
        args: if takes { "mut args" } else { "_" },
        reply: if gives { "mut reply" } else { "reply" },
        methods: &methods,
    });
    Body {
        path: join(&plan.names.stem, "_server.rs"),
        spans: vec![plan.of.span],
        doc: docs::plain(&[], &fallback),
        exports: defined.to_vec(),
        text: imports.text(&body, cx.runtime, &["server"]) + &body,
    }
}

fn handler(method: &MethodPlan<'_>, imports: &Imports<'_>, runtime: Runtime<'_>) -> Handler {
    let mut params = vec!["&self".to_owned(), "cx: &server::Context".to_owned()];
    params.extend(method.ins.iter().map(|Input { name, param, types }| {
        let ty = imports.spelling.owned(&param.ty, *types);
        format!("{name}: {ty}")
    }));
    let prelude = &imports.spelling.prelude;
    let result = method.result(imports, runtime);
    let result = format!(
        " -> impl {}<Output = {result}> + {};",
        prelude.future(),
        prelude.send()
    );
    Handler {
        doc: docs::outer(4, &method.of.doc, &format!("Answers `{}`.", method.of.name)),
        signature: layout::signature(4, &format!("fn {}", method.name), &params, &result),
        wire_name: method.of.name.clone(),
        dispatch: dispatch(method),
    }
}

fn dispatch(method: &MethodPlan<'_>) -> Vec<String> {
    let takes = method.ins.iter().map(|Input { name, param, types }| {
        let pattern = from_wire(name, &param.ty, *types);
        let take = format!("args.take({}, \"{}\")?;", param.tag, param.name);
        layout::assign(20, &format!("let {pattern}"), &take)
    });
    let mut lines: Vec<String> = takes.collect();
    let mut args = vec!["&cx".to_owned()];
    args.extend(method.ins.iter().map(|input| input.name.clone()));
    let bind = match &method.answer {
        Answer::Nothing => String::new(),
        Answer::One(output) => format!("let {} = ", output.name),
        Answer::Many(..) => "let answer = ".to_owned(),
    };
    lines.push(layout::await_call(20, &bind, "service", method.name, &args));
    match &method.answer {
        Answer::Nothing => {}
        Answer::One(output) => lines.push(put(output, &output.name)),
        Answer::Many(_, outputs) => {
            lines.extend(
                outputs
                    .iter()
                    .map(|output| put(output, &format!("answer.{}", output.name))),
            );
        }
    }
    lines
}

fn put(output: &Output<'_>, value: &str) -> String {
    let value = to_wire(&format!("&{value}"), output.ty, output.types);
    match output.param {
        None => layout::call(20, "reply.put_result", &[value], ";"),
        Some(param) => layout::call(
            20,
            "reply.put",
            &[param.tag.to_string(), format!("\"{}\"", param.name), value],
            ";",
        ),
    }
}
