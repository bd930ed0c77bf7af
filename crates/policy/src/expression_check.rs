//! Checking an expression before it judges anybody: every fact it names is published, every type
//! fits, and nothing in it can turn not knowing into an answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators},
};
use stead_model::{
    Scalar,
    catalogue::{self, FactType},
};

use crate::pack::Parameters;

/// The deepest nesting taken.
const MAX_DEPTH: usize = 40;

/// The most loops within one another: each multiplies the work.
pub const MAX_LOOPS: usize = 2;

/// The type of a part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Text,
    Time,
    Record(BTreeMap<String, Type>),
    List(Box<Type>),
    /// The element of an empty list: fits any.
    Any,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("yes or no"),
            Self::Int => f.write_str("a number"),
            Self::Text => f.write_str("text"),
            Self::Time => f.write_str("a time"),
            Self::Record(_) => f.write_str("a record"),
            Self::List(of) => write!(f, "a list of {of}"),
            Self::Any => f.write_str("anything"),
        }
    }
}

impl From<&FactType> for Type {
    fn from(kind: &FactType) -> Self {
        match kind {
            FactType::Bool => Self::Bool,
            FactType::Int => Self::Int,
            FactType::Text => Self::Text,
            FactType::Time => Self::Time,
            FactType::List(fields) => {
                let fields = fields.iter().map(|(name, kind)| ((*name).to_owned(), kind.into()));
                Self::List(Box::new(Self::Record(fields.collect())))
            }
        }
    }
}

/// What checking found.
#[derive(Debug)]
pub struct Checked {
    pub kind: Type,
    pub facts: BTreeSet<String>,
    pub depends_on_time: bool,
    /// How many loops there are: within none, within one other.
    pub loops: [u64; MAX_LOOPS],
}

/// What is wrong, at which node of the expression.
#[derive(Debug)]
pub struct CheckError {
    pub node: u64,
    pub message: String,
    pub help: String,
}

/// Checks an expression.
pub fn check(expression: &IdedExpr, parameters: &Parameters) -> Result<Checked, CheckError> {
    let mut checker = Checker {
        parameters,
        scope: Vec::new(),
        facts: BTreeSet::new(),
        depends_on_time: false,
        loops: [0; MAX_LOOPS],
        depth: 0,
    };
    let kind = checker.infer(expression)?;
    Ok(Checked { kind, facts: checker.facts, depends_on_time: checker.depends_on_time, loops: checker.loops })
}

struct Checker<'a> {
    parameters: &'a Parameters,
    scope: Vec<(String, Type)>,
    facts: BTreeSet<String>,
    depends_on_time: bool,
    loops: [u64; MAX_LOOPS],
    depth: usize,
}

fn error<T>(node: u64, message: impl Into<String>, help: impl Into<String>) -> Result<T, CheckError> {
    Err(CheckError { node, message: message.into(), help: help.into() })
}

fn join(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Any, other) | (other, Type::Any) => Some(other.clone()),
        (Type::List(a), Type::List(b)) => Some(Type::List(Box::new(join(a, b)?))),
        _ => (a == b).then(|| a.clone()),
    }
}

