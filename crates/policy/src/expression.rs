//! Expressions of rules. The only file that runs the CEL library.
//!
//! An expression sees facts as dotted names (`device.volumes`), parameters of the pack
//! (`param.lock_seconds`), the time (`now`) and a few functions. A fact that is not known is simply
//! not bound: every operator that needs it becomes an error, which `&&`, `||`, `all` and `exists`
//! absorb when the other side decides. So not knowing stays not knowing (Kleene's logic), and
//! [`Bindings::evaluate`] says which facts stood in the way.

use std::{cell::Cell, collections::BTreeSet, sync::Arc};

use cel::{Context, Env, ExecutionError, FunctionContext, Program, Value as Cel};
use stead_model::{
    Facts, Millis, Scalar, Value,
    fact::{FactState, Field, Record},
    time::DAY,
};

use crate::{
    expression_check::{self, CheckError, Checked, MAX_LOOPS, Type},
    os_support::OsSupport,
    pack::Parameters,
};

/// The longest expression taken, in bytes. Compiling is recursive; longer ones could exhaust a stack.
pub const MAX_LENGTH: usize = 1024;

/// Most steps that all loops of a pack take for one subject: a tenth of a second's work or so. What goes beyond is not
/// known.
pub const MAX_STEPS: u64 = 200_000;

/// A compiled and checked expression.
#[derive(Debug)]
pub struct Expression {
    source: String,
    program: Program,
    facts: BTreeSet<String>,
    depends_on_time: bool,
    loops: [u64; MAX_LOOPS],
}

/// Why an expression was refused, with the range of bytes in its source.
#[derive(Debug)]
pub struct Refused {
    /// Where.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Refused {
    fn whole(source: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span: 0..source.len(), message: message.into(), help: help.into() }
    }
}

/// What an expression gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// A value.
    Value(Cel),
    /// Facts that are not known stood in the way: why not.
    Unknown(String),
    /// Facts that do not apply stood in the way, and nothing that is merely not known: why.
    NotApplicable(String),
}

/// What an expression must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Yes or no.
    Verdict,
    /// Words, or a list of words.
    Words,
}

impl Expression {
    /// Compiles and checks an expression against the published facts and the pack's parameters.
    ///
    /// # Errors
    /// [`Refused`] with what is wrong and what to do.
    pub fn compile(source: &str, parameters: &Parameters, wanted: Wanted) -> Result<Self, Refused> {
        if source.len() > MAX_LENGTH {
            return Err(Refused::whole(
                source,
                format!("the expression has {} bytes; {MAX_LENGTH} are allowed", source.len()),
                "split the rule in two, or move part of it to `when`",
            ));
        }
        let program = Program::compile(source).map_err(|errors| parse_error(source, &errors))?;
        let Checked { kind, facts, depends_on_time, loops } =
            expression_check::check(program.expression(), parameters)
                .map_err(|error| check_error(source, &program, error))?;
        let fits = match wanted {
            Wanted::Verdict => kind == Type::Bool,
            Wanted::Words => kind == Type::Text || kind == Type::List(Box::new(Type::Text)),
        };
        if !fits {
            let (wanted, help) = match wanted {
                Wanted::Verdict => ("yes or no", "compare it with something, as in `… == true`"),
                Wanted::Words => (
                    "text or a list of texts",
                    "turn numbers into words with `string(…)`, times with `date(…)`",
                ),
            };
            return Err(Refused::whole(source, format!("this gives {kind}, and {wanted} is wanted"), help));
        }
        Ok(Self { source: source.to_owned(), program, facts, depends_on_time, loops })
    }

    /// The source text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names of the facts it asks for.
    pub fn facts(&self) -> &BTreeSet<String> {
        &self.facts
    }

    /// The most steps that its loops take with these facts.
    fn steps(&self, facts: &Facts) -> u64 {
        let lists = self.facts.iter().map(|name| match facts.get(name).map(|fact| &fact.state) {
            Some(FactState::Known(Value::List(records))) => records.len(),
            _ => 0,
        });
        // A list that is written down in the expression is no longer than that.
        let longest = lists.sum::<usize>() + self.source.matches(',').count() + 1;
        let longest = u64::try_from(longest).unwrap_or(u64::MAX);
        let of = |(depth, loops): (usize, &u64)| {
            let rounds = longest.saturating_pow(u32::try_from(depth + 1).unwrap_or(u32::MAX));
            rounds.saturating_mul(*loops)
        };
        self.loops.iter().enumerate().map(of).fold(0, u64::saturating_add)
    }

    /// Whether its value can change while the facts stay the same.
    pub fn depends_on_time(&self) -> bool {
        self.depends_on_time
    }
}

fn parse_error(source: &str, errors: &cel::ParseErrors) -> Refused {
    let Some(first) = errors.errors.first() else {
        return Refused::whole(source, "this is not an expression", "write a CEL expression");
    };
    let line = usize::try_from(first.pos.0.max(1)).unwrap_or(1);
    // Characters, counted from one.
    let column = usize::try_from(first.pos.1.max(1)).unwrap_or(1) - 1;
    let before: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let start = source[before..].char_indices().nth(column).map_or(source.len(), |(at, _)| before + at);
    let length = source[start..].chars().next().map_or(0, char::len_utf8);
    // The parser's own word for it, which has no kind of its own.
    let deep = first.msg.contains("Recursion limit");
    Refused {
        span: start..start + length,
        message: if deep {
            "the expression is nested too deeply".to_owned()
        } else {
            format!("this is not an expression: {}", first.msg.lines().next().unwrap_or_default())
        },
        help: if deep {
            "split the rule in two".to_owned()
        } else {
            "check brackets, quotes and operators; expressions are written in CEL (https://cel.dev)"
                .to_owned()
        },
    }
}

