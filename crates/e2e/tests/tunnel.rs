//! The way through a tunnel: real programs in networks of their own, WireGuard in the process where the kernel has
//! none.

use std::{
    thread,
    time::{Duration, Instant},
};

use stead_e2e::office::{FIREWALL, Flow, OFFICE, RECORDS, Records, World};

/// Away from the office, a tunnel leads in for as long as the firewall is on, and no longer.
#[test]
fn rc_4_a_firewall_that_is_turned_off_stops_the_tunnel() {
    let Some(w) = World::start() else { return };
    assert!(!w.reaches(OFFICE), "without the tunnel nothing is reached");
    w.connected();
    assert!(w.reaches(RECORDS));

    let mut times = Vec::new();
    for _ in 0..5 {
        let flow = Flow::begin(&w, OFFICE);
        let off = Instant::now();
        w.home.run("nft delete table inet filter");
        times.push(flow.ended(off));
        assert!(!w.reaches(OFFICE) && !w.reaches(RECORDS));
        w.home.run(FIREWALL);
        w.until("it is mended", |w| w.reaches(OFFICE) && w.reaches(RECORDS));
        // What has changed just now is followed with some patience.
        thread::sleep(Duration::from_secs(4));
    }
    times.sort();
    eprintln!("from the firewall to the last packet: {times:?}");
    assert!(times[2] < Duration::from_secs(2) && times[4] < Duration::from_secs(10));

    w.home.run("nft delete table inet filter");
    w.until("the person sees why", |w| {
        let said = w.says("status").1;
        said.contains("the tunnel is shut") && said.contains("- Turn your firewall on")
    });
    let (up, said) = w.says("connect");
    assert!(!up && said.contains("10.213.2.0/24") && said.contains("closed"), "{said}");
    w.home.run(FIREWALL);
    w.until("it is mended", |w| w.reaches(OFFICE));
    assert!(w.says("status").1.contains("the tunnel is up"));

    // A tunnel that is not wanted any more goes down.
    let (done, said) = w.says("disconnect");
    assert!(done && said.contains("goes down"), "{said}");
    w.until("it is down", |w| !w.reaches(OFFICE));
    w.until("nothing is said of it", |w| !w.says("status").1.contains("Office network"));
}

/// One run through both doors: in, the disk fails, both shut, the person sees why, mends it, and is in again.
#[test]
fn rc_6_a_disk_that_fails_shuts_application_and_tunnel() {
    let Some(w) = World::start() else { return };
    w.connected();
    let mut records = Records::of(&w);
    let page = records.go();
    assert!(page.status == 200 && page.body.contains("the application was asked"), "{page:?}");

    let mut times = Vec::new();
    for _ in 0..3 {
        thread::sleep(Duration::from_secs(4));
        let (office, through) = (Flow::begin(&w, OFFICE), Flow::begin(&w, RECORDS));
        let plugged = Instant::now();
        w.laptop.plug_in();
        while records.status() != 403 {
            assert!(plugged.elapsed() < Duration::from_secs(10), "the application stays open");
            thread::sleep(Duration::from_millis(2));
        }
        let application = plugged.elapsed();
        times.push((application, through.ended(plugged)));
        // The disk costs the upper tier alone.
        assert!(w.reaches(OFFICE) && !w.reaches(RECORDS));
        assert!(office.quiet() < Duration::from_millis(200), "what is open flows on");
        if times.len() < 3 {
            w.laptop.pull_out();
            w.until("it is mended", |w| w.reaches(RECORDS));
            assert_eq!(records.status(), 200);
        }
    }
    eprintln!("from the disk to the shut application, and to the last packet: {times:?}");
    times.sort();
    assert!(times[1].0 < Duration::from_secs(2) && times[1].1 < Duration::from_secs(2));

    let page = records.go();
    assert_eq!(page.status, 403);
    assert!(page.body.contains("/data") && page.body.contains("Encrypt"), "{}", page.body);
    w.until("the person sees why", |w| {
        let said = w.says("status").1;
        said.contains("Part of your work is closed")
            && said.contains("10.213.3.0/24        restricted   closed")
            && said.contains("10.213.2.0/24        standard     open")
            && said.contains("- Encrypt")
    });
    w.laptop.pull_out();
    w.until("the tunnel leads there again", |w| w.reaches(RECORDS));
    assert_eq!(records.status(), 200);
    assert!(w.says("status").1.contains("Everything is open to you"));
}

/// What is shut out is out of the tunnel within a second; when the server or the gate is gone, so is everybody.
#[test]
fn rc_6_a_tunnel_ends_with_the_device_the_server_and_the_gate() {
    let Some(mut w) = World::start() else { return };
    w.connected();

    let flow = Flow::begin(&w, OFFICE);
    w.f.server.kill();
    let gone = flow.ended(Instant::now());
    eprintln!("from the end of the server to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(7), "an answer is good for five seconds");
    w.f.server.again().unwrap();
    w.until("the server is back", |w| w.reaches(OFFICE));

    let flow = Flow::begin(&w, OFFICE);
    w.stop_gate();
    let gone = flow.ended(Instant::now());
    eprintln!("from the end of the gate to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(1));
    w.start_gate();
    w.until("the gate is back", |w| w.reaches(OFFICE));

    // Somebody's firewall reads its rules anew and takes the wall away: the gate ends rather than go on without.
    let flow = Flow::begin(&w, OFFICE);
    w.gate.run("nft delete table inet $(nft list tables | grep -o 'stead_gate_[a-z0-9_]*')");
    let gone = flow.ended(Instant::now());
    eprintln!("from the end of the wall to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(3), "a third of five seconds, and a little");
    w.stop_gate();
    w.start_gate();
    w.until("the gate is back", |w| w.reaches(OFFICE));

    // Nothing comes from the server any more, and nothing says so: the gate is cut off.
    let flow = Flow::begin(&w, OFFICE);
    let cut = "nft add table ip cut; nft 'add chain ip cut input { type filter hook input priority -200; }'
               nft add rule ip cut input iif lo drop";
    w.gate.run(cut);
    let gone = flow.ended(Instant::now());
    eprintln!("from the cut to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(7), "an answer is good for five seconds");
    w.gate.run("nft delete table ip cut");
    w.until("it is joined again", |w| w.reaches(OFFICE));

    let flow = Flow::begin(&w, OFFICE);
    let said = w.says("status").1;
    let (id, now) = (said.split(',').next().unwrap(), Instant::now());
    w.f.server.admin(&["revoke-device", id]).unwrap();
    let (command, last) = (now.elapsed(), flow.ended(now));
    eprintln!("shut out: the command took {command:?}, the last packet came {last:?} after it began");
    assert!(last < command + Duration::from_secs(1));
    let (up, said) = w.says("connect");
    assert!(!up && said.contains("could not be brought up") && said.contains("revoked"), "{said}");
}
