//! Values in words: what was seen, as a person reads it.

use cel::Value as Cel;
use stead_model::{
    Fact, Millis, Scalar, Value,
    catalogue::{self, FactType},
    fact::{FactState, Field},
};

/// The longest observed value that is kept, in characters.
const MAX: usize = 300;

/// A value that a `shows` expression gave: text, or a list of texts.
pub fn shown(value: &Cel) -> Option<String> {
    match value {
        Cel::String(text) => Some(cut(text)),
        Cel::List(items) => {
            let items: Option<Vec<_>> = items
                .iter()
                .map(|item| match item {
                    Cel::String(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            Some(cut(&items?.join("; ")))
        }
        _ => None,
    }
}

/// A fact in words, for where no `shows` expression says it better.
pub fn fact(name: &str, fact: &Fact) -> String {
    let label = name.strip_prefix("device.").unwrap_or(name).replace(['.', '_'], " ");
    let kind = catalogue::find(name).map(|spec| &spec.kind);
    match &fact.state {
        FactState::Known(Value::One(one)) => format!("{label}: {}", scalar(one, kind)),
        FactState::Known(Value::List(list)) if list.is_empty() => format!("{label}: none"),
        FactState::Known(Value::List(list)) => {
            let items: Vec<String> = list
                .iter()
                .map(|record| {
                    let fields: Vec<String> = record
                        .iter()
                        .map(|(name, field)| match field {
                            Field::Known(value) => format!("{name} {}", scalar(value, None)),
                            Field::Unknown { .. } => format!("{name} not known"),
                        })
                        .collect();
                    fields.join(", ")
                })
                .collect();
            format!("{label}: {}", items.join("; "))
        }
        FactState::Unknown(why) => format!("{label}: not known, {why}"),
        FactState::NotApplicable(why) => format!("{label}: {why}"),
    }
}

/// Cuts words to what is kept.
pub fn cut(text: &str) -> String {
    stead_model::text::plain(text, MAX)
}

fn scalar(value: &Scalar, kind: Option<&FactType>) -> String {
    match value {
        Scalar::Bool(true) => "yes".to_owned(),
        Scalar::Bool(false) => "no".to_owned(),
        Scalar::Int(time) if kind == Some(&FactType::Time) => Millis(*time).date(),
        Scalar::Int(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}
