"""Teachers: who is asked, with what words, how hard, and what came of it.

connect     the settings -> a teacher                 asker      calls through the journal, side by side
providers   who there is, and what tokens cost        dry_run    the same without asking: what it would take
prompts     words of a call                           journal    the durable record of every call
replies     what must come back, read by json_text    throttle   further attempts, outages
schemas     its shape, as it is asked for             pace       calls at a time, and seconds for each
by_id       several things in one call                budget     most calls, tokens and money
sizes       tokens of a call                          contexts   tokens that an endpoint holds
standing    what the journal has of a call
client      one attempt at one call of an endpoint, in the dialect that it takes, over the wire
"""

from .asker import leaving
from .connect import Check, check, connect, connect_judge, describe, make_asker, sampling

__all__ = ["Check", "check", "connect", "connect_judge", "describe", "leaving", "make_asker", "sampling"]
