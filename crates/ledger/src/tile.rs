//! Tiles (C2SP tlog-tiles): the tree in pieces of 256 hashes, so that whoever checks a proof reads
//! a few of them and a server computes none.

use crate::{
    Hash,
    tree::{Node, node_hash},
};

/// Hashes in a full tile.
pub const WIDTH: u64 = 256;
/// Levels of the tree in a tile.
pub const HEIGHT: u32 = 8;

/// The full tile that appending leaf number `size - 1` completed at each level: for a tree that just
/// reached `size` leaves, the pairs of level and index.
pub fn completed_at(size: u64) -> impl Iterator<Item = (u32, u64)> {
    (0..8).map_while(move |level| {
        let span = WIDTH.checked_pow(level + 1)?;
        (size > 0 && size.is_multiple_of(span)).then(|| (level, size / span - 1))
    })
}

/// Number of hashes that a tree of `size` leaves has in the tile at `level` and `index`: 0 to 256.
pub fn width(size: u64, level: u32, index: u64) -> u64 {
    let Some(span) = WIDTH.checked_pow(level) else { return 0 };
    (size / span).saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH)
}

/// The root over the hashes of one full tile, or of any power of two of them.
pub fn root(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row.first().copied()
}

/// Where a node is found: the tile's level and index, and the range of hashes in it to combine.
pub fn locate(node: Node) -> (u32, u64, std::ops::Range<usize>) {
    let (level, rise) = (node.level / HEIGHT, node.level % HEIGHT);
    let first = node.index << rise;
    let start = (first % WIDTH) as usize;
    (level, first / WIDTH, start..start + (1 << rise))
}

/// The index of a tile as it stands in a path: three digits a part, all but the last after an `x`.
pub fn path(level: u32, index: u64, width: u64) -> String {
    let mut parts = format!("{:03}", index % 1_000);
    let mut rest = index / 1_000;
    while rest > 0 {
        parts = format!("x{:03}/{parts}", rest % 1_000);
        rest /= 1_000;
    }
    let partial = if width == WIDTH { String::new() } else { format!(".p/{width}") };
    format!("tile/{level}/{parts}{partial}")
}

/// Reads the part of a tile path after the level: index and width.
pub fn parse_index(text: &str) -> Option<(u64, u64)> {
    let (text, width) = match text.split_once(".p/") {
        Some((text, width)) => (text, width.parse().ok().filter(|w| (1..WIDTH).contains(w))?),
        None => (text, WIDTH),
    };
    let mut index = 0_u64;
    let mut parts = text.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = if parts.peek().is_some() { part.strip_prefix('x')? } else { part };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
    }
    Some((index, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(path(0, 1_234_067, WIDTH), "tile/0/x001/x234/067");
        assert_eq!(path(1, 3, 17), "tile/1/003.p/17");
        assert_eq!(parse_index("x001/x234/067"), Some((1_234_067, WIDTH)));
        assert_eq!(parse_index("003.p/17"), Some((3, 17)));
        for bad in ["", "1", "x001", "0001", "001/002", "003.p/0", "003.p/256", "003.p/-1", "../../x"] {
            assert_eq!(parse_index(bad), None, "{bad}");
        }
    }

    #[test]
    fn tiles_complete_at_their_last_leaf() {
        assert_eq!(completed_at(0).count(), 0);
        assert_eq!(completed_at(255).count(), 0);
        assert_eq!(completed_at(512).collect::<Vec<_>>(), [(0, 1)]);
        assert_eq!(completed_at(65_536).collect::<Vec<_>>(), [(0, 255), (1, 0)]);
        assert_eq!(width(600, 0, 2), 88);
        assert_eq!(width(600, 1, 0), 2);
        assert_eq!(width(600, 0, 3), 0);
    }

    #[test]
    fn nodes_are_found_in_tiles() {
        let leaves: Vec<Hash> = (0..512_u64).map(|i| tree::leaf_hash(&i.to_be_bytes())).collect();
        let (level, index, range) = locate(Node { level: 3, index: 40 });
        assert_eq!((level, index), (0, 1));
        let found = root(&leaves[256..][range]).unwrap();
        assert_eq!(found, tree::root_of(leaves[320..328].iter().copied()));
    }
}
