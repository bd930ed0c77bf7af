//! A device asks to be let through a tunnel: it shows the key that it made for it, and is told how to connect where
//! it is let in, and why not where it is not.

use serde_json::json;
use stead_model::{
    Millis, PersonId,
    message::VERSION,
    problem::Kind,
    seal::Envelope,
    tunnel::{Closed, Network, TUNNEL_ASKED, TUNNEL_GIVEN, TunnelAsked, TunnelGiven, Way},
};
use stead_store::tunnel::TunnelKey;

use super::{check_in::question, device_subject, entry};
use crate::{
    App,
    error::Refusal,
    gate::{decide::Why, peers, tunnels::Tunnel},
    words::Words,
};

/// After how many times its length a key that is not taken any more is forgotten with its address.
const FORGOTTEN: i64 = 7;

/// Answers a device that wants to be let through a tunnel.
///
/// # Errors
/// [`Refusal`] when the message is not sealed by an enrolled device or is old, there is no such tunnel, another
/// device has the key, no address is free, or the store is away.
pub async fn ask(app: &App, envelope: &Envelope) -> Result<Envelope, Refusal> {
    let now = app.now();
    let (device, asked) =
        question(app, envelope, TUNNEL_ASKED, |asked: &TunnelAsked| (asked.v, asked.device, asked.at))
            .await?;
    let id = device.id;
    let (place, tunnel) = named(app, asked.tunnel.as_deref())?;

    // What was committed before the question counts: an agent asks right after it was judged.
    app.gate.settled().await;
    let why = peers::networks(&app.gate.index, &app.pack(), tunnel, id, now);
    if why.iter().flatten().any(|why| *why == Why::NotKnown) {
        // Not "closed": what is up stays up for as long as its gate lets it.
        return Err(Refusal::new(Kind::Unavailable, "It is not known just now. Ask again in a moment."));
    }
    let open = why.iter().any(Vec::is_empty);
    let way = match open {
        true => Some(way(app, tunnel, device.person, &asked, now).await?),
        false => None,
    };
    if way.is_some() {
        app.gate.lists.let_in(place, asked.key).await;
    }
    let networks = tunnel.networks.iter().zip(&why).map(|(behind, why)| Network {
        to: behind.to,
        tier: behind.tier.clone(),
        closed: closed(app, &device.name, why),
    });
    let given = TunnelGiven {
        v: VERSION,
        device: id,
        asked_at: asked.at,
        tunnel: tunnel.name.clone(),
        title: tunnel.title.clone(),
        way,
        networks: networks.collect(),
    };
    let text = serde_json::to_vec(&given).map_err(stead_store::StoreError::from)?;
    Ok(app.keys.answers.seal(TUNNEL_GIVEN, &text, "server"))
}

fn named<'a>(app: &'a App, name: Option<&str>) -> Result<(usize, &'a Tunnel), Refusal> {
    let tunnels = &app.gate.settings.tunnels;
    let found = match name {
        Some(name) => app.gate.settings.tunnel(name),
        None => tunnels.first().map(|first| (0, first)),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = tunnels.iter().map(|tunnel| tunnel.name.as_str()).collect();
        let detail = match names.as_slice() {
            [] => "Your organisation has no tunnel at this server.".to_owned(),
            names => format!("There is no such tunnel; there are: {}.", names.join(", ")),
        };
        Refusal::new(Kind::NotFound, detail)
    })
}

/// Takes the device's key, where it is a new one, and says how to connect with it.
async fn way(
    app: &App,
    tunnel: &Tunnel,
    person: PersonId,
    asked: &TunnelAsked,
    now: Millis,
) -> Result<Way, Refusal> {
    let (device, key) = (asked.device, asked.key);
    let full =
        || Refusal::new(Kind::Unavailable, "Every address of this tunnel is taken. Tell whoever runs it.");
    let mut write = app.store.write().await?;
    // It may have been shut out since it was looked at.
    let devices = write.devices_of(person).await?;
    if !devices.iter().any(|held| held.id == device && held.revoked_at.is_none()) {
        return Err(Refusal::new(Kind::RevokedDevice, "Ask your coordinator."));
    }
    let known = write.tunnel_key(&tunnel.name, device).await?;
    let held = match known {
        Some(known) if known.key == key => known,
        Some(known) if asked.at <= known.asked_at => {
            return Err(Refusal::new(
                Kind::Conflict,
                "This question is not newer than the last with another key.",
            ));
        }
        known => {
            // Addresses of devices that have not come for long are given to others.
            write.forget_old_tunnel_keys(&tunnel.name, now.plus(-FORGOTTEN * tunnel.key_lasts)).await?;
            let fits = known.as_ref().filter(|known| tunnel.address(known.place).is_some());
            let place = match fits {
                Some(known) => known.place,
                None => write.free_place(&tunnel.name).await?,
            };
            tunnel.address(place).ok_or_else(full)?;
            let held = TunnelKey {
                tunnel: tunnel.name.clone(),
                device,
                key,
                place,
                made_at: now,
                asked_at: asked.at,
            };
            if let Err(error) = write.set_tunnel_key(&held).await {
                return Err(match error.is_duplicate() {
                    true => Refusal::new(Kind::Conflict, "Another device has this key. Make a new one."),
                    false => error.into(),
                });
            }
            // That a device may come is written down for good, once; when it comes is not.
            if known.is_none() {
                let data = json!({ "tunnel": tunnel.name });
                let subject = device_subject(device);
                write.append(&entry(now, &subject, "tunnel.begun", subject.clone(), data))?;
            }
            held
        }
    };
    let address = tunnel.address(held.place).ok_or_else(full)?;
    write.commit(&app.keys.ledger).await?;
    Ok(Way {
        gate: tunnel.key,
        endpoint: tunnel.endpoint.clone(),
        address,
        key_until: held.made_at.plus(tunnel.key_lasts),
    })
}

/// What stands against letting a device in to a network, in words for the person at it.
fn closed(app: &App, name: &str, why: &[Why]) -> Vec<Closed> {
    let words = Words::english();
    let pack = app.pack();
    let of = |why: &Why| match why.rule().and_then(|rule| pack.rule(rule)) {
        Some(rule) => Closed { rule: Some(rule.id.clone()), asks: rule.asks.clone() },
        None => {
            let time = if let Why::Silent(since) = why {
                words.short_time(*since, app.now())
            } else {
                String::new()
            };
            let more = [("device", name.to_owned()), ("time", time), ("asks", String::new())];
            Closed {
                rule: why.rule().map(str::to_owned),
                asks: words.with(format!("gate-why-{}", why.word()), more),
            }
        }
    };
    why.iter().map(of).collect()
}
