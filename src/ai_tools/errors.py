"""Every error that a user can cause, with the fix in its message.

AIToolsError
├── NotConfirmed           exit 0: the plan was shown, and the work not wanted
├── UsageError             exit 2: wrong usage or settings, found before any work
│   ├── SettingsError      a setting's value or name
│   ├── MissingExtra       an optional dependency is not installed
│   ├── MissingStep        a step was run before the one that it needs
│   ├── InputError         a document, exam or data file cannot be used
│   └── TeacherRefused     the endpoint knows no such key, model or address; nothing will change by asking again
└── WorkError              exit 1: the work was started and failed; what was finished is kept
    ├── CutTooLarge        no passage has as many summaries as the cut asks for
    ├── TooManyFailures    more than MAX_FAILURE_RATE of the items failed
    ├── TeacherUnreachable the endpoint does not answer
    ├── BudgetReached      the next call would pass MAX_CALLS, MAX_TOKENS_TOTAL or MAX_USD
    ├── NothingProduced    a step made no rows
    └── Contaminated       an exam question is left in the training rows
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .escaping import escaped

DISTRIBUTION = "knowledge-tuning"  # what pip knows the three packages by; the command's name is a stranger's there


class AIToolsError(Exception):
    exit_code = 1

    def __str__(self) -> str:
        return escaped(super().__str__())  # it may name a file, or say what somebody else said


class NotConfirmed(AIToolsError):
    exit_code = 0


class UsageError(AIToolsError):
    exit_code = 2


class SettingsError(UsageError):
    """`setting` is the one that it is about, where it is about one; `also` is what is wrong with others."""

    def __init__(self, reason: str, *, setting: str = "", value: Any = "", also: Sequence[SettingsError] = ()):
        self.reason, self.setting, self.value, self.also = reason, setting, value, also
        super().__init__(self.said())

    def said(self, names: Mapping[str, str] = MappingProxyType({})) -> str:
        """The message, with each setting called what `names` says that the user called it."""
        name = names.get(self.setting, f"{self.setting.upper()}=")
        own = f"{name}{self.value}: {self.reason}" if self.setting else self.reason
        return "; ".join([own, *(other.said(names) for other in self.also)])


class MissingExtra(UsageError):
    def __init__(self, extra: str, package: str):
        super().__init__(f"{package} is not installed. Fix, in the project's folder: pip install -e '.[{extra}]'")


class MissingStep(UsageError): ...


class InputError(UsageError): ...


class TeacherRefused(UsageError): ...


class WorkError(AIToolsError): ...


class CutTooLarge(WorkError): ...


class TooManyFailures(WorkError): ...


class TeacherUnreachable(WorkError): ...


class BudgetReached(WorkError): ...


class NothingProduced(WorkError): ...


class Contaminated(WorkError): ...
