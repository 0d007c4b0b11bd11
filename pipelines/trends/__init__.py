"""Trends: what rises, what falls, how much and how sure. Pure functions, frame to frame.

Belongs here: shares, growth, their intervals, verdicts, bursts, scores of papers, and team sizes.
Does not belong here: what a topic or a term is, which period is partial (SQL says so), Dagster,
files, clocks, state. `judge` is the way in for series of counts; `papers.score_papers` and
`teams.judge_teams` are the other two.

Everything is *as of* its period: a row of period T depends only on rows of periods up to T.
"""

from pipelines.trends.judging import judge

__all__ = ["judge"]
