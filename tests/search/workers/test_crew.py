"""Second chances: after deaths, after faults of the machine, and where there is no use in another."""

from collections import deque

import pytest

from nas.errors import UserError
from nas.proxy.job import Answer, Task
from nas.search.workers.crew import DIED_TWICE, Crew
from nas.search.workers.pool import Event

TASK = Task("{}", 0)
SHORT = Answer(None, "OutOfMemoryError: too much", "memory")
FULL = Answer(None, "OSError: [Errno 28] No space left on device", "system")
DEATH = Event(0, died=True)


class Scripted:
    """A pool in which happens what a test says."""

    def __init__(self, *events):
        self.events, self.restarted = deque(events), []

    def open(self, workplace): ...

    def submit(self, worker, task): ...

    def wait(self, seconds):
        return self.events.popleft() if self.events else None

    def restart(self, worker):
        self.restarted.append(worker)
        self.events.append(Event(worker))

    def close(self): ...


def crew_of(*events):
    """A crew whose only worker has a task, and what it says of deaths."""
    said, pool = [], Scripted(Event(0))
    crew = Crew(pool, lambda owner, reason: said.append((owner, reason)))
    crew.wait(0)
    crew.give(TASK, "a trial")
    pool.events.extend(events)
    return crew, said


def news(crew, count):
    return [found for _ in range(count) if (found := crew.wait(0)) is not None]


def test_a_fault_of_the_machine_gets_a_second_chance_in_a_new_process():
    crew, said = crew_of(Event(0, SHORT), DEATH)
    assert news(crew, 2) == []
    assert said == [("a trial", SHORT.reason)]
    assert crew.pool.restarted == [0]
    assert crew.at_work == ["a trial"]
    assert not crew.has_free
    crew.pool.events.append(Event(0, Answer(None, "diverged")))
    assert news(crew, 2) == [("a trial", Answer(None, "diverged"), 0)]
    assert crew.has_free


def test_the_second_fault_is_the_answer_and_keeps_its_reason():
    crew, said = crew_of(DEATH)
    crew.wait(0)
    crew.wait(0)  # Its successor is ready, and has the task.
    crew.pool.events.extend([Event(0, SHORT), DEATH])
    ((owner, answer, _),) = news(crew, 2)
    assert (owner, answer.reason) == ("a trial", f"{SHORT.reason} (tried twice)")
    assert said == [("a trial", "")]
    assert crew.at_work == []


def test_a_second_death_without_a_word_is_not_explained_by_the_first():
    crew, _ = crew_of(Event(0, SHORT), DEATH)
    news(crew, 3)
    crew.pool.events.append(DEATH)
    assert news(crew, 1) == [("a trial", DIED_TWICE, 0)]


def test_a_full_disk_ends_the_search_with_the_trial_still_in_hand():
    crew, _ = crew_of(Event(0, FULL), DEATH)
    news(crew, 3)
    crew.pool.events.extend([Event(0, FULL), DEATH])
    crew.wait(0)
    with pytest.raises(UserError, match=r"No space left on device.*workers\.log.*goes on from here"):
        crew.wait(0)
    assert crew.at_work == ["a trial"]


def test_workers_that_are_killed_at_the_start_at_the_same_time_are_replaced():
    pool = Scripted(*(Event(worker, died=True) for worker in range(5)))
    crew = Crew(pool, lambda *_: None)
    news(crew, 10)
    assert pool.restarted == [0, 1, 2, 3, 4]
    assert len(crew._free) == 5


def test_a_worker_that_never_gets_ready_ends_the_search():
    pool = Scripted(Event(0, died=True), Event(1, died=True))
    crew = Crew(pool, lambda *_: None)
    news(crew, 4)  # Both died once; their successors are ready.
    pool.events.extend([DEATH])  # After it was ready: counts for nothing.
    news(crew, 1)
    pool.events.clear()
    pool.events.extend([DEATH, DEATH, DEATH])
    news(crew, 2)
    with pytest.raises(UserError, match=r"worker 0 ended 3 times in a row before it was ready: workers\.log"):
        crew.wait(0)
