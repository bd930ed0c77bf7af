//! `stead-server admin`: what the operator does by hand. Works beside a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use stead_model::{DeviceId, time::HOUR};

use super::Data;
use crate::{
    Config,
    auth::Role,
    error::Refusal,
    flows::{enrol, revoke, sign_in},
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
    /// Make a one-time link to sign in with.
    SignInLink {
        /// Address that browsers use.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
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
        let told = |refusal: Refusal| anyhow::anyhow!("{}", refusal.problem());
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
            Command::SignInLink { base_url } => {
                let secret = sign_in::make_link(&app, Role::Operator).await.map_err(told)?;
                println!("{}/sign-in/{secret}", base_url.trim_end_matches('/'));
            }
            Command::RevokeDevice { id } => {
                revoke::revoke(&app, id).await.map_err(told)?;
                println!("{id} is not heard any more");
            }
        }
        app.store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
