"""Evaluation: criteria for the published statistics, measured on a warehouse's own papers.

Belongs here: one module per question, and the report. Does not belong here: the statistics that are
evaluated (`pipelines/topics/`, `pipelines/trends/`), which do not import this package.
"""
