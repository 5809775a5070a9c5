"""The offline teacher: it answers the package's prompts by rules about English prose, without a language model.

teacher       one reply to each prompt: summaries, facts, questions, an exam, the judge
wordings      a fact -> questions with answers       soundness     which of them are asked
asker         all rules on one clause, made of       clause_rules  condition, subject, definition, list, ban
                                                     phrase_rules  time, number, doer, object, place, purpose
                                                     orders        the orders of words
values        numbers, codes and names inside        answers       an answer -> its short form
facts         a passage -> sentences, each true by itself; memory: what "it" and "the chart" stand for
blocks        paragraphs, lists, tables and definitions as sentences
clauses       a sentence -> subject, verb and phrases
phrases       what a phrase asks for   grammar, doubt        whether a sentence is surely read whole
tagging       the classes of words     english               word lists and forms; the lists are in english.yaml
"""

from .teacher import OfflineTeacher

__all__ = ["OfflineTeacher"]
