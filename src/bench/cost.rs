//! What a run cost the server: for a delivery, for a waiter, in all.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::process::Usage;

/// What the server spent, and what each waiter costs it.
#[derive(Debug, Serialize)]
pub struct Server {
    /// With the waiters held, before the first publish.
    held: Usage,
    /// Its time on a processor while it was measured, as a share of one processor.
    share: f64,
    per_delivery: Option<PerDelivery>,
    per_waiter: Option<PerWaiter>,
    /// Context switches in a second while it was measured.
    switches_a_second: f64,
}

/// Of the whole run, divided by the deliveries: each includes its next poll.
#[derive(Debug, Serialize)]
struct PerDelivery {
    cpu_us: f64,
    user_us: f64,
    system_us: f64,
    voluntary_switches: f64,
    involuntary_switches: f64,
}

/// The difference between waiters held and none, divided by their number.
#[derive(Debug, Serialize)]
struct PerWaiter {
    /// Its creation: to accept it, answer its greeting, and begin its first wait.
    cpu_us: f64,
    threads: f64,
    fds: f64,
    resident_bytes: f64,
    kernel_stack_bytes: f64,
    page_table_bytes: f64,
    virtual_bytes: f64,
}

impl Server {
    /// From its cost with no waiter, with so many held, and after so many deliveries.
    pub fn of(
        none: Option<&Usage>,
        held: Usage,
        after: &Usage,
        took: Duration,
        waiters: usize,
        deliveries: usize,
    ) -> Server {
        let switches = after.switches_since(&held);
        let switches = (switches.voluntary + switches.involuntary) as f64;
        Server {
            share: after.cpu_since(&held).as_secs_f64() / took.as_secs_f64(),
            per_delivery: PerDelivery::of(&held, after, deliveries),
            per_waiter: none.map(|none| PerWaiter::of(none, &held, waiters)),
            switches_a_second: switches / took.as_secs_f64(),
            held,
        }
    }

    /// Writes it as lines of a table, each a name and a value.
    pub fn write(&self, line: &mut impl FnMut(&str, String) -> fmt::Result) -> fmt::Result {
        let kib = |bytes: f64| bytes / 1024.0;
        if let Some(each) = &self.per_delivery {
            line(
                "server, a delivery",
                format!(
                    "{:.1} us of a processor ({:.1} user, {:.1} kernel); {:.2} + {:.2} context switches",
                    each.cpu_us,
                    each.user_us,
                    each.system_us,
                    each.voluntary_switches,
                    each.involuntary_switches
                ),
            )?;
        }
        if let Some(each) = &self.per_waiter {
            line(
                "server, a waiter",
                format!(
                    "{:.0} us of a processor to begin; {:.2} threads, {:.2} fds; KiB: {:.1} resident, \
                     {:.1} kernel stack, {:.1} page tables, {:.0} reserved",
                    each.cpu_us,
                    each.threads,
                    each.fds,
                    kib(each.resident_bytes),
                    kib(each.kernel_stack_bytes),
                    kib(each.page_table_bytes),
                    kib(each.virtual_bytes)
                ),
            )?;
        }
        line(
            "server, in all",
            format!(
                "{} threads, {} fds, {:.1} MiB resident; {:.0} % of a processor, \
                 {:.0} context switches a second",
                self.held.threads,
                self.held.fds,
                kib(self.held.resident as f64) / 1024.0,
                self.share * 100.0,
                self.switches_a_second
            ),
        )
    }
}

impl PerDelivery {
    fn of(before: &Usage, after: &Usage, deliveries: usize) -> Option<PerDelivery> {
        let each = |duration: Duration| duration.as_secs_f64() * 1e6 / deliveries as f64;
        let switches = after.switches_since(before);
        (deliveries > 0).then(|| PerDelivery {
            cpu_us: each(after.cpu_since(before)),
            user_us: each(after.user.saturating_sub(before.user)),
            system_us: each(after.system.saturating_sub(before.system)),
            voluntary_switches: switches.voluntary as f64 / deliveries as f64,
            involuntary_switches: switches.involuntary as f64 / deliveries as f64,
        })
    }
}

impl PerWaiter {
    fn of(none: &Usage, held: &Usage, waiters: usize) -> PerWaiter {
        let each = |of: fn(&Usage) -> u64| (of(held) as f64 - of(none) as f64) / waiters as f64;
        PerWaiter {
            cpu_us: held.cpu_since(none).as_secs_f64() * 1e6 / waiters as f64,
            threads: each(|usage| usage.threads),
            fds: each(|usage| usage.fds),
            resident_bytes: each(|usage| usage.resident),
            kernel_stack_bytes: each(|usage| usage.kernel_stacks),
            page_table_bytes: each(|usage| usage.page_tables),
            virtual_bytes: each(|usage| usage.virtual_size),
        }
    }
}
