"""The shape of a reply, as prompts show it and as endpoints are told it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, cast, get_args

from pydantic.fields import FieldInfo

from ..records import Call
from .replies import PARTS, REPLIES

# One fact for every four tokens of a passage of 512 (CHUNK_TOKENS): no row of a table is shorter. A list without a top
# goes on until the context is full.
MOST_FACTS = 128
BOUNDS = frozenset(("minItems", "maxItems", "minimum", "maximum", "additionalProperties"))  # which many do not know


def shape(reply: str, fields: dict[str, Any]) -> str:
    """The reply's shape as a line of JSON, for the prompt: some endpoints heed no schema."""
    return _shape(reply, _left_out(reply, fields))


@lru_cache
def _shape(reply: str, left_out: frozenset[str]) -> str:
    name, part = PARTS[reply]
    row: Any = "..."
    if part is not str:
        fields = {key: field for key, field in part.model_fields.items() if key not in left_out}
        row = {key: "<id>" if key == "id" else _example(field) for key, field in fields.items()}
    return json.dumps({name: [row]})


def _example(field: FieldInfo) -> Any:
    """What stands for a value; never points, which a weak model copies, and which would pass for a reply."""
    if field.annotation is float:
        most, *_, least = cast(dict[str, Any], field.json_schema_extra)["enum"]
        return f"<{least} to {most}>"
    if get_args(field.annotation) and get_args(field.annotation)[0] is not str:
        return " | ".join(get_args(field.annotation))
    return {str: "...", bool: True}.get(cast(type, field.annotation), ["..."])


def unbounded(node: Any) -> Any:
    """A JSON schema without the keywords that not every endpoint knows."""
    if isinstance(node, list):
        return list(map(unbounded, node))
    if not isinstance(node, dict):
        return node
    return {name: unbounded(value) for name, value in node.items() if name not in BOUNDS and not _are_numbers(value)}


def _are_numbers(value: Any) -> bool:
    """Whether a keyword's value is a list of numbers, as that of an enum of points."""
    return isinstance(value, list) and not any(isinstance(one, str) for one in value)


def schema(call: Call) -> dict[str, Any]:
    """The JSON schema of a call's reply, as strict endpoints want it: every property required, no others allowed.

    Lists are no longer than what is asked for, and an id or an angle is one of those that the call has: a weak model
    goes on for ever otherwise.
    """
    fields = call.fields
    facts, pairs = fields.get("facts"), fields.get("pairs")
    angles, count = fields.get("angles", ()), fields.get("count", 0)
    least = most = 0
    if call.reply == "summaries":
        least = most = len(angles)
    elif call.reply == "facts":
        most = MOST_FACTS
    elif call.reply in ("pairs", "reasoned_pairs", "exam"):
        most = count * (1 if facts is None else len(facts))
    elif pairs:  # one of each
        least = most = len(pairs)
    ids = tuple(item["id"] for item in facts or pairs or ())
    return _schema(call.reply, _left_out(call.reply, fields), least, most, ids, tuple(dict.fromkeys(angles)))


@lru_cache
def _schema(
    reply: str, left_out: frozenset[str], least: int, most: int, ids: tuple[str, ...], angles: tuple[str, ...]
) -> dict[str, Any]:
    whole = REPLIES[reply].model_json_schema()
    definitions = whole.pop("$defs", {})

    def strict(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return strict(definitions[node["$ref"].rsplit("/", 1)[1]])
        if node["type"] == "object":
            properties = {name: strict(x) for name, x in node["properties"].items() if name not in left_out}
            for name, values in (("id", ids), ("angle", angles)):
                if name in properties and values:
                    properties[name] |= {"enum": list(values)}
            required = {"required": list(properties), "additionalProperties": False}
            return {"type": "object", "properties": properties} | required
        plain = {name: node[name] for name in ("type", "enum", "maxItems") if name in node}
        return plain | ({"items": strict(node["items"])} if "items" in node else {})

    result = strict(whole)
    parts = result["properties"][PARTS[reply][0]]
    parts |= ({"minItems": least} if least else {}) | ({"maxItems": most} if most else {})
    return result


def _left_out(reply: str, fields: dict[str, Any]) -> frozenset[str]:
    """Of a pair, what is not asked for: the id of its fact, its reasoning."""
    asked = {"id": "facts" in fields, "reasoning": fields.get("reasoning")} if reply == "pairs" else {}
    return frozenset(name for name, wanted in asked.items() if not wanted)
