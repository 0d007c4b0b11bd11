"""Topics and terms: the taxonomy, discovered topics, and terms, from the texts of papers.

Belongs here: loading and checking the taxonomy; pure functions from frames of texts to frames of
matches, topics and terms. Does not belong here: Dagster, the warehouse, trends.
"""
