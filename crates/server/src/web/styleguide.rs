//! `GET /styleguide`: every part of the pages in every state, as they are drawn now.

use askama::Template;
use stead_model::{Standing, problem::Wrong};

use super::{Base, Page, form::Form, page, parts};
use crate::words::Words;

#[derive(Template)]
#[template(path = "styleguide.html")]
struct StyleGuide {
    base: Base,
    form: Form,
    strip: Vec<Option<Standing>>,
    days: Vec<parts::Day>,
}

/// Shows it. It holds nothing of anybody.
pub async fn get() -> Page {
    let mut base = Base::public(&Words::english(), "Style guide");
    base.expert = true;
    let wrong = Wrong { field: "until".to_owned(), detail: "Choose a day before 30 June.".to_owned() };
    let standing = |day: usize| match day {
        0..3 => None,
        18 | 19 => Some(Standing::Unknown),
        20..24 => Some(Standing::Due),
        24 => Some(Standing::Lapsed),
        _ => Some(Standing::Good),
    };
    let days =
        [(9, 21, 4), (8, 24, 4), (8, 19, 5), (11, 17, 5), (12, 15, 3), (9, 16, 3), (7, 18, 2), (6, 12, 2)];
    page(&StyleGuide {
        base,
        form: Form { errors: vec![wrong], note: String::new() },
        strip: (0..30).map(standing).collect(),
        days: (20_400..)
            .zip(days)
            .map(|(day, (lapsed, due, unknown))| parts::Day { day, lapsed, due, unknown })
            .collect(),
    })
}
