"""Trends: shares, growth and verdicts of series of counts. Pure functions, frame to frame.

Belongs here: shares, growth, intervals, verdicts, bursts, scores of papers, team sizes. Does not
belong here: what is counted (SQL), which period is partial (SQL), Dagster, files, clocks, state.

`judge` is the entry point for series of counts; the others are `papers.score_papers` and
`teams.judge_teams`. A row of period T depends only on rows of periods up to T.
"""

from pipelines.trends.judging import judge

__all__ = ["judge"]
