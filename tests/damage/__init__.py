"""Damaged bodies of every form, and an oracle that knows the undamaged facts.

`papers` has the facts, `samples` writes them in every form, `kinds` damages a body, `oracle`
compares what was accepted with the facts, `campaign` puts these together.
"""
