//! Enrolling a device: a person is given a one-time code, the device makes a key and uses the code up.

use serde_json::json;
use stead_model::{
    DeviceId, Employment, PersonId, Standing, UnitId,
    message::{CLOCK_TOLERANCE, ENROLMENT, Enrolled, Enrolment, VERSION},
    problem::Kind,
    seal::{self, Envelope, VerifyingKey},
    text,
};
use stead_store::{Write, device::NewDevice, people::Person, tally::Tallies};

use super::{device_subject, entry, person_subject};
use crate::{
    App,
    auth::{access::Action, placing},
    error::Refusal,
};

/// Letters and digits that are hard to take for each other (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Who owns a device.
pub const OWNERS: [&str; 2] = ["organisation", "person"];

/// Gives out one-time codes, in one transaction: with each, the person of that name may enrol one device
/// until `lasts` milliseconds from now. A person is written down when nobody of that name is.
///
/// # Errors
/// [`Refusal`] when a name is empty, the owner is none of [`OWNERS`], or the store is away.
pub async fn give_codes(
    app: &App,
    names: &[String],
    owner: &str,
    lasts: i64,
) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = names.iter().map(|name| text::plain(name.trim(), 100)).collect();
    if names.iter().any(String::is_empty) || !OWNERS.contains(&owner) {
        return Err(Refusal::new(
            Kind::Malformed,
            "Name a person, and `organisation` or `person` as the owner.",
        ));
    }
    let now = app.now();
    let mut write = app.store.write().await?;
    let mut codes = Vec::new();
    for name in names {
        let person = match write.person_by_name(&name).await? {
            Some(person) => person,
            None => {
                let id = PersonId::from_parts(now, app.random()?);
                let person = Person::new(id, name, UnitId::ORGANISATION, Employment::Active, now);
                write.add_person(&person).await?;
                let data = json!({ "record": super::directory::commit_to(app, &mut write, &person).await? });
                write.append(&entry(now, "operator", "person.added", person_subject(id), data))?;
                person
            }
        };
        codes.push(give(app, &mut write, &person, owner, lasts, "operator").await?);
    }
    write.commit(&app.keys.ledger).await?;
    Ok(codes)
}

/// Gives one person a code. `by` is who gives it, as the ledger names them.
///
/// # Errors
/// [`Refusal`] when there is no such person, they may not enrol, the owner is none of [`OWNERS`], or the
/// store is away.
pub async fn give_code(
    app: &App,
    person: PersonId,
    owner: &str,
    lasts: i64,
    by: &str,
) -> Result<String, Refusal> {
    if !OWNERS.contains(&owner) {
        return Err(Refusal::new(Kind::Malformed, "Name `organisation` or `person` as the owner."));
    }
    let mut write = app.store.write().await?;
    let person = write
        .person(person)
        .await?
        .ok_or_else(|| Refusal::new(Kind::NotFound, "There is no such person."))?;
    let code = give(app, &mut write, &person, owner, lasts, by).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(code)
}

async fn give(
    app: &App,
    write: &mut Write,
    person: &Person,
    owner: &str,
    lasts: i64,
    by: &str,
) -> Result<String, Refusal> {
    let now = app.now();
    if !person.state.may_enrol() {
        return Err(Refusal::new(
            Kind::Conflict,
            format!("{} is {} and enrols no device.", person.name, person.state.word()),
        ));
    }
    let code = code(app.random()?);
    let digest = code_digest(&code);
    write.add_code(&digest, (person.id, by), owner, now, now.plus(lasts)).await?;
    let data =
        json!({ "owner": owner, "expires_at": now.plus(lasts).0, "code": seal::digest(digest.as_bytes()) });
    write.append(&entry(now, by, "code.given", person_subject(person.id), data))?;
    Ok(code)
}

