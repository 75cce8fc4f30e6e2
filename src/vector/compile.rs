//! From a program and what is wanted of it to a plan: what is needed, in which order, and in which registers.

use super::clock::Clock;
use super::compare::{ConstantTest, TestGroup};
use super::logic::Script;
use super::plan::{
    Action, BatchInput, CHUNK_ROWS, Declared, Input, NOWHERE, Plan, Prepared, Step, Wanted, Work,
};
use super::settle::tests_of_inputs;
use super::text::Predicate;
use crate::program::{DeclarationKind, Expr, Node, NodeId, Scope, Table, Type, Value};
use crate::semantics::Dated;
use regex::Regex;

impl Plan {
    /// The plan of the wanted declarations. Indices of no declaration are passed over.
    pub fn new(dated: &Dated, wanted: &Wanted) -> Self {
        let compiler = Compiler::new(dated, Scope::User);
        let declared = wanted.declarations.iter().filter_map(|index| compiler.pending(*index));
        let mut pending: Vec<Pending> = declared.collect();
        let outputs = pending.len();
        pending.extend(wanted.conditions.iter().map(|id| Pending::of_node(usize::MAX, *id)));
        compiler.compile(pending, outputs)
    }

    /// The plan of these nodes, for rows of users or of an event table; see [`Plan::nodes`].
    pub fn of_nodes(dated: &Dated, scope: Scope, nodes: &[NodeId]) -> Self {
        let pending = nodes.iter().enumerate().map(|(place, node)| Pending::of_node(place, *node));
        Compiler::new(dated, scope).compile(pending.collect(), nodes.len())
    }
}

/// What a node needs to have computed before it.
enum Needs {
    /// It is tested with the other tests of that node.
    Group(NodeId, ConstantTest),
    Operands(Vec<NodeId>),
}

/// A plan in the making.
struct Compiler<'a> {
    dated: &'a Dated,
    /// What a row is.
    scope: Scope,
    /// By node, what it speaks of.
    scopes: Vec<Scope>,
    /// By node: what it needs, where it is alive.
    needs: Vec<Option<Needs>>,
    /// By node: the living tests of its values.
    tests: Vec<Vec<NodeId>>,
    /// By node: how many uses are still to come.
    uses: Vec<usize>,
    /// By node: whether somebody does more with its values than to test them.
    whole: Vec<bool>,
    /// By node: its register.
    registers: Vec<usize>,
    free: Vec<usize>,
    count: usize,
    inputs: Vec<BatchInput>,
    actions: Vec<Action>,
}

/// A wanted declaration or node before registers are known.
struct Pending {
    declaration: usize,
    value: NodeId,
    claims: Option<Vec<Vec<NodeId>>>,
    of_node: bool,
    line: Option<NodeId>,
}

impl Pending {
    /// A node that is wanted by itself.
    fn of_node(declaration: usize, value: NodeId) -> Self {
        Pending { declaration, value, claims: None, line: None, of_node: true }
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let claims = self.claims.iter().flatten().flatten();
        std::iter::once(self.value).chain(claims.copied()).chain(self.line)
    }
}

impl<'a> Compiler<'a> {
    fn new(dated: &'a Dated, scope: Scope) -> Self {
        let nodes = dated.program.nodes.len();
        Compiler {
            dated,
            scope,
            scopes: dated.program.scopes(),
            needs: (0..nodes).map(|_| None).collect(),
            tests: vec![Vec::new(); nodes],
            uses: vec![0; nodes],
            whole: vec![false; nodes],
            registers: vec![NOWHERE; nodes],
            free: Vec::new(),
            count: 0,
            inputs: Vec::new(),
            actions: Vec::new(),
        }
    }

