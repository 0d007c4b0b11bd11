"""Topics: the taxonomy and how texts match it, discovered topics, and terms that people coin.

Belongs here: loading and checking the taxonomy, and pure functions from frames of texts to frames
of matches, topics and terms. Does not belong here: Dagster, files of the warehouse, scores of
papers with the taxonomy's topics (SQL adds those up from the matches), and trends.
"""