/// Enrols the device that sent this.
///
/// # Errors
/// [`Refusal`], each with its own kind; then nothing has changed.
pub async fn enrol(app: &App, envelope: &Envelope) -> Result<Enrolled, Refusal> {
    let malformed = |_| Refusal::new(Kind::Malformed, "Send a sealed enrolment, as `stead enroll` does.");
    let payload = envelope.unchecked_payload().map_err(malformed)?;
    let claimed: Enrolment = serde_json::from_slice(&payload)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed enrolment, as `stead enroll` does."))?;
    if claimed.v != VERSION {
        return Err(Refusal::new(Kind::WrongVersion, "Bring agent and server to the same version."));
    }
    // The key is in the payload, and the signature shows that the sender holds it.
    let key = VerifyingKey::from_text(&claimed.public_key)
        .map_err(|_| Refusal::new(Kind::Malformed, "The public key is no Ed25519 key."))?;
    envelope
        .open(ENROLMENT, &key)
        .map_err(|_| Refusal::new(Kind::BadSignature, "Sign the enrolment with the key that is in it."))?;
    let now = app.now();
    if claimed.at.since(now).unsigned_abs() > CLOCK_TOLERANCE.unsigned_abs() {
        return Err(Refusal::new(
            Kind::ClockSkew,
            format!("The server's clock says {now}. Set the device's clock and try again."),
        ));
    }

    let digest = code_digest(&claimed.code);
    let mut write = app.store.write().await?;
    let Some(code) = write.code(&digest).await? else {
        return Err(Refusal::new(Kind::CodeUnknown, "Check the code, or ask your coordinator for another."));
    };
    if code.used_at.is_some() {
        return Err(Refusal::new(
            Kind::CodeUsed,
            "A code enrols one device. Ask your coordinator for another.",
        ));
    }
    if code.expires_at <= now {
        return Err(Refusal::new(
            Kind::CodeExpired,
            format!("It was good until {}. Ask your coordinator for another.", code.expires_at),
        ));
    }
    if !code.state.may_enrol() {
        return Err(Refusal::new(Kind::Forbidden, "The person this code was given to enrols no device."));
    }
    if !placing::still_may(app, &code.made_by, Action::DeviceEnrol, code.person).await? {
        return Err(Refusal::new(
            Kind::CodeExpired,
            "Whoever gave it may not give this person codes any more. Ask your coordinator for another.",
        ));
    }
    let device = DeviceId::from_parts(now, app.random()?);
    let new = NewDevice {
        id: device,
        person: code.person,
        person_name: code.person_name.clone(),
        name: text::plain(claimed.name.trim(), 64),
        owner: code.owner.clone(),
        public_key: claimed.public_key.clone(),
        machine: text::plain(&claimed.machine, 80),
    };
    let earlier = write.same_machine(&new.machine).await?;
    if let Err(error) = write.add_device(&new, now).await {
        return Err(if error.is_duplicate() {
            Refusal::new(
                Kind::KeyEnrolled,
                "Make a new key: move the agent's state away and run `stead enroll` again.",
            )
        } else {
            error.into()
        });
    }
    if !write.use_code(&digest, device, now).await? {
        return Err(Refusal::new(
            Kind::CodeUsed,
            "A code enrols one device. Ask your coordinator for another.",
        ));
    }
    let mut tallies = Tallies::default();
    tallies.standing(None, Standing::Unknown);
    write.write_tallies(tallies, now.day()).await?;
    let data = json!({
        "person": code.person,
        "owner": code.owner,
        "key": seal::digest(claimed.public_key.as_bytes()),
        "same_machine_as": earlier,
        "code": seal::digest(digest.as_bytes()),
    });
    write.append(&entry(now, "enrolment", "device.enrolled", device_subject(device), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(Enrolled {
        device,
        answer_key: app.keys.answers.public_text(),
        person: code.person_name,
        owner: code.owner,
    })
}

/// Twenty letters in groups of five: a hundred random bits.
pub(super) fn code(random: [u8; 20]) -> String {
    let letters: Vec<char> = random.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
    letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// A code as it is meant, however it is typed: case, dashes and the letters that look like digits do not
/// matter.
pub(super) fn letters(code: &str) -> String {
    code.chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(100)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

/// The digest under which a code is kept.
fn code_digest(code: &str) -> String {
    seal::digest(format!("stead enrolment code {}", letters(code)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = code([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
        assert_eq!(code, "01234-56789-ABCDE-FGHJK");
        assert_eq!(code_digest("oi234 56789abcde fghjk"), code_digest(&code));
        assert_ne!(code_digest("01234-56789-ABCDE-FGHJM"), code_digest(&code));
    }
}