    fn compile(mut self, pending: Vec<Pending>, outputs: usize) -> Plan {
        // Backwards, so that whoever needs a node has said so before the node is reached.
        for node in pending.iter().flat_map(Pending::nodes) {
            self.want(node);
            self.want_whole(node);
        }
        for index in (0..self.dated.program.nodes.len()).rev() {
            self.require(index);
        }
        // A declaration is kept as soon as the last node that it shows is there.
        let mut keep: Vec<Vec<usize>> = vec![Vec::new(); self.dated.program.nodes.len()];
        for (place, pending) in pending.iter().enumerate() {
            let last = pending.nodes().map(|node| self.ready(node)).max().unwrap_or(0);
            if let Some(keep) = keep.get_mut(last) {
                keep.push(place);
            }
        }
        let mut declared: Vec<Option<Declared>> = pending.iter().map(|_| None).collect();
        for (index, keep) in keep.into_iter().enumerate() {
            self.emit(index);
            for place in keep {
                if let (Some(pending), Some(declared)) = (pending.get(place), declared.get_mut(place)) {
                    *declared = Some(self.keep(place, pending));
                }
            }
        }
        self.finish(declared.into_iter().flatten().collect(), outputs)
    }

    fn finish(self, wanted: Vec<Declared>, outputs: usize) -> Plan {
        let program = &self.dated.program;
        let (mut columns, mut given) = (Vec::new(), Vec::new());
        for input in &self.inputs {
            match &input.input {
                Input::Column(column, _) => columns.push(*column),
                Input::Node(node) => given.push(*node),
            }
        }
        columns.sort_unstable();
        given.sort_unstable();
        let zone = program.zone();
        Plan {
            now: self.dated.now,
            clock: Clock::new(&zone),
            zone,
            chunk_rows: CHUNK_ROWS,
            columns,
            given,
            script: Script::new(&self.actions, &wanted, self.count),
            tests_of_inputs: tests_of_inputs(&self.actions, self.inputs.len()),
            inputs: self.inputs,
            actions: self.actions,
            registers: self.count,
            wanted,
            outputs,
        }
    }

    fn pending(&self, index: usize) -> Option<Pending> {
        let declaration = self.dated.program.declarations.get(index)?;
        let claims = match &declaration.kind {
            DeclarationKind::Layer(layer) if !layer.first_match => {
                let mut claims = vec![Vec::new(); layer.members.len()];
                for line in &layer.lines {
                    if let (Some(condition), Some(claims)) =
                        (line.condition, claims.get_mut(line.member as usize))
                    {
                        claims.push(condition);
                    }
                }
                Some(claims)
            }
            _ => None,
        };
        let line = match &declaration.kind {
            DeclarationKind::Play(play) => Some(play.line),
            _ => None,
        };
        Some(Pending { declaration: index, value: declaration.value, claims, line, of_node: false })
    }

    /// What comes with the batch for that node, where it is not computed.
    fn input(&self, index: usize) -> Option<Input> {
        let program = &self.dated.program;
        let node = program.nodes.get(index)?;
        let name = |table: Option<&Table>, column: usize| {
            let column = table.and_then(|table| table.columns.get(column).map(|found| (column, found)));
            column.map(|(column, found)| Input::Column(column, found.name.clone()))
        };
        let another = self.scope != Scope::User && self.scopes.get(index) == Some(&Scope::User);
        match &node.expr {
            Expr::Constant(_) => None,
            Expr::EventColumn { table, column } if self.scope == Scope::Event(*table) => {
                name(program.events.get(*table).map(|events| &events.table), *column)
            }
            Expr::Column(column) if !another => name(program.users.as_ref(), *column),
            expr if another || expr.closes_scope() => {
                u32::try_from(index).ok().map(|id| Input::Node(NodeId(id)))
            }
            _ => None,
        }
    }

    fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.dated.program.nodes.get(id.0 as usize)
    }

    /// Notes one use of a node.
    fn want(&mut self, id: NodeId) {
        if let Some(uses) = self.uses.get_mut(id.0 as usize) {
            *uses += 1;
        }
    }

    /// Notes that a node's values are wanted themselves.
    fn want_whole(&mut self, id: NodeId) {
        if let Some(whole) = self.whole.get_mut(id.0 as usize) {
            *whole = true;
        }
    }

    /// Works out what a living node needs and notes the uses.
    fn require(&mut self, index: usize) {
        if self.uses.get(index).is_none_or(|uses| *uses == 0) {
            return;
        }
        let Some(node) = self.dated.program.nodes.get(index) else { return };
        // Operands stand before their users; in a program that breaks this there is nothing to find.
        let before = |id: &NodeId| (id.0 as usize) < index;
        let input = self.input(index);
        let needs = match input {
            Some(_) => Needs::Operands(Vec::new()),
            None => self.needs_of(node),
        };
        match &needs {
            Needs::Group(source, _) => {
                self.want(*source);
                if let (Some(tests), Ok(id)) = (self.tests.get_mut(source.0 as usize), u32::try_from(index)) {
                    tests.push(NodeId(id));
                }
            }
            Needs::Operands(operands) => {
                for operand in operands.iter().filter(|id| before(id)) {
                    self.want(*operand);
                    if !matches!(node.expr, Expr::IsKnown(_)) {
                        self.want_whole(*operand);
                    }
                }
            }
        }
        if let Some(input) = input {
            let tested_only = self.whole.get(index) == Some(&false);
            match self.inputs.iter_mut().find(|known| known.input == input) {
                Some(known) => known.tested_only &= tested_only,
                None => self.inputs.push(BatchInput { input, ty: node.ty.clone(), tested_only }),
            }
        }
        if let Some(place) = self.needs.get_mut(index) {
            *place = Some(needs);
        }
    }

    fn needs_of(&self, node: &Node) -> Needs {
        let constant = |id: NodeId| match self.node(id).map(|node| &node.expr) {
            Some(Expr::Constant(value)) => Some(value.clone()),
            _ => None,
        };
        let ty = |id: NodeId| self.node(id).map_or(Type::Bool, |node| node.ty.clone());
        let group = |source: NodeId, test: ConstantTest| {
            let fits = constant(source).is_none() && test.fits(&ty(source));
            fits.then_some(Needs::Group(source, test))
        };
        let text = |text: NodeId, predicate: Option<Predicate>| group(text, ConstantTest::Text(predicate?));
        let found = match &node.expr {
            Expr::Compare { op, left, right } => constant(*right).and_then(|value| match value {
                Value::Text(value) => text(*left, Some(Predicate::Equal(value))),
                value => group(*left, ConstantTest::Compare(*op, value)),
            }),
            Expr::InSet { value, set } if ty(*value) == Type::Text => text(*value, Predicate::one_of(set)),
            Expr::InSet { value, set } => group(*value, ConstantTest::InSet(set.clone())),
            Expr::TextTest { test, text: searched, pattern } => match constant(*pattern) {
                Some(Value::Text(pattern)) => text(*searched, Some(Predicate::Test(*test, pattern))),
                _ => None,
            },
            Expr::Matches { text: searched, pattern } => {
                text(*searched, Regex::new(pattern).ok().map(Predicate::Matches))
            }
            _ => None,
        };
        found.unwrap_or_else(|| Needs::Operands(node.expr.operands()))
    }

    /// The node after which a node's value is there: itself, or the one that it is a test of.
    fn ready(&self, id: NodeId) -> usize {
        match self.needs.get(id.0 as usize) {
            Some(Some(Needs::Group(source, _))) => source.0 as usize,
            _ => id.0 as usize,
        }
    }

    fn emit(&mut self, index: usize) {
        let Some(needs) = self.needs.get_mut(index).and_then(Option::take) else { return };
        let Some(node) = self.dated.program.nodes.get(index) else { return };
        let (used, prepared) = match needs {
            // Was emitted with its group.
            Needs::Group(..) => return,
            Needs::Operands(operands) => {
                let input = self.input(index);
                let input = input.and_then(|input| self.inputs.iter().position(|known| known.input == input));
                (operands, input.map_or(Prepared::Nothing, Prepared::Input))
            }
        };
        let expr =
            node.expr.clone().map_operands(|id| NodeId(u32::try_from(self.register(id)).unwrap_or(u32::MAX)));
        let operands = node.expr.operands().into_iter().map(|id| self.register(id)).collect();
        let register = self.take(index);
        let node = Node { expr, ..node.clone() };
        let memo = self.actions.len();
        let free = self.release(&used, index);
        let step = Step { node, operands, register, prepared, memo };
        self.actions.push(Action { work: Work::Node(step), free });
        self.emit_tests(index);
    }

    /// Emits the tests of a node's values right behind it, while the values are in cache.
    fn emit_tests(&mut self, index: usize) {
        let tests = self.tests.get_mut(index).map(std::mem::take).unwrap_or_default();
        let (Some(node), Ok(id), false) =
            (self.dated.program.nodes.get(index), u32::try_from(index), tests.is_empty())
        else {
            return;
        };
        let mut group = Vec::with_capacity(tests.len());
        let mut after = Vec::new();
        for test in &tests {
            let needs = self.needs.get_mut(test.0 as usize).and_then(Option::take);
            if let Some(Needs::Group(_, constant_test)) = needs {
                let register = self.take(test.0 as usize);
                group.push((constant_test, register));
                after.push(*test);
            }
        }
        let memo = self.actions.len();
        let work = Work::Tests(TestGroup::new(self.register(NodeId(id)), memo, &node.ty, group));
        let free = self.release(&vec![NodeId(id); after.len()], index);
        self.actions.push(Action { work, free });
    }

    fn keep(&mut self, place: usize, pending: &Pending) -> Declared {
        // The number of a node that is wanted by itself says nothing about declarations.
        let declaration =
            self.dated.program.declarations.get(pending.declaration).filter(|_| !pending.of_node);
        let segment = match pending.of_node {
            true => self.node(pending.value).is_some_and(|node| node.expr.is_condition()),
            false => declaration.is_some_and(|found| matches!(found.kind, DeclarationKind::Segment)),
        };
        let texts = declaration
            .is_some_and(|found| matches!(found.kind, DeclarationKind::Stack(_) | DeclarationKind::Play(_)));
        let declared = Declared {
            declaration: pending.declaration,
            ty: self.node(pending.value).map_or(Type::Bool, |node| node.ty.clone()),
            segment,
            dictionaries: pending.of_node,
            value: self.register(pending.value),
            claims: pending.claims.as_ref().map(|claims| {
                let registers = |member: &Vec<NodeId>| member.iter().map(|id| self.register(*id)).collect();
                claims.iter().map(registers).collect()
            }),
            texts,
            line: pending.line.map(|id| self.register(id)),
        };
        let used: Vec<NodeId> = pending.nodes().collect();
        let free = self.release(&used, usize::MAX);
        self.actions.push(Action { work: Work::Keep(place), free });
        declared
    }

    fn register(&self, id: NodeId) -> usize {
        self.registers.get(id.0 as usize).copied().unwrap_or(NOWHERE)
    }

    /// A register for a node.
    fn take(&mut self, index: usize) -> usize {
        let register = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        if let Some(place) = self.registers.get_mut(index) {
            *place = register;
        }
        register
    }

    /// Takes note of these uses by a node and frees the registers of which they were the last.
    fn release(&mut self, used: &[NodeId], user: usize) -> Vec<usize> {
        let mut free = Vec::new();
        for id in used.iter().filter(|id| (id.0 as usize) <= user) {
            let (register, Some(uses)) = (self.register(*id), self.uses.get_mut(id.0 as usize)) else {
                continue;
            };
            *uses = uses.saturating_sub(1);
            if *uses == 0 && register != NOWHERE {
                free.push(register);
            }
        }
        self.free.extend(&free);
        free
    }
}
