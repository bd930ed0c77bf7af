//! Auditing a whole log offline: given what is claimed to be it, is it what was signed, and if not,
//! where does it first go wrong?

use crate::{Checkpoint, Frontier, Hash, entry::Entry, tile};

/// One stored entry, as found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The position it claims.
    pub index: u64,
    /// The text that should be hashed.
    pub text: String,
    /// The leaf hash stored beside it.
    pub leaf: Hash,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry is not where it should be.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Missing {
        /// The position that should come next.
        expected: u64,
        /// The position found.
        found: u64,
    },
    /// An entry's text is not the one that was hashed.
    #[error("entry {0} has been changed: its text does not fit its leaf")]
    Changed(u64),
    /// A stored tile contradicts the entries.
    #[error("entry {index} has been changed: it does not fit tile {tile}")]
    Tile {
        /// The first entry that contradicts it.
        index: u64,
        /// The tile's path.
        tile: String,
    },
    /// The entries of this range contradict a tile of a higher level.
    #[error("an entry between {first} and {last} has been changed: they do not fit tile {tile}")]
    Block {
        /// First entry of the range.
        first: u64,
        /// Last entry of the range.
        last: u64,
        /// The tile's path.
        tile: String,
    },
    /// An earlier signed checkpoint contradicts the entries.
    #[error(
        "an entry between {first} and {last} has been changed: the checkpoint of size {size} does not fit"
    )]
    Checkpoint {
        /// First entry that may be wrong.
        first: u64,
        /// Last entry that may be wrong.
        last: u64,
        /// Size of the checkpoint that does not fit.
        size: u64,
    },
    /// There are fewer entries than were signed.
    #[error("entries are missing from {from} on: {signed} were signed")]
    Truncated {
        /// First missing entry.
        from: u64,
        /// Number signed.
        signed: u64,
    },
    /// There are entries that were never signed.
    #[error("entry {0} and all after it were never signed")]
    Unsigned(u64),
}

/// Audits a log as its entries are fed in, in order.
#[derive(Debug)]
pub struct Auditor {
    signed: Checkpoint,
    earlier: Vec<Checkpoint>,
    next_earlier: usize,
    last_fit: u64,
    frontier: Frontier,
    rows: Vec<Vec<Hash>>,
}

impl Auditor {
    /// An audit against the newest signed checkpoint and any number of earlier ones, sorted by size.
    /// All signatures have been checked by the caller, which is what a [`Checkpoint`] from
    /// [`Checkpoint::open`] means.
    pub fn new(signed: Checkpoint, mut earlier: Vec<Checkpoint>) -> Self {
        earlier.retain(|checkpoint| checkpoint.size > 0 && checkpoint.size <= signed.size);
        earlier.sort_by_key(|checkpoint| checkpoint.size);
        Self {
            signed,
            earlier,
            next_earlier: 0,
            last_fit: 0,
            frontier: Frontier::default(),
            rows: vec![Vec::new()],
        }
    }

