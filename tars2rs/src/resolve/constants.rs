//! Computes constants and enumerators, which may be defined by one another in any order.

use super::Resolver;
use super::declare::EnumeratorId;
use super::fit::not_text;
use super::values::{Operand, Target, Wanted, literal};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Const, ConstId, EnumId, ModuleId, Type, Value};
use crate::source::Span;
use crate::syntax::ast::{self, Shape, ValueKind};

/// A value to compute. Each depends on at most one other, so that the values make chains.
type Node = Target;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// In the chain that is being followed.
    Pending,
    Done,
}

/// The state of every node.
struct States {
    consts: Vec<State>,
    enumerators: Vec<Vec<State>>,
}

impl States {
    fn of(&mut self, node: Node) -> &mut State {
        match node {
            Node::Const(id) => &mut self.consts[id.0 as usize],
            Node::Enumerator(id) => &mut self.enumerators[id.of.0 as usize][id.index],
        }
    }
}

impl Resolver<'_> {
    /// Fills in the values, and returns the constants of the model.
    pub(super) fn constants(&mut self) -> Vec<Const> {
        let declared = self.declared;
        let types: Vec<Option<Type>> = declared
            .consts
            .iter()
            .map(|(module, declared)| self.const_type(*module, declared))
            .collect();
        self.values.consts = vec![None; types.len()];
        self.values.enumerators = declared
            .enums
            .iter()
            .map(|(_, of)| vec![None; of.items.len()])
            .collect();
        self.compute_all(&types);
        self.index_enumerators();

        let mut consts = Vec::new();
        for ((module, declared), ty) in declared.consts.iter().zip(types) {
            let value = ty
                .as_ref()
                .and_then(|ty| self.const_value(consts.len(), ty, declared));
            let name = &declared.declarator.name;
            consts.push(Const {
                module: *module,
                name: name.text.clone(),
                span: name.span,
                doc: declared.doc.clone(),
                ty: ty.unwrap_or(Type::Int),
                value: value.unwrap_or(Value::Int(0)),
            });
        }
        consts
    }

    fn const_type(&mut self, module: ModuleId, declared: &ast::Const) -> Option<Type> {
        let declarator = &declared.declarator;
        let sized = declarator.ty.max.is_some() || !matches!(declarator.shape, Shape::Plain);
        // A size might itself be a constant; refusing it here keeps types free of values.
        let ty = if sized {
            None
        } else {
            Some(self.ty(module, &declarator.ty)?)
        };
        match ty {
            Some(
                ty @ (Type::Bool
                | Type::Byte
                | Type::Short
                | Type::Int
                | Type::Long
                | Type::UByte
                | Type::UShort
                | Type::UInt
                | Type::Float
                | Type::Double
                | Type::String { .. }
                | Type::Enum(_)),
            ) => Some(ty),
            _ => {
                let message = format!("constant `{}` cannot have this type", declarator.name.text);
                self.report(
                    Diagnostic::new(Code::InvalidConstType, message)
                        .at(declarator.ty.span, "")
                        .note("a constant is a number, bool, string or enum"),
                );
                None
            }
        }
    }

    fn compute_all(&mut self, types: &[Option<Type>]) {
        let mut states = States {
            consts: vec![State::New; types.len()],
            enumerators: self
                .values
                .enumerators
                .iter()
                .map(|items| vec![State::New; items.len()])
                .collect(),
        };
        for index in 0..types.len() {
            self.compute(Node::Const(ConstId(index as u32)), types, &mut states);
        }
        for of in 0..states.enumerators.len() {
            for index in 0..states.enumerators[of].len() {
                self.compute(
                    Node::Enumerator(EnumeratorId {
                        of: EnumId(of as u32),
                        index,
                    }),
                    types,
                    &mut states,
                );
            }
        }
    }

    /// Follows the chain of a node to a known value or its end, then computes it backwards. No recursion: a chain
    /// may be as long as the IDL.
    fn compute(&mut self, start: Node, types: &[Option<Type>], states: &mut States) {
        let mut chain: Vec<(Node, Source)> = Vec::new();
        let mut next = Some(start);
        while let Some(node) = next {
            match *states.of(node) {
                State::Done => break,
                State::Pending => {
                    self.report_cycle(node, &chain);
                    break;
                }
                State::New => {}
            }
            *states.of(node) = State::Pending;
            let source = self.source(node, types);
            next = match source {
                Source::Node(node) | Source::PlusOne(node) => Some(node),
                Source::Literal | Source::First | Source::Broken => None,
            };
            chain.push((node, source));
        }
        for (node, source) in chain.into_iter().rev() {
            match node {
                Node::Const(id) => {
                    self.values.consts[id.0 as usize] = self.compute_const(id, source, types);
                }
                Node::Enumerator(id) => {
                    self.values.enumerators[id.of.0 as usize][id.index] =
                        self.compute_enumerator(id, source);
                }
            }
            *states.of(node) = State::Done;
        }
    }

    /// Where the value of a node comes from; a name is looked up only here.
    fn source(&mut self, node: Node, types: &[Option<Type>]) -> Source {
        let declared = self.declared;
        let (module, wanted, value) = match node {
            Node::Const(id) => {
                let (module, of) = declared.consts[id.0 as usize];
                let Some(ty) = &types[id.0 as usize] else {
                    return Source::Broken;
                };
                (module, Wanted::by(ty), &of.value)
            }
            Node::Enumerator(id) => {
                let (module, of) = declared.enums[id.of.0 as usize];
                match (&of.items[id.index].value, id.index.checked_sub(1)) {
                    (Some(value), _) => (module, Wanted::Number { own: Some(id.of) }, value),
                    (None, Some(index)) => {
                        return Source::PlusOne(Node::Enumerator(EnumeratorId { index, ..id }));
                    }
                    (None, None) => return Source::First,
                }
            }
        };
        match &value.kind {
            ValueKind::Path(path) => self
                .target(module, wanted, path)
                .map_or(Source::Broken, Source::Node),
            ValueKind::Invalid => Source::Broken,
            _ => Source::Literal,
        }
    }

    fn compute_const(
        &mut self,
        id: ConstId,
        source: Source,
        types: &[Option<Type>],
    ) -> Option<Operand> {
        let declared = self.declared.consts[id.0 as usize].1;
        let (operand, defined) = self.source_operand(source, &declared.value)?;
        match types[id.0 as usize].as_ref()? {
            // Fitted when all enumerators are known.
            Type::Enum(_) => Some(operand),
            ty => match self.fit(ty, &operand, declared.value.span, defined)? {
                Value::Bool(value) => Some(Operand::Bool(value)),
                Value::Int(value) => Some(Operand::Integer(value.into())),
                Value::Float(value) => Some(Operand::Float(value)),
                Value::String(value) => match not_text(&value, declared.value.span) {
                    Some(error) => {
                        self.report(error);
                        None
                    }
                    None => Some(Operand::String(value)),
                },
                Value::Enumerator { of, index } => {
                    Some(Operand::Enumerator(EnumeratorId { of, index }))
                }
            },
        }
    }

    fn compute_enumerator(&mut self, id: EnumeratorId, source: Source) -> Option<i32> {
        let item = &self.declared.enum_decl(id.of).items[id.index];
        match (source, &item.value) {
            (Source::First, _) => Some(0),
            (Source::PlusOne(Node::Enumerator(before)), _) => {
                let value = self.enumerator_value(before)?.checked_add(1);
                if value.is_none() {
                    self.report(
                        Diagnostic::new(
                            Code::OutOfRange,
                            format!("the value of `{}` does not fit in an int", item.name.text),
                        )
                        .at(item.name.span, format!("one more than {}", i32::MAX))
                        .see(self.declared.enumerator_name(before).span, "the one before"),
                    );
                }
                value
            }
            (source, Some(value)) => {
                let (operand, defined) = self.source_operand(source, value)?;
                match self.fit(&Type::Int, &operand, value.span, defined)? {
                    Value::Int(value) => i32::try_from(value).ok(),
                    _ => None,
                }
            }
            (_, None) => None,
        }
    }

    fn source_operand(
        &self,
        source: Source,
        value: &ast::Value,
    ) -> Option<(Operand, Option<Span>)> {
        match source {
            Source::Literal => Some((literal(&value.kind)?, None)),
            Source::Node(node) => {
                let operand = self.target_operand(node)?;
                if let Operand::Enumerator(id) = operand {
                    self.enumerator_value(id)?;
                }
                Some((operand, Some(self.node_span(node))))
            }
            Source::First | Source::PlusOne(_) | Source::Broken => None,
        }
    }

    fn const_value(&mut self, index: usize, ty: &Type, declared: &ast::Const) -> Option<Value> {
        match (self.values.consts.get(index)?.clone()?, ty) {
            (operand, Type::Enum(_)) => self.fit(ty, &operand, declared.value.span, None),
            (Operand::Bool(value), _) => Some(Value::Bool(value)),
            (Operand::Integer(value), _) => i64::try_from(value).ok().map(Value::Int),
            (Operand::Float(value), _) => Some(Value::Float(value)),
            (Operand::String(value), _) => Some(Value::String(value)),
            (Operand::Enumerator(EnumeratorId { of, index }), _) => {
                Some(Value::Enumerator { of, index })
            }
        }
    }

    fn index_enumerators(&mut self) {
        for values in &self.values.enumerators {
            let mut first = std::collections::HashMap::new();
            for (index, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    first.entry(*value).or_insert(index);
                }
            }
            self.values.first_of_value.push(first);
        }
    }

    /// `node` is in the chain already.
    fn report_cycle(&mut self, node: Node, chain: &[(Node, Source)]) {
        const SHOWN: usize = 8;
        let start = chain.iter().position(|(of, _)| *of == node).unwrap_or(0);
        let cycle = &chain[start..];
        let mut names: Vec<_> = cycle
            .iter()
            .take(SHOWN)
            .map(|(node, _)| self.node_name(*node))
            .collect();
        if cycle.len() > SHOWN {
            names.push("..".to_owned());
        }
        names.push(self.node_name(node));
        let mut error = Diagnostic::new(
            Code::CyclicValue,
            format!("`{}` is defined by itself", self.node_name(node)),
        )
        .at(self.node_span(node), "")
        .note(format!("the cycle is {}", names.join(" -> ")));
        for (other, _) in cycle.iter().skip(1).take(SHOWN) {
            error = error.see(self.node_span(*other), "");
        }
        self.report(error);
    }

    fn node_name(&self, node: Node) -> String {
        match node {
            Node::Const(id) => self.declared.consts[id.0 as usize]
                .1
                .declarator
                .name
                .text
                .clone(),
            Node::Enumerator(id) => self.declared.enumerator_name(id).text.clone(),
        }
    }

    fn node_span(&self, node: Node) -> Span {
        match node {
            Node::Const(id) => self.declared.consts[id.0 as usize].1.declarator.name.span,
            Node::Enumerator(id) => self.declared.enumerator_name(id).span,
        }
    }
}

/// Where the value of a node comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It is written there.
    Literal,
    /// It is another one.
    Node(Node),
    /// It is another one plus one.
    PlusOne(Node),
    /// It is the first enumerator, without a value: 0.
    First,
    /// An error was reported.
    Broken,
}
