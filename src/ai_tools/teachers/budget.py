"""What calls take and may take: estimates of tokens, and the budget of an output folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import BudgetReached, SettingsError
from ..records import Call, Completion, Teacher
from .providers import price

BYTES_PER_TOKEN = 4  # English prose with most tokenizers; an estimate, never a count
MOST_TOKENS = 10**9  # of one call; what is beyond is no number of tokens
SAFE_BYTES_PER_TOKEN = 2.5  # what a budget reckons with before it knows


def amount(value: Any) -> int:
    """A number of tokens as an endpoint tells it; 0 for what can be none."""
    return value if isinstance(value, int) and 0 <= value < MOST_TOKENS else 0


def tokens_of(call: Call, bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """About how many tokens a call's messages have."""
    return round(sum(len(message["content"].encode()) for message in call.messages) / bytes_per_token)


def is_estimate(call: Call, completion: Completion) -> bool:
    """Whether a completion's counts are those that stand in where an endpoint gives none."""
    estimated = tokens_of(call), len(completion.text) // BYTES_PER_TOKEN
    return (completion.prompt_tokens, completion.completion_tokens) == estimated


@dataclass(frozen=True)
class Limits:
    """What asking may take, and how hard it is tried: the settings of these names."""

    max_calls: int | None = None
    max_tokens_total: int | None = None
    max_usd: float | None = None
    max_failure_rate: float = 0.1
    max_concurrency: int | None = None
    max_retries: int = 5
    items_per_call: int | None = None
    request_timeout: float | None = None
    server_wait: float = 600.0
    retry_rejected: bool = False
    teacher_price: tuple[float, float] | None = None


Amounts = tuple[int, int, float]  # requests, tokens, US dollars


class Budget:
    """MAX_CALLS, MAX_TOKENS_TOTAL and MAX_USD over all calls of an output folder, earlier runs included.

    Before a call is sent, the most that it can take is set aside; when it is done, what it took is counted. A call that
    finds no room waits while others may give some back, and raises BudgetReached when there are none.

    `tokens` and `usd` are those of this run; `has_prices` says that those of both teachers are known.
    """

    def __init__(self, limits: Limits, spent: Iterable[dict[str, Any]], teachers: Iterable[Teacher]):
        self._limits = limits
        self._is_unlimited = not (limits.max_calls or limits.max_tokens_total or limits.max_usd)
        self._earlier: Amounts = (0, 0, 0.0)
        for row in spent:
            tokens = row["tokens_in"], row["tokens_out"]
            usd = self._usd(row["provider"], row["model"], *tokens)
            self._earlier = _sum(self._earlier, (row["requests"], sum(tokens), usd))
        self.requests, self.tokens, self.usd = 0, 0, 0.0
        self._reserved: dict[str, Amounts] = {}  # by the keys of calls
        self._returned = asyncio.Event()
        unknown = [who.model for who in teachers if not price(who.provider, who.model, limits.teacher_price)]
        self.has_prices = not unknown
        if limits.max_usd and unknown:
            fix = "set TEACHER_PRICE to dollars for a million tokens in and out, such as 0.15,0.60"
            words = f"the price of {unknown[0]} is unknown; {fix}"
            raise SettingsError(words, setting="max_usd", value=f"{limits.max_usd:g}")

    async def reserve(self, teacher: Teacher, call: Call) -> None:
        """Set aside what a call can take. Raises BudgetReached, naming the limit and what was used."""
        if self._is_unlimited:
            return
        tokens = tokens_of(call, SAFE_BYTES_PER_TOKEN), max(call.max_tokens, 0)
        need = (1, sum(tokens), self._usd(teacher.provider, teacher.model, *tokens))
        while passed := self._passed(need):
            if not self._reserved:
                raise BudgetReached(f"{passed}; all finished work is kept; raise the limit to go on")
            self._returned.clear()
            await self._returned.wait()
        self._reserved[call.key] = need

    def settle(self, teacher: Teacher, call: Call, completion: Completion | None, requests: int = 1) -> None:
        """Count what one attempt took; a failed one (None) took no tokens."""
        self.requests += requests
        if completion:
            tokens = completion.prompt_tokens, completion.completion_tokens
            self.tokens += sum(tokens)
            self.usd += self._usd(teacher.provider, teacher.model, *tokens)
        if self._reserved.pop(call.key, None):
            self._returned.set()

    def _usd(self, provider: str, model: str, tokens_in: int, tokens_out: int) -> float:
        """What tokens cost; 0 where nobody knows."""
        cost = price(provider, model, self._limits.teacher_price)
        return cost.of(tokens_in, tokens_out) if cost else 0.0

    def _passed(self, need: Amounts) -> str:
        """The limit that one more call could pass, in words; empty where none."""
        limits, used = self._limits, _sum(self._earlier, (self.requests, self.tokens, self.usd))
        requests, tokens, usd = _sum(used, need, *self._reserved.values())
        if limits.max_calls and requests > limits.max_calls:
            return f"MAX_CALLS={limits.max_calls}: {used[0]:,} requests made"
        if limits.max_tokens_total and tokens > limits.max_tokens_total:
            left = f"{used[1]:,} tokens used, the next call may take {need[1]:,}"
            return f"MAX_TOKENS_TOTAL={limits.max_tokens_total}: {left}"
        if limits.max_usd and usd > limits.max_usd:
            return f"MAX_USD={limits.max_usd:g}: ${used[2]:.4f} used, the next call may take ${need[2]:.4f}"
        return ""


def _sum(*amounts: Amounts) -> Amounts:
    requests, tokens, usd = map(sum, zip(*amounts, strict=True))
    return requests, tokens, usd
