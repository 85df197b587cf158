from __future__ import annotations

from repobuild.model.compute.threads import (
    KEEP_STEPS,
    TRIAL_STEPS,
    ThreadTuner,
    make_thread_tuner,
)


class Machine:
    """Needs a given number of seconds for a token, by the number of threads."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {int(name[1:]): value for name, value in seconds.items()}
        self.now, self.threads = 0.0, 2
        self.used: list[int] = []

    def use(self, threads: int) -> None:
        self.threads = threads
        self.used.append(threads)

    def run(self, tuner: ThreadTuner, steps: int) -> None:
        for step in range(steps):
            self.now += self.seconds[self.threads] * (100 + step % 7)
            tuner.step(100 + step % 7)


def tuner_on(machine: Machine) -> ThreadTuner:
    return ThreadTuner((2, 1), machine.use, lambda: machine.now)


def test_an_idle_machine_uses_all_threads() -> None:
    machine = Machine(t1=1.0, t2=0.6)
    machine.run(tuner_on(machine), 2 * TRIAL_STEPS)
    assert machine.used == [1, 2]


def test_a_busy_machine_uses_one() -> None:
    machine = Machine(t1=1.0, t2=1.8)
    machine.run(tuner_on(machine), 2 * TRIAL_STEPS)
    assert machine.used == [1, 1]


def test_a_change_of_the_machine_is_noticed() -> None:
    machine = Machine(t1=1.0, t2=1.8)
    tuner = tuner_on(machine)
    machine.run(tuner, 2 * TRIAL_STEPS + KEEP_STEPS)
    assert machine.threads == 1
    machine.seconds = {1: 1.0, 2: 0.5}
    machine.run(tuner, 2 * TRIAL_STEPS + KEEP_STEPS)
    assert machine.threads == 2


def test_the_slower_choice_takes_few_steps() -> None:
    machine = Machine(t1=1.0, t2=9.0)
    tuner = tuner_on(machine)
    slow = 0
    for _ in range(1000):
        slow += machine.threads == 2
        machine.run(tuner, 1)
    assert slow < 0.05 * 1000


def test_several_processes_and_single_cores_keep_their_threads() -> None:
    used: list[int] = []
    for tuner in (
        make_thread_tuner(8, 2, used.append),
        make_thread_tuner(1, 1, used.append),
    ):
        for _ in range(400):
            tuner.step(10)
    assert used == []
