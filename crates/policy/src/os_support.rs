//! Until when a release of an operating system is supported.
//!
//! A pack carries the table as `data/os-support.csv`, with the columns `system`, `release`,
//! `released`, `support_ends`. An operator updates it by replacing that file; no new version of
//! Stead is needed. `support_ends` is a date, `true` (ended, date unknown) or `false` (supported, no
//! end announced).

use std::collections::HashMap;

use jiff::civil::Date;
use stead_model::Millis;

/// The table, by system and release.
#[derive(Clone, Debug, Default)]
pub struct OsSupport(HashMap<(String, String), Millis>);

/// Stands for "supported, no end announced".
pub const NO_END: Millis = Millis(i64::MAX);

impl OsSupport {
    /// Reads the table; the number of the first line that cannot be read.
    ///
    /// # Errors
    /// The line number, counted from one.
    pub fn parse(csv: &str) -> Result<Self, usize> {
        let mut table = HashMap::new();
        for (number, line) in csv.lines().enumerate().skip(1) {
            let mut cells = line.split(',');
            let (Some(system), Some(release), Some(_), Some(ends)) =
                (cells.next(), cells.next(), cells.next(), cells.next())
            else {
                return Err(number + 1);
            };
            let ends = match ends {
                "true" => Millis(0),
                "false" => NO_END,
                // Support lasts through the day that is named.
                date => date.parse::<Date>().ok().and_then(end_of).ok_or(number + 1)?,
            };
            table.insert((system.to_owned(), release.to_owned()), ends);
        }
        Ok(Self(table))
    }

    /// When support ends, or none when the table does not say.
    pub fn ends(&self, system: &str, release: &str) -> Option<Millis> {
        self.0.get(&(system.to_owned(), release.to_owned())).copied()
    }
}

fn end_of(date: Date) -> Option<Millis> {
    let next = date.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Millis(next.timestamp().as_millisecond() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_a_bad_line_named() {
        let table = OsSupport::parse(
            "system,release,released,support_ends\ndebian,12,2023-06-10,2026-06-10,x\na,1,,true\nb,1,,false",
        )
        .unwrap();
        assert_eq!(table.ends("debian", "12").unwrap().to_string(), "2026-06-10T23:59:59Z");
        assert_eq!(table.ends("a", "1"), Some(Millis(0)));
        assert_eq!(table.ends("b", "1"), Some(NO_END));
        assert_eq!(table.ends("debian", "99"), None);
        assert_eq!(OsSupport::parse("h\ndebian,12,2023-06-10,soon").unwrap_err(), 2);
        assert_eq!(OsSupport::parse("h\na,1,,true\nb,1,,false\nc,1").unwrap_err(), 4);
    }
}