    /// Takes the next entry. `stored_tile` answers with the full tile stored for a level and index,
    /// where there is one.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn take(
        &mut self,
        found: &Found,
        mut stored_tile: impl FnMut(u32, u64) -> Option<Vec<Hash>>,
    ) -> Result<(), Fault> {
        let expected = self.frontier.size();
        if found.index != expected {
            return Err(Fault::Missing { expected, found: found.index });
        }
        let leaf = Entry::leaf(&found.text);
        if leaf != found.leaf {
            return Err(Fault::Changed(expected));
        }
        if expected >= self.signed.size {
            return Err(Fault::Unsigned(expected));
        }
        self.frontier.append(leaf);
        self.rows[0].push(leaf);
        for (level, index) in tile::completed_at(self.frontier.size()) {
            self.close_tile(level, index, &mut stored_tile)?;
        }
        self.compare_earlier()
    }

    fn close_tile(
        &mut self,
        level: u32,
        index: u64,
        stored_tile: &mut impl FnMut(u32, u64) -> Option<Vec<Hash>>,
    ) -> Result<(), Fault> {
        let row = std::mem::take(&mut self.rows[level as usize]);
        if let Some(stored) = stored_tile(level, index)
            && let Some(wrong) = (0..row.len()).find(|i| stored.get(*i) != row.get(*i))
        {
            let tile = tile::path(level, index, tile::WIDTH);
            let position = index * tile::WIDTH + wrong as u64;
            let span = tile::WIDTH.pow(level);
            return Err(if level == 0 {
                Fault::Tile { index: position, tile }
            } else {
                Fault::Block { first: position * span, last: (position + 1) * span - 1, tile }
            });
        }
        if self.rows.len() == level as usize + 1 {
            self.rows.push(Vec::new());
        }
        if let Some(root) = tile::root(&row) {
            self.rows[level as usize + 1].push(root);
        }
        Ok(())
    }

    fn compare_earlier(&mut self) -> Result<(), Fault> {
        while let Some(checkpoint) = self.earlier.get(self.next_earlier)
            && checkpoint.size == self.frontier.size()
        {
            if checkpoint.root != self.frontier.root() {
                return Err(Fault::Checkpoint {
                    first: self.last_fit,
                    last: checkpoint.size - 1,
                    size: checkpoint.size,
                });
            }
            self.last_fit = checkpoint.size;
            self.next_earlier += 1;
        }
        Ok(())
    }

    /// Ends the audit; the number of entries that are what was signed.
    ///
    /// # Errors
    /// [`Fault::Truncated`] or [`Fault::Checkpoint`].
    pub fn finish(self) -> Result<u64, Fault> {
        let size = self.frontier.size();
        if size < self.signed.size {
            return Err(Fault::Truncated { from: size, signed: self.signed.size });
        }
        if self.frontier.root() != self.signed.root {
            return Err(Fault::Checkpoint { first: self.last_fit, last: size - 1, size });
        }
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::tree;

    type Tiles = BTreeMap<(u32, u64), Vec<Hash>>;

    fn found(index: u64) -> Found {
        let text = format!("{{\"n\":{index}}}");
        Found { index, leaf: Entry::leaf(&text), text }
    }

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint { origin: "t".to_owned(), size, root: tree::root_of((0..size).map(|i| found(i).leaf)) }
    }

    fn tiles(size: u64) -> Tiles {
        let mut tiles = Tiles::new();
        for index in 0..size / 256 {
            tiles.insert((0, index), (index * 256..(index + 1) * 256).map(|i| found(i).leaf).collect());
        }
        tiles
    }

    fn audit(log: &[Found], signed: u64, earlier: &[u64], tiles: &Tiles) -> Result<u64, Fault> {
        let mut auditor = Auditor::new(checkpoint(signed), earlier.iter().map(|s| checkpoint(*s)).collect());
        for found in log {
            auditor.take(found, |level, index| tiles.get(&(level, index)).cloned())?;
        }
        auditor.finish()
    }

    #[test]
    fn a_true_log_passes() {
        let log: Vec<Found> = (0..700).map(found).collect();
        assert_eq!(audit(&log, 700, &[1, 10, 256, 699], &tiles(700)), Ok(700));
    }

    #[test]
    fn missing_reordered_added_and_truncated_entries_are_named() {
        let log: Vec<Found> = (0..20).map(found).collect();
        let mut missing = log.clone();
        missing.remove(7);
        assert_eq!(audit(&missing, 20, &[], &Tiles::new()), Err(Fault::Missing { expected: 7, found: 8 }));
        let mut renumbered = missing;
        for (i, found) in renumbered.iter_mut().enumerate() {
            found.index = i as u64;
        }
        assert_eq!(
            audit(&renumbered, 20, &[5, 10], &Tiles::new()),
            Err(Fault::Checkpoint { first: 5, last: 9, size: 10 })
        );
        let mut swapped = log.clone();
        swapped.swap(3, 4);
        assert_eq!(audit(&swapped, 20, &[], &Tiles::new()), Err(Fault::Missing { expected: 3, found: 4 }));
        assert_eq!(audit(&log[..15], 20, &[], &Tiles::new()), Err(Fault::Truncated { from: 15, signed: 20 }));
        assert_eq!(audit(&log, 18, &[], &Tiles::new()), Err(Fault::Unsigned(18)));
    }

    #[test]
    fn a_root_that_is_not_the_signed_one_is_named_with_all_since_the_last_that_fits() {
        let log: Vec<Found> = (0..20).map(found).collect();
        let signed = Checkpoint { root: [7; 32], ..checkpoint(20) };
        let mut auditor = Auditor::new(signed, vec![checkpoint(12), checkpoint(5)]);
        for found in &log {
            auditor.take(found, |_, _| None).unwrap();
        }
        assert_eq!(auditor.finish(), Err(Fault::Checkpoint { first: 12, last: 19, size: 20 }));
    }

    #[test]
    fn a_changed_tile_is_named_with_what_it_is_over() {
        let log: Vec<Found> = (0..131_072).map(found).collect();
        let mut tiles = tiles(131_072);
        for index in 0..2 {
            let under =
                (index * 256..(index + 1) * 256).map(|under| tile::root(&tiles[&(0, under)]).unwrap());
            tiles.insert((1, index), under.collect());
        }
        assert_eq!(audit(&log, 131_072, &[], &tiles), Ok(131_072));
        for (level, index, place, fault) in [
            (0, 1, 3, Fault::Tile { index: 259, tile: "tile/0/001".to_owned() }),
            (0, 511, 255, Fault::Tile { index: 131_071, tile: "tile/0/511".to_owned() }),
            (1, 0, 5, Fault::Block { first: 1_280, last: 1_535, tile: "tile/1/000".to_owned() }),
            (1, 1, 5, Fault::Block { first: 66_816, last: 67_071, tile: "tile/1/001".to_owned() }),
        ] {
            let mut changed = tiles.clone();
            changed.get_mut(&(level, index)).unwrap()[place][0] ^= 1;
            assert_eq!(audit(&log, 131_072, &[], &changed), Err(fault));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whoever rewrites an entry and its leaf is caught, and the place is named.
        #[test]
        fn a_rewritten_entry_is_found(size in 300_u64..600, pick in any::<u64>(), with_leaf in any::<bool>()) {
            let wrong = pick % size;
            let mut log: Vec<Found> = (0..size).map(found).collect();
            let place = &mut log[wrong as usize];
            place.text = "{}".to_owned();
            if with_leaf {
                place.leaf = Entry::leaf("{}");
            }
            let fault = audit(&log, size, &[100, 256, 290], &tiles(size)).unwrap_err();
            match fault {
                Fault::Changed(index) => prop_assert_eq!(index, wrong),
                Fault::Tile { index, .. } => prop_assert_eq!(index, wrong),
                Fault::Checkpoint { first, last, .. } => prop_assert!((first..=last).contains(&wrong)),
                other => prop_assert!(false, "{}", other),
            }
        }
    }
}
