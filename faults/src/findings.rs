//! What a case has done and what it has found.

use std::fmt::Write as _;

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Held,
    Broken,
    /// Why it could not be done here.
    NotRun(String),
}

/// One thing that has to hold, with the places where it does not.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `I1` and so on.
    pub invariant: &'static str,
    pub what: String,
    pub broken: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What was done, in numbers.
    pub done: Vec<String>,
    /// What was measured. Never judged.
    pub measured: Vec<String>,
    pub found: Vec<Finding>,
    pub not_run: Option<String>,
}

/// So many places of one finding are told.
const TOLD: usize = 10;

impl Findings {
    pub fn did(&mut self, what: impl Into<String>) {
        self.done.push(what.into());
    }

    pub fn measured(&mut self, what: impl Into<String>) {
        self.measured.push(what.into());
    }

    pub fn cannot(&mut self, why: impl Into<String>) {
        self.not_run = Some(why.into());
    }

    /// Holds where there is nothing in `broken`. What is said twice is one finding.
    pub fn holds(&mut self, invariant: &'static str, what: impl Into<String>, broken: Vec<String>) {
        let what = what.into();
        match self.found.iter_mut().find(|one| one.invariant == invariant && one.what == what) {
            Some(one) => one.broken.extend(broken),
            None => self.found.push(Finding { invariant, what, broken }),
        }
    }

    /// One place alone.
    pub fn is_so(
        &mut self,
        invariant: &'static str,
        what: impl Into<String>,
        is_so: bool,
        else_place: impl Into<String>,
    ) {
        let broken = if is_so { Vec::new() } else { vec![else_place.into()] };
        self.holds(invariant, what, broken);
    }

    pub fn state(&self) -> State {
        if self.found.iter().any(|one| !one.broken.is_empty()) {
            return State::Broken;
        }
        match &self.not_run {
            Some(why) => State::NotRun(why.clone()),
            // A case that has looked at nothing shows nothing.
            None if self.found.is_empty() => State::Broken,
            None => State::Held,
        }
    }

    /// The invariants that were looked at, in order, each once.
    fn invariants(&self, is_broken: bool) -> String {
        let mut named = self
            .found
            .iter()
            .filter(|one| one.broken.is_empty() != is_broken)
            .map(|one| one.invariant)
            .collect::<Vec<_>>();
        named.sort_by_key(|name| name.trim_start_matches('I').parse::<u32>().unwrap_or(0));
        named.dedup();
        named.join(" ")
    }

    /// For the screen: one line, and one for each place that is broken.
    pub fn line(&self, name: &str, title: &str, seconds: u64) -> String {
        let done = self.done.join(", ");
        match self.state() {
            State::NotRun(why) => format!("{name:<4}NOT RUN  {title}: {why}"),
            State::Held => format!("{name:<4}held     {title}: {done}; held: {} ({seconds} s)", self.invariants(false)),
            State::Broken => {
                let mut text =
                    format!("{name:<4}BROKEN   {title}: {done}; broken: {} ({seconds} s)", self.invariants(true));
                for one in self.found.iter().filter(|one| !one.broken.is_empty()) {
                    for place in one.broken.iter().take(TOLD) {
                        let _ = write!(text, "\n      {}: {}: {place}", one.invariant, one.what);
                    }
                }
                text
            }
        }
    }

    /// For the report.
    pub fn section(&self, name: &str, title: &str, seconds: u64) -> String {
        let state = match self.state() {
            State::Held => "held".to_owned(),
            State::Broken => "**BROKEN**".to_owned(),
            State::NotRun(why) => format!("not run: {why}"),
        };
        let mut text = format!("## {name}: {title}\n\n{state}; {seconds} s\n");
        for line in &self.done {
            let _ = write!(text, "\n- done: {line}");
        }
        for line in &self.measured {
            let _ = write!(text, "\n- measured: {line}");
        }
        text.push('\n');
        if !self.found.is_empty() {
            text.push_str("\n| invariant | what | |\n| --- | --- | --- |\n");
        }
        for Finding { invariant, what, broken } in &self.found {
            let state = if broken.is_empty() { "holds".to_owned() } else { format!("**{} broken**", broken.len()) };
            let _ = writeln!(text, "| {invariant} | {what} | {state} |");
        }
        for one in self.found.iter().filter(|one| !one.broken.is_empty()) {
            let _ = writeln!(text, "\n{}, {}:\n", one.invariant, one.what);
            for place in one.broken.iter().take(TOLD * 10) {
                let _ = writeln!(text, "    {place}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case that could not be done, or that has looked at nothing, has not held.
    #[test]
    fn nothing_looked_at_has_not_held() {
        let mut findings = Findings::default();
        assert_eq!(findings.state(), State::Broken);
        findings.cannot("no reason");
        assert_eq!(findings.state(), State::NotRun("no reason".to_owned()));
        findings.holds("I1", "a", Vec::new());
        findings.not_run = None;
        assert_eq!(findings.state(), State::Held);
        findings.holds("I1", "a", vec!["here".to_owned()]);
        assert_eq!((findings.state(), findings.found.len()), (State::Broken, 1));
        assert!(findings.line("F1", "t", 1).contains("I1: a: here"));
    }
}
