//! What tests need beside themselves: started before them, stopped whatever happens.

mod apt;
mod browser;
mod npm;
mod postgres;
pub(crate) mod python;
mod redis;
mod s3;
mod script;
mod smtp;
mod validator;

use std::path::Path;

use anyhow::{Context, Result};

/// A service that lives as long as one run of the tests.
pub(crate) trait Service {
    fn name(&self) -> &'static str;

    /// Starts it, and says by which environment variables tests find it.
    fn start(&mut self) -> Result<Vec<Variable>>;

    /// Stops it and removes what it left. Called once, even if its start failed half-way; tells the terminal what
    /// went wrong, since nobody else can act on it.
    fn stop(&mut self);
}

/// An environment variable.
pub(crate) type Variable = (&'static str, String);

/// The services of one run. Dropping it stops them, the last one first.
pub(crate) struct Services {
    idle: Vec<Box<dyn Service>>,
    started: Vec<Box<dyn Service>>,
}

impl Services {
    /// Those that tests need by default. Finds or installs their programs, some into `scratch`, and clears what a
    /// killed run left.
    pub(crate) fn for_tests(scratch: &Path) -> Result<Self> {
        Ok(Self::new(vec![
            Box::new(postgres::Postgres::prepare()?),
            Box::new(redis::prepare(scratch)?),
            Box::new(s3::prepare(scratch)?),
            Box::new(smtp::prepare(scratch)?),
            Box::new(npm::prepare(scratch)?),
            Box::new(validator::prepare(scratch)?),
            Box::new(browser::prepare()?),
        ]))
    }

    /// The one that the bench measures with: as durable as it comes.
    pub(crate) fn for_bench() -> Result<Self> {
        Ok(Self::new(vec![Box::new(postgres::Postgres::prepare()?)]))
    }

    /// None.
    pub(crate) fn none() -> Self {
        Self::new(Vec::new())
    }

    fn new(services: Vec<Box<dyn Service>>) -> Self {
        Self { idle: services, started: Vec::new() }
    }

    /// Starts them in order and returns the variables of all.
    pub(crate) fn start(&mut self) -> Result<Vec<Variable>> {
        let mut variables = Vec::new();
        for service in self.idle.drain(..) {
            self.started.push(service);
            if let Some(service) = self.started.last_mut() {
                let name = service.name();
                variables.extend(service.start().with_context(|| format!("cannot start {name}"))?);
            }
        }
        Ok(variables)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        while let Some(mut service) = self.started.pop() {
            service.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    use anyhow::bail;

    use super::*;

    type Journal = Rc<RefCell<Vec<String>>>;

    struct Recorded {
        name: &'static str,
        fails: bool,
        journal: Journal,
    }

    impl Service for Recorded {
        fn name(&self) -> &'static str {
            self.name
        }

        fn start(&mut self) -> Result<Vec<Variable>> {
            self.journal.borrow_mut().push(format!("start {}", self.name));
            if self.fails {
                bail!("no room");
            }
            Ok(vec![(self.name, "address".to_owned())])
        }

        fn stop(&mut self) {
            self.journal.borrow_mut().push(format!("stop {}", self.name));
        }
    }

    fn services(list: &[(&'static str, bool)]) -> (Services, Journal) {
        let journal = Journal::default();
        let boxed = |&(name, fails): &(&'static str, bool)| -> Box<dyn Service> {
            Box::new(Recorded { name, fails, journal: Rc::clone(&journal) })
        };
        (Services::new(list.iter().map(boxed).collect()), journal)
    }

    #[test]
    fn the_last_one_started_stops_first() {
        let (mut services, journal) = services(&[("A", false), ("B", false)]);
        let variables = services.start().unwrap();
        drop(services);
        assert_eq!(variables, [("A", "address".to_owned()), ("B", "address".to_owned())]);
        assert_eq!(*journal.borrow(), ["start A", "start B", "stop B", "stop A"]);
    }

    #[test]
    fn a_failed_start_is_stopped_too_and_the_rest_never_starts() {
        let (mut services, journal) = services(&[("A", false), ("B", true), ("C", false)]);
        let error = services.start().unwrap_err();
        drop(services);
        assert_eq!(format!("{error:#}"), "cannot start B: no room");
        assert_eq!(*journal.borrow(), ["start A", "start B", "stop B", "stop A"]);
    }

    #[test]
    fn a_panic_stops_them() {
        let (mut services, journal) = services(&[("A", false)]);
        let result = catch_unwind(AssertUnwindSafe(move || {
            services.start().unwrap();
            panic!("a bug");
        }));
        assert!(result.is_err());
        assert_eq!(*journal.borrow(), ["start A", "stop A"]);
    }
}
