"""Topics: the taxonomy of subjects and how a text is matched with it.

Belongs here: loading and checking the taxonomy, and pure functions from frames of texts to
frames of matches. Does not belong here: Dagster, files of the warehouse, scores of papers (SQL
adds those up from the matches), and trends.
"""
