"""What tests of the tools that ask about pairs share: settings for a loopback teacher, the pairs that it was shown."""

import json
import re
from typing import Any

from endpoint import Endpoint

from ai_tools.settings import Settings, load_settings

Row = dict[str, Any]


def at(endpoint: Endpoint, **more: Any) -> Settings:
    """Settings that make the endpoint the teacher."""
    teacher = {"provider": "openai-compatible", "teacher_model_name": "m", "teacher_model_base_url": endpoint.url}
    return load_settings(**(teacher | more))


def pairs_of(body: Row) -> list[Row]:
    """The pairs, or comparisons of pairs, that a request shows."""
    found = re.search(r"<(pairs[-\w]*)>\n(.*?)\n\s*</\1>", body["messages"][1]["content"], re.DOTALL)
    assert found
    shown: list[Row] = json.loads(found[2])
    return shown
