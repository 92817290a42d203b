"""Who trains what: hands tasks to the workers of a pool, and gives each task that a worker died over a second chance."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from nas.errors import UserError
from nas.proxy.job import Answer, Task
from nas.search.workers.pool import Pool

T = TypeVar("T")
U = TypeVar("U")

MAX_STILLBORN = 3
"""Worker processes in a row that end before they are ready: one may have been killed, several cannot start."""

DIED_TWICE = "its worker process died twice; workers.log in the study's folder may say why"


@dataclass
class Assignment(Generic[T]):
    """A task in a worker's hands.

    Attributes:
        task: What is to be trained.
        owner: Whose task it is: handed back with the answer.
        retried: Whether a worker died over it before.
    """

    task: Task
    owner: T
    retried: bool = False


@dataclass
class Crew(Generic[T]):
    """The workers of a pool.

    Attributes:
        pool: Theirs.
        say: Is told of deaths, with the owner of the task.
    """

    pool: Pool
    say: Callable[[T], None]
    _ready: set[int] = field(default_factory=set)
    _free: set[int] = field(default_factory=set)
    _busy: dict[int, Assignment[T]] = field(default_factory=dict)
    _again: dict[int, Assignment[T]] = field(default_factory=dict)
    _stillborn: int = 0

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

    def handed_over(self, say: Callable[[U], None]) -> "Crew[U]":
        """The same workers, none of them at work, for tasks of another kind."""
        assert not self.at_work
        return Crew(self.pool, say, self._ready, self._free)

    def wait(self, seconds: float) -> tuple[T, Answer, int] | None:
        """The next answer with its task's owner and the worker's number; None where there is none after `seconds`, or other news.

        Raises:
            UserError: Three worker processes in a row ended before they were ready.
        """
        event = self.pool.wait(seconds)
        if event is None:
            return None
        if event.died:
            return self._bury(event.worker)
        self._ready.add(event.worker)
        self._stillborn = 0
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
            self._stillborn += 1
            if self._stillborn >= MAX_STILLBORN:
                raise UserError(
                    f"{MAX_STILLBORN} worker processes in a row ended before they were ready: workers.log in the study's folder says why"
                )
        self._ready.discard(worker)
        self._free.discard(worker)
        lost = self._busy.pop(worker, None)
        self.pool.restart(worker)
        if lost is None:
            return None
        if lost.retried:
            return lost.owner, Answer(None, DIED_TWICE), worker
        self.say(lost.owner)
        self._again[worker] = Assignment(lost.task, lost.owner, retried=True)
        return None
