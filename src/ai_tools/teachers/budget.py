"""What calls take and may take: estimates of tokens, and the budget of an output folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from ..errors import BudgetReached, SettingsError
from ..records import Call, Completion, Teacher
from ..settings import Settings
from .providers import Price, price

BYTES_PER_TOKEN = 4  # English prose with most tokenizers; an estimate, never a count
SAFE_BYTES_PER_TOKEN = 2.5  # what a budget reckons with before it knows


def tokens_of(call: Call, bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """About how many tokens a call's messages have."""
    return round(sum(len(message["content"].encode()) for message in call.messages) / bytes_per_token)


class Budget:
    """MAX_CALLS, MAX_TOKENS_TOTAL and MAX_USD over all calls of an output folder, earlier runs included.

    Before a call is sent, the most that it can take is set aside; when it is done, what it took is counted. A call that
    finds no room waits while others may give some back, and raises BudgetReached when there are none.
    """

    def __init__(self, settings: Settings, spent: Iterable[dict[str, Any]], teachers: Iterable[Teacher]):
        self.settings = settings
        self._prices: dict[tuple[str, str], Price | None] = {}
        self.calls = self.tokens = 0
        self.usd = 0.0  # of calls whose price is known
        for row in spent:
            self._count(
                row["requests"], row["tokens_in"], row["tokens_out"], self._price(row["provider"], row["model"])
            )
        self._set_aside = [0, 0, 0.0]
        self._reserved: dict[str, tuple[int, int, float]] = {}
        self._returned = asyncio.Event()
        self._unlimited = not (settings.max_calls or settings.max_tokens_total or settings.max_usd)
        if settings.max_usd:
            for teacher in teachers:
                if self._price(teacher.provider, teacher.model) is None:
                    fix = "set TEACHER_PRICE to dollars for a million tokens in and out, such as 0.15,0.60"
                    unknown = f"the price of {teacher.model} is unknown"
                    raise SettingsError(f"{unknown}; {fix}", setting="max_usd", value=f"{settings.max_usd:g}")

    def _price(self, provider: str, model: str) -> Price | None:
        if (provider, model) not in self._prices:
            self._prices[provider, model] = price(self.settings, provider, model)
        return self._prices[provider, model]

    async def reserve(self, teacher: Teacher, call: Call) -> None:
        """Set aside what a call can take. Raises BudgetReached, naming the limit and what was used."""
        if self._unlimited:
            return
        tokens_in = tokens_of(call, SAFE_BYTES_PER_TOKEN)
        tokens_out = max(call.max_tokens, 0)
        cost = self._price(teacher.provider, teacher.model)
        need = (1, tokens_in + tokens_out, cost.of(tokens_in, tokens_out) if cost else 0.0)
        while passed := self._passed(need):
            if not self._reserved:
                raise BudgetReached(f"{passed}; all finished work is kept; raise the limit to go on")
            self._returned.clear()
            await self._returned.wait()
        self._reserved[call.key] = need
        self._set_aside = [a + b for a, b in zip(self._set_aside, need, strict=True)]

    def settle(self, teacher: Teacher, call: Call, completion: Completion | None, requests: int = 1) -> None:
        """Count what one attempt took; a failed one (None) took no tokens."""
        tokens = (completion.prompt_tokens, completion.completion_tokens) if completion else (0, 0)
        self._count(requests, *tokens, self._price(teacher.provider, teacher.model))
        if need := self._reserved.pop(call.key, None):
            self._set_aside = [a - b for a, b in zip(self._set_aside, need, strict=True)]
            self._returned.set()

    def _count(self, requests: int, tokens_in: int, tokens_out: int, cost: Price | None) -> None:
        self.calls += requests
        self.tokens += tokens_in + tokens_out
        self.usd += cost.of(tokens_in, tokens_out) if cost else 0.0

    def _passed(self, need: tuple[int, int, float]) -> str:
        """The limit that one more call could pass, in words; empty where none."""
        calls, tokens, usd = (a + b for a, b in zip(self._set_aside, need, strict=True))
        limits = self.settings
        if limits.max_calls and self.calls + calls > limits.max_calls:
            return f"MAX_CALLS={limits.max_calls}: {self.calls:,} requests made"
        if limits.max_tokens_total and self.tokens + tokens > limits.max_tokens_total:
            used = f"{self.tokens:,} tokens used, the next call may take {need[1]:,}"
            return f"MAX_TOKENS_TOTAL={limits.max_tokens_total}: {used}"
        if limits.max_usd and self.usd + usd > limits.max_usd:
            return f"MAX_USD={limits.max_usd:g}: ${self.usd:.4f} used, the next call may take ${need[2]:.4f}"
        return ""
