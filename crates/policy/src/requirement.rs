//! The register: what the two source documents ask, line by line, in our own words.

use std::sync::LazyLock;

use serde::Deserialize;

/// One line of a source document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id, the same for ever.
    pub id: String,
    /// The document and place it stands in.
    pub place: String,
    /// What the document asks, in our words.
    pub said: String,
    /// What it comes to, in a few words.
    pub title: String,
    /// What in it no rule judges yet, in words; empty when all of it is judged.
    #[serde(default)]
    pub waits: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    requirement: Vec<Requirement>,
}

static REGISTER: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    toml::from_str::<Register>(include_str!("../requirements.toml"))
        .map(|register| register.requirement)
        .unwrap_or_default()
});

/// Every requirement, in the order of the documents.
pub fn all() -> &'static [Requirement] {
    &REGISTER
}

/// The requirement with this id.
pub fn find(id: &str) -> Option<&'static Requirement> {
    all().iter().find(|requirement| requirement.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_has_its_27_lines() {
        assert_eq!(all().len(), 27);
        assert!(find("RC-10").is_some() && find("OPM-E5").is_some());
    }
}
