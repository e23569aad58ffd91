//! Started image → how much of start-up it holds, and what the rest of it asks for.
//!
//! The image goes on in the made-up world of a trial up to where the program first waits for something, and the
//! instructions are counted. A trial that watches memory does not do for this: to tell places of the script means to run
//! code of the engine.

use edgepack_format::guest::EXPORT_RUN;
use edgepack_format::host_calls::HostCall;

use crate::Result;
use crate::engine::Engine;
use crate::frozen::Frozen;
use crate::machine::Guest;
use crate::reasons::reason;
use crate::requests::argument;
use crate::sealed::{Sealing, stop};
use crate::snapshot::{Position, Share, Stop};
use crate::trial::{TRIAL_BUDGET, TrialHost};

/// Of what is asked for after start-up has stopped, so much is noted: enough to see what to do about it.
const ASKED_MAX: usize = 16;

/// What has been noted of a run.
pub(crate) struct Survey {
    frozen: Frozen,
    /// The calls, each with the instructions before it.
    asked: Vec<(Stop, u64)>,
    /// Instructions up to the first wait.
    start_up: Option<u64>,
}

/// What a call means to a survey.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// Start-up goes on.
    GoesOn,
    /// The program waits.
    StartUpEnded,
}

impl Survey {
    /// Notes a call that has no answer at build time.
    pub(crate) fn note(&mut self, row: &'static HostCall, args: &[i64], guest: &mut dyn Guest) -> Noted {
        let instructions = guest.counted();
        if row.name == "wait" || row.name == "program_exit" {
            self.start_up = Some(instructions);
            return Noted::StartUpEnded;
        }
        if self.asked.len() < ASKED_MAX {
            let reason = reason(row.name, &argument(row, args, guest));
            let stop = stop(row.name, reason, guest);
            // Several calls of one statement are one matter; those of none are the engine's own at boot.
            let place = stop.positions.first().copied();
            let is_new = place.is_some_and(|place| !self.places().any(|known| known == place));
            if is_new && self.frozen.answer(&stop).is_none() {
                self.asked.push((stop, instructions));
            }
        }
        Noted::GoesOn
    }

    fn places(&self) -> impl Iterator<Item = Position> {
        self.asked.iter().filter_map(|(stop, _)| stop.positions.first().copied())
    }
}

/// The share of start-up that is done in `memory`, which took `done` instructions; `None` if the rest does not end.
pub(crate) fn survey(engine: &Engine, memory: &[u8], done: u64, sealing: Sealing<'_>) -> Result<Option<Share>> {
    let noted = Survey { frozen: sealing.frozen.clone(), asked: Vec::new(), start_up: None };
    let mut guest = engine.start_from(memory, TrialHost::new(sealing).surveying(noted))?;
    let ended = guest.call_within(TRIAL_BUDGET, EXPORT_RUN, &[]).is_ok();
    let all = guest.counted();
    let Some(survey) = guest.host().and_then(TrialHost::surveyed) else { return Ok(None) };
    let Some(rest) = survey.start_up.or(ended.then_some(all)) else { return Ok(None) };
    Ok(Some(Share { done, rest, asked: survey.asked }))
}
