//! Fuzz target: what a page or a program on this machine sends to the agent. `cargo xtask fuzz` runs it at length.
#![expect(clippy::unwrap_used, reason = "whatever goes wrong must stop the fuzzer")]

use std::sync::{LazyLock, mpsc};

use stead_model::{
    DeviceId, Millis,
    seal::{Seed, SigningKey},
};

use crate::door::{Door, Pages, head};

#[derive(Debug)]
struct Fixed;

impl Pages for Fixed {
    fn address(&self) -> String {
        "https://stead.example.org".to_owned()
    }
}

static DOOR: LazyLock<Door> = LazyLock::new(|| Door {
    device: DeviceId::from_parts(Millis(1), [1; 10]),
    key: SigningKey::from_seed(&Seed::new([3; 32])).unwrap(),
    pages: Box::new(Fixed),
    now: || Millis(5),
    // Nobody is there to check in.
    wake: mpsc::channel().0,
});

/// A request. There is one answer, it is whole, and only a question that is one, asked here by somebody who goes there, is
/// signed.
pub fn door(input: &[u8]) {
    let answer = match head(&mut &*input) {
        Ok(Some(head)) => DOOR.answer(&head, 18_787),
        Ok(None) | Err(_) => return,
    };
    assert!(answer.starts_with("HTTP/1.1 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert_eq!(answer.matches("\r\n\r\n").count(), 1, "{answer}");
    let signed = answer.contains("shown=");
    assert_eq!(signed, answer.starts_with("HTTP/1.1 303 "), "{answer}");
    if signed {
        let text = String::from_utf8_lossy(input).to_ascii_lowercase();
        assert!(text.starts_with("get /device?") && text.contains(":18787"), "{text}");
        assert!(!text.contains("\nsec-fetch-mode: cors\r"), "{text}");
        let to = answer.split("\r\n").nth(1).unwrap_or_default();
        assert!(to.starts_with("Location: https://stead.example.org/gate/device/back?shown="), "{to}");
    }
}

#[cfg(test)]
mod tests {
    use stead_testkit::made_up::each;

    #[test]
    fn fuzz_door() {
        each("door", super::door);
    }
}
