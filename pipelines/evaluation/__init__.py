"""Whether the figures deserve belief: promises put to the test on a warehouse's own papers.

Belongs here: one module for each question, and the report they write. Does not belong here: the
statistics that are tested, which know nothing of their tests.
"""
