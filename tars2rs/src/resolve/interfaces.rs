//! Interfaces: methods and their parameters.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Interface, Method, ModuleId, Param};
use crate::source::Span;
use crate::syntax::ast::{self, Direction};

impl Resolver<'_> {
    /// All interfaces.
    pub(super) fn interfaces(&mut self) -> Vec<Interface> {
        let declared = self.declared;
        declared
            .interfaces
            .iter()
            .map(|(module, of)| self.interface(*module, of))
            .collect()
    }

    fn interface(&mut self, module: ModuleId, declared: &ast::Interface) -> Interface {
        if declared.name.text == self.declared.module(module).name {
            self.report(
                Diagnostic::new(
                    Code::InterfaceNamedLikeModule,
                    format!(
                        "interface `{}` has the name of its module",
                        declared.name.text
                    ),
                )
                .at(declared.name.span, "")
                .note("tars2cpp refuses this"),
            );
        }
        let mut first: HashMap<&str, Span> = HashMap::new();
        for method in &declared.methods {
            self.check_unique(&mut first, &method.name, Code::DuplicateMethod, "methods");
        }
        Interface {
            module,
            name: declared.name.text.clone(),
            span: declared.name.span,
            doc: declared.doc.clone(),
            methods: declared
                .methods
                .iter()
                .map(|method| self.method(module, method))
                .collect(),
        }
    }

    fn method(&mut self, module: ModuleId, declared: &ast::Method) -> Method {
        let mut first: HashMap<&str, Span> = HashMap::new();
        let mut params = Vec::new();
        for (index, param) in declared.params.iter().enumerate() {
            let name = &param.declarator.name;
            self.check_unique(&mut first, name, Code::DuplicateParameter, "parameters");
            if name.text == declared.name.text {
                self.report(
                    Diagnostic::new(
                        Code::ParameterNamedLikeMethod,
                        format!("parameter `{}` has the name of its method", name.text),
                    )
                    .at(name.span, "")
                    .see(declared.name.span, "the method")
                    .note("tars2cpp refuses this"),
                );
            }
            let ty = self.declared_type(module, &param.declarator);
            let Ok(tag) = u8::try_from(index + 1) else {
                self.report(
                    Diagnostic::new(
                        Code::TooManyParameters,
                        format!(
                            "method `{}` has {} parameters",
                            declared.name.text,
                            declared.params.len()
                        ),
                    )
                    .at(name.span, "one too many")
                    .note("the tags of parameters end at 255")
                    .help("put them into a struct"),
                );
                break;
            };
            params.extend(ty.map(|ty| Param {
                name: name.text.clone(),
                span: name.span,
                tag,
                ty,
                out: param.direction == Direction::Out,
                routekey: param.direction == Direction::RouteKey,
            }));
        }
        let mut keys = params.iter().filter(|param| param.routekey);
        if let (Some(first), Some(second)) = (keys.next(), keys.next()) {
            let name = &declared.name.text;
            self.report(
                Diagnostic::new(
                    Code::SeveralRouteKeys,
                    format!("method `{name}` has more than one `routekey`"),
                )
                .at(second.span, "this one")
                .see(first.span, "besides this one")
                .note("a call goes to one node, which one value chooses"),
            );
        }
        Method {
            name: declared.name.text.clone(),
            span: declared.name.span,
            doc: declared.doc.clone(),
            result: declared.result.as_ref().and_then(|ty| self.ty(module, ty)),
            params,
        }
    }

    fn check_unique<'n>(
        &mut self,
        first: &mut HashMap<&'n str, Span>,
        name: &'n ast::Name,
        code: Code,
        what: &str,
    ) {
        match first.entry(&name.text) {
            Entry::Vacant(entry) => {
                entry.insert(name.span);
            }
            Entry::Occupied(entry) => self.report(
                Diagnostic::new(code, format!("two {what} are called `{}`", name.text))
                    .at(name.span, "used again here")
                    .see(*entry.get(), "first used here"),
            ),
        }
    }
}
