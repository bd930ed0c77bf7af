//! Entries: one for each change of state that somebody may one day have to prove.
//!
//! An entry names people and devices by ids without meaning. What was seen stays outside, in the
//! sealed report whose digest the entry holds, so that it can be erased without breaking a proof.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stead_model::Millis;

use crate::{Hash, tree};

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When the server wrote it.
    pub at: Millis,
    /// Who or what caused it: `check-in`, `deadline`, `operator`, `enrolment`.
    pub by: String,
    /// What changed, by kind; the kind fixes which keys it has.
    pub data: Value,
    /// What happened: `device.enrolled`, `finding.changed`, `standing.changed`, ….
    pub kind: String,
    /// Whom it is about: `device:<id>`, `server`.
    pub subject: String,
}

impl Entry {
    /// The bytes that are hashed: JSON with sorted keys and no white space.
    ///
    /// # Errors
    /// When the data cannot be written as JSON.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        // Whether objects keep their keys sorted by themselves depends on features that any library in the
        // same program may turn on.
        let mut sorted = self.clone();
        sorted.data.sort_all_objects();
        serde_json::to_string(&sorted)
    }

    /// The hash of an entry's text.
    pub fn leaf(text: &str) -> Hash {
        tree::leaf_hash(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_is_canonical() {
        let entry = Entry {
            at: Millis(5),
            by: "check-in".to_owned(),
            data: json!({ "to": "pass", "from": "fail" }),
            kind: "finding.changed".to_owned(),
            subject: "device:1".to_owned(),
        };
        assert_eq!(
            entry.to_text().unwrap(),
            r#"{"at":5,"by":"check-in","data":{"from":"fail","to":"pass"},"kind":"finding.changed","subject":"device:1"}"#
        );
    }
}
