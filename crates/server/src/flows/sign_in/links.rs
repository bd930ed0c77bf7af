//! One-time links: to join, to set up anew how one signs in, and the operator's way in.

use serde_json::json;
use stead_model::{Employment, PersonId, Role, UnitId, problem::Kind, time};
use stead_store::{
    people::Person,
    session::{Link, LinkKind},
};

use super::{Begun, Secret, begin, changed};
use crate::{
    App,
    auth::{access::Action, placing},
    error::Refusal,
    flows::{entry, person_subject},
};

/// How long a link to sign in with may be used.
const SIGN_IN_LASTS: i64 = 15 * time::MINUTE;
/// How long an invitation may be taken up.
const INVITE_LASTS: i64 = 7 * time::DAY;
/// How long a link to set up anew how one signs in may be used.
const RESET_LASTS: i64 = time::DAY;

/// Makes a link for somebody; its secret. `by` is who makes it, as the ledger names them. A link made
/// before and not used is no good any more.
///
/// # Errors
/// [`Refusal`] when the person's state does not allow it, or the store is away.
pub async fn make(app: &App, person: PersonId, kind: LinkKind, by: &str) -> Result<String, Refusal> {
    let now = app.now();
    let secret = Secret::make(app)?;
    let mut write = app.store.write().await?;
    let person = write
        .person(person)
        .await?
        .ok_or_else(|| Refusal::new(Kind::NotFound, "There is no such person."))?;
    let (allowed, lasts) = match kind {
        LinkKind::SignIn => (person.state.may_sign_in(), SIGN_IN_LASTS),
        LinkKind::Invite => (person.state.may_join(), INVITE_LASTS),
        LinkKind::Reset => (person.state.may_sign_in(), RESET_LASTS),
    };
    if !allowed {
        return Err(Refusal::new(
            Kind::Conflict,
            format!("{} is {}, and cannot use such a link.", person.name, person.state.word()),
        ));
    }
    write.end_links(person.id, now).await?;
    let digest = Secret::Link.digest(&secret);
    write.add_link(&digest, kind, (person.id, by), now, now.plus(lasts)).await?;
    let data = json!({ "kind": kind.word(), "expires_at": now.plus(lasts).0, "link": stead_model::seal::digest(digest.as_bytes()) });
    write.append(&entry(now, by, "link.made", person_subject(person.id), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(secret)
}

/// Whether a link may be used, without using it up; what it is good for.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn look(app: &App, secret: &str) -> Result<Option<LinkKind>, Refusal> {
    let found = app.store.link(&Secret::Link.digest(secret), app.now()).await?;
    Ok(found.map(|link| link.kind))
}

/// Uses a link up and begins a session. Who was invited has joined with it; who sets up anew how they
/// sign in loses every session and every other way to sign in that there was.
///
/// # Errors
/// [`Refusal`] when the link is unknown, used or expired, which look the same from outside.
pub async fn take(app: &App, secret: &str, browser: &str) -> Result<(Begun, LinkKind), Refusal> {
    let now = app.now();
    let used = || {
        Refusal::new(
            Kind::Forbidden,
            "This link has been used or has expired. Ask whoever sent it for another.",
        )
    };
    // What was never a link does not make writers wait.
    if look(app, secret).await?.is_none() {
        tracing::info!(method = "link", "a sign-in failed");
        return Err(used());
    }
    let mut write = app.store.write().await?;
    let Link { kind, person: id, made_by } =
        write.use_link(&Secret::Link.digest(secret), now).await?.ok_or_else(used)?;
    if !placing::still_may(app, &made_by, Action::PersonInvite, id).await? {
        return Err(used());
    }
    let mut person = write.person(id).await?.ok_or_else(used)?;
    match kind {
        LinkKind::SignIn => {}
        LinkKind::Invite => {
            if !person.state.may_join() {
                return Err(used());
            }
            if person.state == Employment::Invited {
                person.state = Employment::Active;
                person.state_since = now;
                write.put_person(&person).await?;
                let subject = person_subject(id);
                write.append(&entry(
                    now,
                    &subject,
                    "person.state",
                    subject.clone(),
                    json!({ "from": "invited", "to": "active" }),
                ))?;
            }
        }
        LinkKind::Reset => {
            // Whoever could sign in until now cannot any more, whichever way they knew.
            let ended = write.end_sessions(id, None, now).await?;
            write.end_tokens(id, None, now).await?;
            write.end_calendar(id).await?;
            write.end_credentials(id).await?;
            changed(now, &mut write, id, "sign-in.reset", json!({ "sessions_ended": ended }))?;
        }
    }
    let begun = begin(app, &mut write, &person, "link", browser).await?;
    write.commit(&app.keys.ledger).await?;
    Ok((begun, kind))
}

/// The first operator, written down when nobody runs the installation yet. Whoever can start the program
/// beside its data has them sign in; from there they name others.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn first_operator(app: &App) -> Result<PersonId, Refusal> {
    let now = app.now();
    if let Some((id, _)) = app.store.holders(Role::Operator, UnitId::ORGANISATION).await?.first() {
        return Ok(*id);
    }
    let mut write = app.store.write().await?;
    let id = PersonId::from_parts(now, app.random()?);
    let person = Person::new(id, "First operator".to_owned(), UnitId::ORGANISATION, Employment::Active, now);
    write.add_person(&person).await?;
    let data = json!({ "record": crate::flows::directory::commit_to(app, &mut write, &person).await? });
    write.append(&entry(now, "operator", "person.added", person_subject(id), data))?;
    for role in [Role::Operator, Role::Coordinator, Role::Security] {
        write.give_role(id, role, UnitId::ORGANISATION, "operator", now).await?;
        let data = json!({ "role": role.word(), "unit": UnitId::ORGANISATION });
        write.append(&entry(now, "operator", "role.given", person_subject(id), data))?;
    }
    write.commit(&app.keys.ledger).await?;
    Ok(id)
}
