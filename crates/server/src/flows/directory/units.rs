//! The tree of units.

use std::collections::HashMap;

use serde_json::json;
use stead_model::{UnitId, problem::Kind, text};
use stead_store::{Write, unit::Unit};

use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{
        entry,
        policy::{self, terms},
    },
};

/// How deep the tree may be.
pub(super) const DEEPEST: usize = 12;

/// Adds a unit below another.
///
/// # Errors
/// [`Refusal`] when the name is empty or taken there, the unit above is not there, or the store is away.
pub async fn add(app: &App, name: &str, parent: UnitId, by: &str) -> Result<UnitId, Refusal> {
    let mut write = app.store.write().await?;
    let id = add_within(app, &mut write, name, parent, by).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(id)
}

/// [`add`] within a transaction.
pub(super) async fn add_within(
    app: &App,
    write: &mut Write,
    name: &str,
    parent: UnitId,
    by: &str,
) -> Result<UnitId, Refusal> {
    let now = app.now();
    let name = name_of(name)?;
    let units = write.units().await?;
    if depth(&units, parent).is_none_or(|depth| depth >= DEEPEST) {
        return Err(Refusal::form(FieldError::new("parent", "unit-unknown")));
    }
    if taken(&units, &name, Some(parent), None) {
        return Err(Refusal::form(FieldError::new("name", "unit-taken")));
    }
    let id = UnitId::from_parts(now, app.random()?);
    write.add_unit(id, &name, parent, now).await?;
    write.append(&entry(now, by, "unit.added", format!("unit:{id}"), json!({ "parent": parent })))?;
    Ok(id)
}

/// Renames a unit, and hangs it below another.
///
/// # Errors
/// [`Refusal`] when nothing would change, the name is empty or taken, a unit would hang below itself, or
/// the store is away.
pub async fn change(
    app: &App,
    id: UnitId,
    name: &str,
    parent: Option<UnitId>,
    by: &str,
) -> Result<(), Refusal> {
    let now = app.now();
    let name = name_of(name)?;
    let mut write = app.store.write().await?;
    let mut units = write.units().await?;
    let Some(place) = units.iter().position(|unit| unit.id == id) else {
        return Err(Refusal::new(Kind::NotFound, "There is no such unit."));
    };
    let parent = if id == UnitId::ORGANISATION { None } else { parent.or(units[place].parent) };
    if units[place].name == name && units[place].parent == parent {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    if taken(&units, &name, parent, Some(id)) {
        return Err(Refusal::form(FieldError::new("name", "unit-taken")));
    }
    // Steps of rolling rules out name units: one that is named keeps its name until a version names it no more.
    if units[place].name != name && policy::names_unit(app, &units[place].name).await? {
        return Err(Refusal::form(FieldError::new("name", "unit-named")));
    }
    let moved = units[place].parent != parent;
    units[place].parent = parent;
    let above =
        all_above(&units).ok_or_else(|| Refusal::form(FieldError::new("parent", "unit-in-itself")))?;
    write.change_unit(id, &name, parent, above).await?;
    let data = if moved { json!({ "parent": parent }) } else { json!({ "fields": ["name"] }) };
    write.append(&entry(now, by, "unit.changed", format!("unit:{id}"), data))?;
    terms::moved(app, &mut write, None).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

pub(super) fn name_of(name: &str) -> Result<String, Refusal> {
    let name = text::plain(name.trim(), 80);
    if name.is_empty() || name.contains('/') {
        return Err(Refusal::form(FieldError::new("name", "unit-name-wrong")));
    }
    Ok(name)
}

fn taken(units: &[Unit], name: &str, parent: Option<UnitId>, but: Option<UnitId>) -> bool {
    let same = |unit: &&Unit| unit.parent == parent && unit.name.to_lowercase() == name.to_lowercase();
    units.iter().filter(same).any(|unit| Some(unit.id) != but)
}

/// How many units are above this one and it; none when it is not there or hangs below itself.
pub(super) fn depth(units: &[Unit], id: UnitId) -> Option<usize> {
    path(units, id).map(|path| path.len())
}

/// A unit and all above it, nearest first; none when it is not there or the way up never ends.
pub fn path(units: &[Unit], id: UnitId) -> Option<Vec<&Unit>> {
    let by_id: HashMap<UnitId, &Unit> = units.iter().map(|unit| (unit.id, unit)).collect();
    let mut path = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next {
        let unit = by_id.get(&id)?;
        path.push(*unit);
        if path.len() > DEEPEST + 1 {
            return None;
        }
        next = unit.parent;
    }
    Some(path)
}

/// Every unit with itself and all above it, and how far that is.
fn all_above(units: &[Unit]) -> Option<Vec<(UnitId, UnitId, i64)>> {
    let mut all = Vec::new();
    for unit in units {
        for (distance, above) in path(units, unit.id)?.into_iter().enumerate() {
            all.push((unit.id, above.id, i64::try_from(distance).unwrap_or(i64::MAX)));
        }
    }
    Some(all)
}
