//! The wallet card, to print.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect},
};
use stead_model::Millis;

use super::super::{Base, Page, Reader, page, parts};
use crate::{App, flows::loss::card};

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage {
    base: Base,
    now: Millis,
    card: Option<stead_store::loss::Card>,
    /// The code of a card that was just made.
    code: String,
    address: String,
    call: String,
}

impl CardPage {
    fn qr(&self) -> parts::Html {
        // Behind the mark #, so that it stays in the browser: no log of a proxy has it.
        let text = format!("{}/card#c={}", self.address, self.code);
        parts::qr(&text, &self.base.say("card-qr"))
    }

    /// The address as people type it.
    fn typed(&self) -> &str {
        self.address.split_once("://").map_or(&self.address, |(_, rest)| rest)
    }
}

async fn show(app: &App, reader: &Reader, code: String) -> Page {
    page(&CardPage {
        base: Base::plain(app, reader, reader.words.say("card-title"), "/me"),
        now: app.now(),
        card: app.store.loss_card(reader.caller.id()).await?,
        code,
        address: format!("{}/lost", app.config.base_url.trim_end_matches('/')),
        call: app.pack().losses.call.clone(),
    })
}

/// `GET /me/card`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    show(&app, &reader, String::new()).await
}

/// `POST /me/card`: makes one, and shows it this once.
pub async fn make(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let code = card::make(&app, reader.caller.id()).await?;
    show(&app, &reader, code).await
}

/// `POST /me/card/end`.
pub async fn end(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let me = reader.caller.id();
    card::end(&app, me, me, None).await?;
    Ok(Redirect::to("/me/card").into_response())
}
