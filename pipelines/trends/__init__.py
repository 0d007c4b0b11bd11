"""Trends: levels, changes and verdicts of series of counts; scores of papers. Pure functions.

Belongs here: levels, changes, intervals, verdicts and their sentences, bursts, scores of papers.
Does not belong here: what is counted (SQL), which period is partial (SQL), Dagster, files, clocks,
state.

`judge` is the entry point for series of counts, `papers.score_papers` for papers. A row of period T
depends only on rows of periods up to T.
"""

from pipelines.trends.judging import judge

__all__ = ["judge"]
