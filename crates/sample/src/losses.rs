//! What is lost in the sample: a file that comes to its end, a laptop that was never gone, one that was just taken.

use stead_model::{
    PersonId, Role, UnitId,
    loss::{LossTold, Thing},
    time::{HOUR, MINUTE},
};
use stead_policy::losses::{REVIEW, TRIAGE};
use stead_server::{
    App,
    flows::loss::{
        self, Teller,
        back::{self, Return},
        desk::{self, Taken},
    },
};
use stead_store::{device::Device, loss::Loss, people::Person};

use crate::told;

/// What happens on a day, so many days before the last.
pub async fn live(app: &App, left: i64) -> anyhow::Result<()> {
    let security = app.store.holders(Role::Security, UnitId::ORGANISATION).await.map_err(told_by_store)?;
    let Some((security, _)) = security.first().cloned() else { return Ok(()) };
    match left {
        30 => {
            let Some((person, _)) = holder(app, 11).await? else { return Ok(()) };
            let papers = LossTold {
                label: "Folder of the field survey".to_owned(),
                noticed: 20 * MINUTE,
                ..nothing(Thing::Papers)
            };
            let lost = tell(app, &person, &papers).await?;
            handled(app, security, &lost).await
        }
        9 => {
            let Some((person, device)) = holder(app, 23).await? else { return Ok(()) };
            let gone = LossTold {
                device: Some(device.id),
                words: "Not in my bag after the train".to_owned(),
                ..nothing(Thing::Computer)
            };
            let lost = tell(app, &person, &gone).await?;
            let words = "It was in the other bag";
            back::bring(app, (person.id, false), lost.id, Return::Mistaken, words).await.map_err(told)?;
            handled(app, security, &lost).await
        }
        0 => {
            let Some((person, device)) = holder(app, 37).await? else { return Ok(()) };
            let gone = LossTold {
                device: Some(device.id),
                stolen: true,
                noticed: 2 * HOUR,
                words: "Taken from a café table, with the charger".to_owned(),
                ..nothing(Thing::Computer)
            };
            let lost = tell(app, &person, &gone).await?;
            take(app, (security, true), &lost, "look", "Called back; every door is shut").await
        }
        _ => Ok(()),
    }
}

fn nothing(thing: Thing) -> LossTold {
    LossTold {
        device: None,
        thing,
        label: String::new(),
        stolen: false,
        noticed: 0,
        words: String::new(),
        practice: false,
    }
}

/// Somebody with a device that is heard, the so-manieth among them.
async fn holder(app: &App, place: usize) -> anyhow::Result<Option<(Person, Device)>> {
    let filter = stead_store::device::Filter::default();
    let listed = app.store.devices(&filter, 200).await.map_err(told_by_store)?;
    let Some(listed) = listed.get(place % listed.len().max(1)) else { return Ok(None) };
    let Some(device) = app.store.device(listed.id).await.map_err(told_by_store)? else { return Ok(None) };
    let person = app.store.person(device.person).await.map_err(told_by_store)?;
    Ok(person.filter(|person| person.state.may_work()).map(|person| (person, device)))
}

async fn tell(app: &App, person: &Person, told_of: &LossTold) -> anyhow::Result<Loss> {
    loss::tell(app, person, told_of, Teller::on_page(person.id, None)).await.map_err(told)
}

async fn take(app: &App, by: (PersonId, bool), lost: &Loss, step: &str, words: &str) -> anyhow::Result<()> {
    let taken = Taken { step: step.to_owned(), words: words.to_owned(), risk: "none".to_owned() };
    desk::take(app, by, lost.id, taken).await.map_err(told)
}

/// Every step, and the end.
async fn handled(app: &App, security: PersonId, lost: &Loss) -> anyhow::Result<()> {
    let steps = app.store.loss_steps(lost.id).await.map_err(told_by_store)?;
    for step in steps.iter().filter(|step| step.name != REVIEW) {
        let words =
            if step.name == TRIAGE { "Nothing about people was in it" } else { "Done on the same day" };
        take(app, (security, true), lost, &step.name, words).await?;
    }
    take(app, (security, true), lost, REVIEW, "Nothing to change: it was told within minutes").await
}

fn told_by_store(error: stead_store::StoreError) -> anyhow::Error {
    told(error.into())
}
