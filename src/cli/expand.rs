//! `strata expand`: the program spelled out at a moment.

use super::output;
use super::program::{self, CheckOptions};
use crate::program::print::{self, Calendar};
use crate::run::moment;
use crate::semantics::calendar;
use clap::Args;
use std::path::PathBuf;

/// What `strata expand` takes.
#[derive(Args, Debug)]
pub(super) struct ExpandArgs {
    /// The rule file, or a built program (`.ir.json`)
    file: PathBuf,
    /// The moment to reckon from: a date or timestamp in the rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    #[command(flatten)]
    options: CheckOptions,
}

/// Dates in a zone at a moment.
struct Zoned {
    zone: jiff::tz::TimeZone,
    now: i64,
}

impl Calendar for Zoned {
    fn date(&self, days: i32) -> String {
        calendar::date(days).map_or_else(String::new, |date| date.to_string())
    }

    fn timestamp(&self, micros: i64) -> String {
        let Ok(moment) = jiff::Timestamp::from_microsecond(micros) else { return String::new() };
        let (local, offset) = (self.zone.to_datetime(moment), self.zone.to_offset(moment));
        let seconds = offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn today(&self) -> i32 {
        calendar::local_date(&self.zone, self.now).unwrap_or(0)
    }

    fn now(&self) -> i64 {
        self.now
    }
}

/// Runs the verb.
pub(super) fn expand(args: &ExpandArgs) -> u8 {
    let ready = match program::load(&args.file, &args.options) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let now = match moment::settle(&ready.program, args.now.as_deref()) {
        Ok((now, _)) => now,
        Err(finding) => return program::surroundings(&ready.sources, &[finding]),
    };
    // Rule files know whole seconds.
    let now = now.div_euclid(1_000_000) * 1_000_000;
    let dated = ready.program.at(now);
    let zoned = Zoned { zone: ready.program.zone(), now };
    output::result(&print::program(&dated.program, &zoned));
    0
}
