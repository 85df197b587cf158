from __future__ import annotations

from repobuild.model.compute.threads import KEPT, TRIED, ThreadTuner, thread_tuner


class Machine:
    """Takes a given time for a token, by the number of threads."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {int(name[1:]): value for name, value in seconds.items()}
        self.now, self.threads = 0.0, 2
        self.used: list[int] = []

    def use(self, threads: int) -> None:
        self.threads = threads
        self.used.append(threads)

    def run(self, chosen: ThreadTuner, steps: int) -> None:
        for step in range(steps):
            self.now += self.seconds[self.threads] * (100 + step % 7)
            chosen.step(100 + step % 7)


def pace_on(machine: Machine) -> ThreadTuner:
    return ThreadTuner((2, 1), machine.use, lambda: machine.now)


def test_an_idle_machine_uses_all_threads() -> None:
    machine = Machine(t1=1.0, t2=0.6)
    machine.run(pace_on(machine), 2 * TRIED)
    assert machine.used == [1, 2]


def test_a_busy_machine_uses_one() -> None:
    machine = Machine(t1=1.0, t2=1.8)
    machine.run(pace_on(machine), 2 * TRIED)
    assert machine.used == [1, 1]


def test_what_changes_is_noticed() -> None:
    machine = Machine(t1=1.0, t2=1.8)
    chosen = pace_on(machine)
    machine.run(chosen, 2 * TRIED + KEPT)
    assert machine.threads == 1
    machine.seconds = {1: 1.0, 2: 0.5}
    machine.run(chosen, 2 * TRIED + KEPT)
    assert machine.threads == 2


def test_few_steps_are_lost_to_the_slower_choice() -> None:
    machine = Machine(t1=1.0, t2=9.0)
    chosen = pace_on(machine)
    slow = 0
    for _ in range(1000):
        slow += machine.threads == 2
        machine.run(chosen, 1)
    assert slow < 0.05 * 1000


def test_several_processes_and_single_cores_are_left_alone() -> None:
    used: list[int] = []
    for chosen in (thread_tuner(8, 2, used.append), thread_tuner(1, 1, used.append)):
        for _ in range(400):
            chosen.step(10)
    assert used == []
