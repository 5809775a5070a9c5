"""English words: the word lists, and the forms of verbs and nouns.

words(), pattern()      the word lists and patterns of english.yaml
lemma() … readings()    forms of verbs and nouns, from lemminflect's word lists
is_person(), is_unit()  what a noun names
lowered(), capital()    a phrase inside a sentence and at its beginning
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources
from typing import Any

NOUNS = frozenset(["NN", "NNS"])
DATA = resources.files(__package__) / "english.yaml"


@cache
def data() -> dict[str, Any]:
    """The data file, read once."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    lists: dict[str, list[str]] = {"numbers": list(found["numbers"])}
    for name, text in found["words"].items():  # <name> stands for the words of a list above
        lists[name] = [w for word in text.split() for w in (lists[word[1:-1]] if word[0] == "<" else [word])]
    any_of = {name: sorted(map(re.escape, of), key=len, reverse=True) for name, of in lists.items()}
    patterns = any_of | {"fixed": list(found["fixed_phrases"].values())} | found["patterns"] | found["outlines"]
    joined = {name: of if isinstance(of, str) else "|".join(of) for name, of in patterns.items()}
    return found | {"words": lists, "patterns": joined}


@cache
def words(*lists: str) -> frozenset[str]:
    """The words of one or more lists of the data file."""
    return frozenset(word for name in lists for word in data()["words"][name])


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A compiled pattern, in which <name> stands for any word of a list or for another pattern of the data file."""
    return re.compile(_filled(text))


def _filled(text: str) -> str:
    return re.sub("<([a-z_]+)>", lambda name: f"(?:{_filled(data()['patterns'][name[1]])})", text)


@lru_cache(maxsize=50_000)
def _lemmas(word: str) -> dict[str, tuple[str, ...]]:
    """The dictionary forms of a word by class: each look-up of the library copies what it finds, and is slow."""
    from lemminflect import getAllLemmas  # imported late: its word lists take 0.2 s to load

    return dict(getAllLemmas(word))


@lru_cache(maxsize=50_000)
def _verb_forms(verb: str) -> dict[str, tuple[str, ...]]:
    from lemminflect import getAllInflections

    return dict(getAllInflections(verb, "VERB"))


@lru_cache(maxsize=50_000)
def lemma(word: str, kind: str = "VERB") -> str:
    """The dictionary form of a verb or noun; the word itself where the word lists do not know it."""
    first, _, particle = word.lower().partition(" ")  # "took up" is one verb
    found = _lemmas(first).get(kind, ())
    return f"{found[0] if found else first} {particle}".rstrip()


@lru_cache(maxsize=50_000)
def inflect(verb: str, tag: str) -> str:
    """A verb's form: VBZ, VBD, VBN, VBG or VB."""
    from lemminflect import getInflection

    first, _, particle = verb.partition(" ")
    found = getInflection(first, tag=tag)
    return f"{found[0] if found else first} {particle}".rstrip()


def _regular_plural(word: str) -> bool:
    """Whether a word with a meaning of its own ("letters") is rather the plural of another ("letter")."""
    stem = word[:-1] if re.fullmatch(r"[a-z-]*[^isu]s", word) and word not in words("singular_with_s") else ""
    return bool(stem) and stem in _lemmas(stem).get("NOUN", ())


@lru_cache(maxsize=50_000)
def readings(word: str) -> frozenset[str]:
    """Every class that the word lists allow a word, the context aside."""
    low = word.lower()
    found: set[str] = set()
    for kind, lemmas in _lemmas(low).items():
        if kind == "VERB":
            for form in lemmas:
                found |= {tag for tag, known in _verb_forms(form).items() if low in known}
                if low == form:
                    found |= {"VB", "VBP"}
                elif low.endswith("s"):
                    found.add("VBZ")
                elif low.endswith("ing"):
                    found.add("VBG")
                elif "VBN" not in _verb_forms(form):  # regular verbs list one past form
                    found |= {"VBD", "VBN"}
        elif kind == "NOUN":
            found.add("NN" if low in lemmas and not _regular_plural(low) else "NNS")
        elif kind in ("ADJ", "ADV"):
            found.add("JJ" if kind == "ADJ" else "RB")
    if low.endswith("ible"):
        found = {"JJ"}  # the word lists have "responsible" as a noun only
    if low.removesuffix("s") in words("extra_nouns") or (not found and re.fullmatch(r"[a-z-]+s", low)):
        found.add("NNS" if low.endswith("s") else "NN")
    return frozenset(found)


def is_unit(noun: str) -> bool:
    """Whether a plural noun measures (metres, euros) and does not count; unknown ones are taken for currencies."""
    return noun.lower() in words("units") or not _lemmas(noun.lower())


def is_person(noun: str) -> bool:
    """Whether a noun names a person, a post or a body of people, by the list `people`."""
    if noun in words("bodies_or_things"):
        return False  # "a service unit", but "the Monitoring Unit"
    return not words("people").isdisjoint((low := noun.lower(), low.removesuffix("s"), lemma(low, "NOUN")))


def lowered(noun: str, names: frozenset[str] = frozenset()) -> str:
    """A phrase as it reads inside a sentence: the first letter small unless it begins a name."""
    first, _, rest = noun.partition(" ")
    first = first.split("'")[0]
    small = noun[:1].lower() + noun[1:]
    if first.lower() in words("determiners", "prepositions", "subordinators", "numbers"):
        return small
    spelled = not first.replace("-", "").isalpha() or re.search("[A-Z]", first[1:]) is not None
    named = first in names or spelled or rest[:1].isupper()
    return small if not named and readings(first.split("-")[-1]) else noun


def capital(text: str) -> str:
    """A phrase as a sentence begins with it."""
    return text[:1].upper() + text[1:]
