//! A soak: visitors come, follow a room, speak, go, and come back with their cursors, for a long time.
//!
//! Nobody may lose a message, whoever has left must have left, and what the server takes must stay flat.
//!
//! ```text
//! crowd       all visitors, and what each does with a reply
//!  ├ visitor  one of them
//!  ├ voices   the connections on which they speak
//!  └ talk     what was said in each room, and who saw it
//! samples     what the server took, and whether it stayed flat
//! report      for people, machines and the eye
//! ```

mod crowd;
mod plot;
mod report;
mod requests;
mod samples;
mod talk;
mod visitor;
mod voices;

use std::fs;
use std::time::{Duration, Instant};

use super::args::BenchArgs;
use super::error::Error;
use super::files;
use super::live::Live;
use super::process::Watched;
use super::target::{Form, Target};
use crate::clock::Timestamp;
use crate::config::{BENCH_FILES, GRACE, SOAK_RATE, SOAK_SAMPLE, SOAK_VISITORS, SOAK_VOICES};
use crowd::Crowd;
use report::Report;
use samples::Sample;

/// Soaks a server, tells what was found, and answers whether all was well.
pub fn run(args: &BenchArgs, target: &Target) -> Result<bool, Error> {
    let started = Timestamp::now();
    let target = target.clone().with_rooms(args.rooms as usize);
    let visitors = args.waiters.unwrap_or(SOAK_VISITORS) as usize;
    files::allow((visitors + SOAK_VOICES) as u64 + BENCH_FILES)?;
    let watched = args.pid.map(Watched::new).transpose()?;
    let patience = Duration::from_secs(args.patience);
    let mut crowd = Crowd::new(
        target,
        visitors,
        (Duration::from_secs(args.hold), args.accept.unwrap_or(Form::Json)),
        args.size,
    )?;
    crowd.gather(patience)?;
    let samples = chat(&mut crowd, watched.as_ref(), args)?;
    crowd.disperse(patience)?;
    // If somebody waits for what was lost, not all have left.
    let ghosts = if crowd.is_dispersed() { crowd.count_ghosts(GRACE + patience)? } else { 0 };
    let report = Report::new(started, args, &crowd, samples, ghosts);
    if let Some(path) = &args.plot {
        let failed = |error| Error::Results(path.display().to_string(), format!("{error}"));
        fs::write(path, plot::render(&report.samples)).map_err(failed)?;
    }
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    report.faults().for_each(|fault| eprintln!("comet-chat bench: {fault}"));
    Ok(report.is_well())
}

/// Has the visitors chat for as long as asked.
fn chat(crowd: &mut Crowd, watched: Option<&Watched>, args: &BenchArgs) -> Result<Vec<Sample>, Error> {
    let rate = args.rate.unwrap_or(SOAK_RATE);
    let mut live = Live::new("soak", args.seconds, "deliveries a second");
    let begun = Instant::now();
    let mut samples = Vec::new();
    let (mut said, mut looked) = (0.0, Duration::ZERO);
    loop {
        let at = begun.elapsed();
        live.set_position(at.as_secs() as usize);
        live.count(crowd.talk.deliveries(), None);
        if at.as_secs() >= args.seconds {
            return Ok(samples);
        }
        while said / rate <= at.as_secs_f64() {
            crowd.say_something();
            said += 1.0;
        }
        if let Some(watched) = watched.filter(|_| looked <= at) {
            samples.push(Sample::new(at, crowd.present(), &watched.usage()?));
            looked = at + SOAK_SAMPLE;
        }
        crowd.turn()?;
    }
}
