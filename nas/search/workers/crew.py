"""Who trains what: hands tasks to the workers of a pool, and gives each task that a worker died over a second chance."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from nas.errors import UserError
from nas.proxy.job import Answer, Task
from nas.search.workers.pool import Pool

T = TypeVar("T")
U = TypeVar("U")

MAX_STILLBORN = 3
"""Times in a row that a worker's process ends before it is ready: one may have been killed, several cannot start."""

DIED_TWICE = Answer(None, "its worker process died twice; workers.log in the study's folder may say why")


@dataclass
class Assignment(Generic[T]):
    """A task in a worker's hands.

    Attributes:
        task: What is to be trained.
        owner: Whose task it is: handed back with the answer.
        retried: Whether a worker died over it before.
        ended: The answer if its worker dies now: what the worker said before, if anything.
    """

    task: Task
    owner: T
    retried: bool = False
    ended: Answer = DIED_TWICE


@dataclass
class Crew(Generic[T]):
    """The workers of a pool.

    Attributes:
        pool: Theirs.
        say: Is told of deaths, with the owner of the task and what the worker gave as the reason; empty where it said nothing.
    """

    pool: Pool
    say: Callable[[T, str], None]
    _ready: set[int] = field(default_factory=set)
    _free: set[int] = field(default_factory=set)
    _busy: dict[int, Assignment[T]] = field(default_factory=dict)
    _again: dict[int, Assignment[T]] = field(default_factory=dict)
    _stillborn: Counter[int] = field(default_factory=Counter)

    @property
    def has_free(self) -> bool:
        """Whether a task can be given."""
        return bool(self._free)

    @property
    def at_work(self) -> list[T]:
        """Owners of the tasks that are neither answered nor given up."""
        return [assignment.owner for assignment in (*self._busy.values(), *self._again.values())]

    def give(self, task: Task, owner: T) -> int:
        """Hands a task to a free worker; returns its number."""
        worker = self._free.pop()
        self._assign(worker, Assignment(task, owner))
        return worker

    def handed_over(self, say: Callable[[U, str], None]) -> "Crew[U]":
        """The same workers, none of them at work, for tasks of another kind."""
        assert not self.at_work
        return Crew(self.pool, say, self._ready, self._free)

    def wait(self, seconds: float) -> tuple[T, Answer, int] | None:
        """The next answer with its task's owner and the worker's number; None where there is none after `seconds`, or other news.

        Raises:
            UserError: A worker's process ended three times in a row before it was ready, or the operating system refused the same task
                twice what it needs.
        """
        event = self.pool.wait(seconds)
        if event is None:
            return None
        if event.died:
            return self._bury(event.worker)
        if event.answer is not None and event.answer.fault is not None:
            self._busy[event.worker].ended = event.answer
            return None
        self._ready.add(event.worker)
        del self._stillborn[event.worker]
        done = self._busy.pop(event.worker, None)
        if event.worker in self._again:
            self._assign(event.worker, self._again.pop(event.worker))
        else:
            self._free.add(event.worker)
        return None if done is None or event.answer is None else (done.owner, event.answer, event.worker)

    def _assign(self, worker: int, assignment: Assignment[T]) -> None:
        self._busy[worker] = assignment
        self.pool.submit(worker, assignment.task)

    def _bury(self, worker: int) -> tuple[T, Answer, int] | None:
        """A worker died: its task is done once more by its successor, and fails with the second."""
        if worker not in self._ready:
            self._count_stillborn(worker)
        self._ready.discard(worker)
        self._free.discard(worker)
        lost = self._busy.get(worker)
        if lost is not None:
            if lost.retried and lost.ended.fault == "system":
                raise UserError(
                    f"training cannot go on: {lost.ended.reason}, and the same when tried again. Mend that (free some space, put the "
                    "file back); workers.log in the study's folder has the traceback. The same command goes on from here"
                )
            del self._busy[worker]
            if not lost.retried:
                self._again[worker] = Assignment(lost.task, lost.owner, retried=True)
                self.say(lost.owner, lost.ended.reason if lost.ended.fault else "")
        self.pool.restart(worker)
        return (lost.owner, _twice(lost.ended), worker) if lost is not None and lost.retried else None

    def _count_stillborn(self, worker: int) -> None:
        self._stillborn[worker] += 1
        if self._stillborn[worker] >= MAX_STILLBORN:
            raise UserError(
                f"worker {worker} ended {MAX_STILLBORN} times in a row before it was ready: workers.log in the study's folder says why; "
                "where memory is short, fewer --workers help"
            )


def _twice(ended: Answer) -> Answer:
    return replace(ended, reason=f"{ended.reason} (tried twice)") if ended.fault else ended