fn check_error(source: &str, program: &Program, error: CheckError) -> Refused {
    let span = program
        .source_info()
        .offset_for(error.node)
        .map_or(0..source.len(), |(start, stop)| start as usize..(stop as usize + 1).min(source.len()));
    Refused { span: named(source, span), message: error.message, help: error.help }
}

/// The parser says where a path has a dot, or a call its bracket. Whoever wrote it is shown the name.
fn named(source: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let (Some(before), Some(shown)) = (source.get(..span.start), source.get(span.clone())) else {
        return span;
    };
    let start = before.trim_end_matches(of_name).len();
    match shown {
        "(" if start < span.start => start..span.start,
        "." => start..source.len() - source[span.end..].trim_start_matches(of_name).len(),
        _ => span,
    }
}

/// Facts, parameters and time, bound once for all expressions of a pack on one subject.
pub struct Bindings<'a> {
    context: Context<'static, 'static>,
    facts: &'a Facts,
    /// Steps that loops may still take.
    left: Cell<u64>,
}

impl<'a> Bindings<'a> {
    /// Binds the facts named in `names`, and nothing else.
    pub fn new<'n>(
        env: &Arc<Env>,
        facts: &'a Facts,
        names: impl IntoIterator<Item = &'n String>,
        parameters: &Parameters,
        os_support: &Arc<OsSupport>,
        now: Millis,
    ) -> Self {
        let mut context = Context::with_env(Arc::clone(env));
        for name in names {
            if let Some(FactState::Known(value)) = facts.get(name).map(|fact| &fact.state) {
                context.add_variable_from_value(name.as_str(), to_cel(value));
            }
        }
        for (name, parameter) in parameters {
            context.add_variable_from_value(format!("param.{name}"), scalar(&parameter.value));
        }
        context.add_variable_from_value("now", now.0);
        declare(&mut context, "age_days", move |time: i64| now.0.saturating_sub(time).div_euclid(DAY));
        declare(&mut context, "date", |time: i64| Arc::new(Millis(time).date()));
        let table = Arc::clone(os_support);
        declare(
            &mut context,
            "os_support_ends",
            move |ftx: &FunctionContext, system: Arc<String>, release: Arc<String>| {
                table.ends(&system, &release).map(|ends| ends.0).ok_or_else(|| {
                    ftx.error(format!("the table of supported systems does not list {system} {release}"))
                })
            },
        );
        Self { context, facts, left: Cell::new(MAX_STEPS) }
    }

    /// Evaluates one expression.
    pub fn evaluate(&self, expression: &Expression) -> Evaluated {
        let Some(left) = self.left.get().checked_sub(expression.steps(self.facts)) else {
            return Evaluated::Unknown("there is too much to go through".to_owned());
        };
        self.left.set(left);
        match expression.program.execute(&self.context) {
            Ok(value) => Evaluated::Value(value),
            Err(error) => self.stood_in_the_way(expression, &error),
        }
    }

    fn stood_in_the_way(&self, expression: &Expression, error: &ExecutionError) -> Evaluated {
        let (mut unknown, mut not_applicable) = (BTreeSet::new(), BTreeSet::new());
        for name in &expression.facts {
            match self.facts.get(name).map(|fact| &fact.state) {
                None => {
                    unknown.insert(format!("nothing was reported about {name}"));
                }
                Some(FactState::Unknown(why)) => {
                    unknown.insert(why.clone());
                }
                Some(FactState::NotApplicable(why)) => {
                    not_applicable.insert(why.clone());
                }
                Some(FactState::Known(Value::List(records))) => {
                    unknown.extend(records.iter().flat_map(unknown_fields));
                }
                Some(FactState::Known(Value::One(_))) => {}
            }
        }
        let join = |why: BTreeSet<String>| why.into_iter().collect::<Vec<_>>().join("; ");
        if !unknown.is_empty() {
            return Evaluated::Unknown(join(unknown));
        }
        match error {
            ExecutionError::FunctionError { message, .. } => Evaluated::Unknown(message.clone()),
            _ if !not_applicable.is_empty() => Evaluated::NotApplicable(join(not_applicable)),
            other => Evaluated::Unknown(format!("the rule could not be judged: {other}")),
        }
    }
}

/// Adds a function whose name no library function has; there is nothing to do about a clash.
fn declare<F, T: 'static>(context: &mut Context<'static, 'static>, name: &str, function: F)
where
    F: cel::extractors::IntoFunction<T> + 'static + Send + Sync,
{
    let added = context.add_function(name, function);
    debug_assert!(added.is_ok(), "{name} is a library function");
}

fn unknown_fields(record: &Record) -> impl Iterator<Item = String> + '_ {
    record.values().filter_map(|field| match field {
        Field::Unknown { unknown } => Some(unknown.clone()),
        Field::Known(_) => None,
    })
}

fn to_cel(value: &Value) -> Cel {
    match value {
        Value::One(one) => scalar(one),
        Value::List(records) => Cel::List(Arc::new(records.iter().map(record).collect())),
    }
}

fn scalar(value: &Scalar) -> Cel {
    match value {
        Scalar::Bool(value) => Cel::Bool(*value),
        Scalar::Int(value) => Cel::Int(*value),
        Scalar::Text(value) => Cel::String(Arc::new(value.clone())),
    }
}

fn record(record: &Record) -> Cel {
    let known: std::collections::HashMap<String, Cel> = record
        .iter()
        .filter_map(|(name, field)| match field {
            Field::Known(value) => Some((name.clone(), scalar(value))),
            Field::Unknown { .. } => None,
        })
        .collect();
    Cel::from(known)
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
