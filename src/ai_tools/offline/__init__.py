"""The offline teacher: it answers the package's prompts by rules about English prose, without a language model.

teacher      one reply to each prompt: summaries, facts, questions, an exam, the judge
wordings     a fact -> questions with answers        answers    an answer -> its short form
facts        a passage -> sentences, each true by itself
clauses      a sentence -> subject, verb and phrases
english      word classes and forms; its word lists are in english.yaml
"""

from .teacher import OfflineTeacher

__all__ = ["OfflineTeacher"]
