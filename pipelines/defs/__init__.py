"""Dagster definitions: assets, checks, jobs, schedules and sensors, one module per source or layer.

Belongs here: thin shells that call a function of another package and report its result. Does not:
the work itself. Importing a module of this package starts nothing and changes nothing.
"""

import warnings

import dagster as dg

# Every Dagster process would print it on every start, and an operator can't act on it.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
