//! `stead-server admin`: what the operator does by hand. Works beside a running server.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use stead_model::{DeviceId, Role, UnitId, time::HOUR};
use stead_store::{people::Person, session::LinkKind};

use super::Data;
use crate::{
    App, Config,
    error::Refusal,
    flows::{
        directory::{self, Told, roles},
        enrol, revoke,
        sign_in::links,
    },
    words::Words,
};

#[derive(Args)]
pub(super) struct Admin {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Give a person a one-time code with which to enrol one device.
    EnrolCode {
        /// The person's name; `-` reads many, a line each, and prints code and name.
        person: String,
        /// Who owns the device.
        #[arg(long, value_enum, default_value_t = Owner::Organisation)]
        owner: Owner,
        /// Hours for which the code may be used.
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(i64).range(1..=720))]
        hours: i64,
    },
    /// Make a one-time link to sign in with: for an operator, or for whoever has this address.
    SignInLink {
        /// Address that browsers use.
        #[arg(long, value_name = "URL", default_value = "http://localhost:8787")]
        base_url: String,
        /// Whose link it is. Without it, an operator's; when there is none, one is written down.
        #[arg(long)]
        email: Option<String>,
    },
    /// Add a person to the directory.
    AddPerson {
        /// Their name.
        name: String,
        /// Their address.
        #[arg(long)]
        email: String,
        /// A role for the whole organisation; may be said several times.
        #[arg(long)]
        role: Vec<String>,
    },
    /// Make a one-time link with which somebody joins and chooses how they sign in.
    Invite {
        /// Their address.
        email: String,
        /// Address that browsers use.
        #[arg(long, value_name = "URL", default_value = "http://localhost:8787")]
        base_url: String,
    },
    /// Revoke a device: it is not heard any more.
    RevokeDevice {
        /// The device's id.
        id: DeviceId,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Owner {
    Organisation,
    Person,
}

impl Admin {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(Config::default()).await?;
        let told = |refusal: Refusal| anyhow::anyhow!("{}", refusal.problem(&Words::english()));
        match self.command {
            Command::EnrolCode { person, owner, hours } => {
                let owner = match owner {
                    Owner::Organisation => "organisation",
                    Owner::Person => "person",
                };
                if person == "-" {
                    let names: Vec<String> = std::io::stdin().lines().collect::<Result<_, _>>()?;
                    for some in names.chunks(500) {
                        let codes = enrol::give_codes(&app, some, owner, hours * HOUR).await.map_err(told)?;
                        codes.iter().zip(some).for_each(|(code, name)| println!("{code}\t{name}"));
                    }
                } else {
                    let codes =
                        enrol::give_codes(&app, &[person], owner, hours * HOUR).await.map_err(told)?;
                    codes.iter().for_each(|code| println!("{code}"));
                }
            }
            Command::SignInLink { base_url, email } => {
                let person = match email {
                    None => links::first_operator(&app).await.map_err(told)?,
                    Some(email) => by_email(&app, &email).await?.id,
                };
                let secret = links::make(&app, person, LinkKind::SignIn, "operator").await.map_err(told)?;
                println!("{}/join/{secret}", base_url.trim_end_matches('/'));
            }
            Command::AddPerson { name, email, role } => {
                let new = Told { name, email, ..Told::default() };
                let id = directory::add(&app, &new, "operator").await.map_err(told)?;
                for role in role {
                    let role = Role::from_word(&role).with_context(|| {
                        let words = Role::ALL.map(Role::word).join(", ");
                        format!("{role} is no role; the roles are {words}")
                    })?;
                    let all = UnitId::ORGANISATION;
                    roles::give(&app, id, role, all, "operator").await.map_err(told)?;
                }
                println!("{id}");
            }
            Command::Invite { email, base_url } => {
                let person = by_email(&app, &email).await?.id;
                let secret = links::make(&app, person, LinkKind::Invite, "operator").await.map_err(told)?;
                println!("{}/join/{secret}", base_url.trim_end_matches('/'));
            }
            Command::RevokeDevice { id } => {
                revoke::revoke(&app, id, "operator").await.map_err(told)?;
                println!("{id} is not heard any more");
            }
        }
        app.store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

async fn by_email(app: &App, email: &str) -> anyhow::Result<Person> {
    let found = app.store.person_by_email(&email.to_lowercase()).await?;
    found.with_context(|| format!("nobody has the address {email}; add them with `add-person`"))
}
