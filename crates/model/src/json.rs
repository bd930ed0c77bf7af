//! JSON from outside, looked at before it is read into anything.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads nothing, and refuses an object that holds one name twice: of two values readers choose differently (RFC 8259, 4).
struct Once;

/// Whether every object in a JSON text has each of its names once, at any depth.
pub fn is_unambiguous(text: &[u8]) -> bool {
    let mut reader = serde_json::Deserializer::from_slice(text);
    Once.deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

impl<'de> DeserializeSeed<'de> for Once {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Once)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if !seen.insert(name) {
                return Err(A::Error::custom("a name stands there twice"));
            }
            entries.next_value_seed(Once)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_unambiguous;

    #[test]
    fn a_name_that_stands_there_twice_is_found_at_any_depth() {
        for bad in [r#"{"a":1,"a":1}"#, r#"[{"a":{"b":[],"b":null}}]"#, r#"{"a":1,"\u0061":2}"#, "{", "{} {}"]
        {
            assert!(!is_unambiguous(bad.as_bytes()), "{bad}");
        }
        for good in [r#"{"a":1,"b":{"a":2.5}}"#, "[]", "null", r#"[{"a":true},{"a":"x"}]"#] {
            assert!(is_unambiguous(good.as_bytes()), "{good}");
        }
    }
}