impl Checker<'_> {
    fn infer(&mut self, expression: &IdedExpr) -> Result<Type, CheckError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return error(expression.id, "the expression is nested too deeply", "split the rule in two");
        }
        let kind = self.infer_inner(expression);
        self.depth -= 1;
        kind
    }

    fn infer_inner(&mut self, expression: &IdedExpr) -> Result<Type, CheckError> {
        let id = expression.id;
        match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => Ok(Type::Bool),
            Expr::Literal(LiteralValue::Int(_)) => Ok(Type::Int),
            Expr::Literal(LiteralValue::String(_)) => Ok(Type::Text),
            Expr::Literal(_) => {
                error(id, "rules know yes and no, whole numbers, text and lists", "write one of these")
            }
            Expr::Ident(name) => self.name(id, name),
            Expr::Select(select) if select.test => error(
                id,
                "`has()` would turn not knowing into an answer",
                "ask for the fact itself: a fact that is not known makes the rule unknown",
            ),
            Expr::Select(select) => match dotted(expression) {
                Some(name) if !self.is_local(&name) => self.name(id, &name),
                _ => self.field(id, &select.operand, &select.field),
            },
            Expr::List(list) => {
                let mut of = Type::Any;
                for element in &list.elements {
                    let kind = self.infer(element)?;
                    of = match join(&of, &kind) {
                        Some(of) => of,
                        None => {
                            return error(
                                element.id,
                                format!("{kind} stands in a list of {of}"),
                                "keep to one type",
                            );
                        }
                    };
                }
                Ok(Type::List(Box::new(of)))
            }
            Expr::Call(call) => self.call(id, call),
            Expr::Comprehension(comprehension) => self.comprehension(id, comprehension),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                error(id, "rules cannot make records", "ask for the facts themselves")
            }
        }
    }

    fn is_local(&self, dotted: &str) -> bool {
        let root = dotted.split('.').next().unwrap_or_default();
        self.scope.iter().any(|(name, _)| name == root)
    }

    fn name(&mut self, id: u64, name: &str) -> Result<Type, CheckError> {
        if let Some((_, kind)) = self.scope.iter().rev().find(|(local, _)| local == name) {
            return Ok(kind.clone());
        }
        if name == "now" {
            self.depends_on_time = true;
            return Ok(Type::Time);
        }
        if let Some(parameter) = name.strip_prefix("param.") {
            return match self.parameters.get(parameter).map(|parameter| &parameter.value) {
                Some(Scalar::Bool(_)) => Ok(Type::Bool),
                Some(Scalar::Int(_)) => Ok(Type::Int),
                Some(Scalar::Text(_)) => Ok(Type::Text),
                None => error(
                    id,
                    format!("the pack has no parameter `{parameter}`"),
                    "add it to pack.toml under [parameters]",
                ),
            };
        }
        if let Some(spec) = catalogue::find(name) {
            self.facts.insert(name.to_owned());
            return Ok(Type::from(&spec.kind));
        }
        let help = catalogue::nearest(name).map_or_else(
            || "`stead-server pack facts` lists every fact there is".to_owned(),
            |near| format!("did you mean `{near}`? `stead-server pack facts` lists every fact there is"),
        );
        error(id, format!("there is no fact `{name}`"), help)
    }

    fn field(&mut self, id: u64, operand: &IdedExpr, field: &str) -> Result<Type, CheckError> {
        match self.infer(operand)? {
            Type::Record(fields) => match fields.get(field) {
                Some(kind) => Ok(kind.clone()),
                None => {
                    let names: Vec<_> = fields.keys().map(|name| format!("`{name}`")).collect();
                    error(
                        id,
                        format!("there is no field `{field}`"),
                        format!("its fields are {}", names.join(", ")),
                    )
                }
            },
            other => error(id, format!("{other} has no fields"), "ask for the fact itself"),
        }
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Result<Type, CheckError> {
        let name = call.func_name.as_str();
        let mut kinds = Vec::new();
        for argument in call.target.as_deref().into_iter().chain(&call.args) {
            kinds.push(self.infer(argument)?);
        }
        let kind = match (name, kinds.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [Type::Bool, Type::Bool])
            | (operators::LOGICAL_NOT, [Type::Bool])
            | (operators::NOT_STRICTLY_FALSE, [Type::Bool]) => Some(Type::Bool),
            (operators::EQUALS | operators::NOT_EQUALS, [a, b]) if comparable(a, b) => Some(Type::Bool),
            (
                operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
                [Type::Int, Type::Int] | [Type::Time, Type::Time],
            ) => Some(Type::Bool),
            (operators::ADD, [Type::List(a), Type::List(b)]) => join(a, b).map(|of| Type::List(Box::new(of))),
            (operators::ADD, [Type::Text, Type::Text]) => Some(Type::Text),
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY, [Type::Int, Type::Int])
            | (operators::NEGATE, [Type::Int]) => Some(Type::Int),
            (operators::CONDITIONAL, [Type::Bool, a, b]) => join(a, b),
            (operators::IN, [a, Type::List(b)]) if comparable(a, b) => Some(Type::Bool),
            ("size", [Type::Text | Type::List(_)]) => Some(Type::Int),
            ("string", [Type::Int | Type::Text | Type::Bool]) => Some(Type::Text),
            ("startsWith" | "endsWith" | "contains", [Type::Text, Type::Text]) => Some(Type::Bool),
            ("age_days", [Type::Time]) => {
                self.depends_on_time = true;
                Some(Type::Int)
            }
            ("date", [Type::Time]) => Some(Type::Text),
            ("os_support_ends", [Type::Text, Type::Text]) => Some(Type::Time),
            _ => None,
        };
        match kind {
            Some(kind) => Ok(kind),
            None => {
                let kinds: Vec<_> = kinds.iter().map(ToString::to_string).collect();
                error(
                    id,
                    format!("`{}` cannot be used on {}", spoken(name), kinds.join(" and ")),
                    "compare like with like; `age_days(…)`, `date(…)`, `string(…)` and `size(…)` turn one into another",
                )
            }
        }
    }

    fn comprehension(&mut self, id: u64, loop_: &ComprehensionExpr) -> Result<Type, CheckError> {
        let of = match self.infer(&loop_.iter_range)? {
            Type::List(of) => *of,
            other => {
                return error(
                    loop_.iter_range.id,
                    format!("{other} is no list"),
                    "only a list can be gone through",
                );
            }
        };
        if loop_.iter_var2.is_some() {
            return error(id, "only one name is taken for the elements", "write `list.all(v, …)`");
        }
        if self.scope.len() / 2 >= MAX_LOOPS {
            return error(id, "the loops are nested too deeply", "split the rule in two");
        }
        self.loops[self.scope.len() / 2] += 1;
        let start = self.infer(&loop_.accu_init)?;
        let outside = self.scope.len();
        self.scope.push((loop_.iter_var.clone(), of));
        self.scope.push((loop_.accu_var.clone(), start));
        // The first step may tell what an empty list holds; the second must agree with it.
        let loops = self.loops;
        for _ in 0..2 {
            // Looked at twice, it is there once.
            self.loops = loops;
            let step = self.infer(&loop_.loop_step)?;
            if let Some((_, accumulated)) = self.scope.last_mut() {
                match join(accumulated, &step) {
                    Some(kind) => *accumulated = kind,
                    None => {
                        return error(
                            id,
                            "this cannot be gone through",
                            "use `all`, `exists`, `filter` or `map`",
                        );
                    }
                }
            }
        }
        self.infer(&loop_.loop_cond)?;
        let result = self.infer(&loop_.result);
        self.scope.truncate(outside);
        result
    }
}

/// Only single values are compared: comparing records would pass over their unknown fields.
fn comparable(a: &Type, b: &Type) -> bool {
    a == b && matches!(a, Type::Bool | Type::Int | Type::Text | Type::Time)
}

fn dotted(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            Some(format!("{}.{}", dotted(&select.operand)?, select.field))
        }
        _ => None,
    }
}

fn spoken(function: &str) -> &str {
    match function {
        operators::CONDITIONAL => "? :",
        operators::IN => "in",
        other => other.trim_matches('_'),
    }
}
