//! `FUNCTIONS`: the functions of an interface as data.

use super::interface::{Answer, Input, Output, Plan};
use super::layout;
use super::types::Spelling;

/// The constant.
pub(super) fn functions(plan: &Plan<'_>, spelling: &Spelling<'_>) -> String {
    let mut unclear = false;
    let mut entries = Vec::new();
    for method in &plan.methods {
        // Inputs and outputs, back in the order of the parameters.
        let mut params: Vec<(u8, String)> = Vec::new();
        let mut result = None;
        let param =
            |kind: &str, name: &str, ty: &str| format!("codec::Param::{kind}::<{ty}>(\"{name}\")");
        for Input {
            param: of, types, ..
        } in &method.ins
        {
            let ty = spelling.on_wire(&of.ty, *types, spelling.owned(&of.ty, *types));
            params.push((of.tag, param("input", &of.name, &ty)));
        }
        let outputs: &[Output<'_>] = match &method.answer {
            Answer::Nothing => &[],
            Answer::One(output) => std::slice::from_ref(output),
            Answer::Many(_, outputs) => outputs,
        };
        for output in outputs {
            let owned = spelling.owned(output.ty, output.types);
            let ty = spelling.on_wire(output.ty, output.types, owned);
            match output.param {
                None => result = Some(ty),
                Some(of) => params.push((of.tag, param("output", &of.name, &ty))),
            }
        }
        params.sort();
        let params: Vec<String> = params.into_iter().map(|(_, param)| param).collect();
        unclear |= layout::breaks_inside(&params);
        let head = match result {
            Some(ty) => format!("codec::Function::returning::<{ty}>"),
            None => "codec::Function::void".to_owned(),
        };
        let args = [format!("\"{}\"", method.of.name), layout::list(8, &params)];
        entries.push(layout::call(4, &head, &args, "").trim_start().to_owned());
    }
    unclear |= layout::breaks_inside(&entries);
    let list = layout::array(0, "pub const FUNCTIONS: &[codec::Function]", &entries);
    let skip = if unclear {
        format!("{}\n", layout::SKIP)
    } else {
        String::new()
    };
    let doc = format!("/// The functions of the interface `{}`.\n", plan.of.name);
    layout::mark_too_wide(format!("{doc}{skip}{list}\n"))
}
