"""Dagster definitions: assets, checks, jobs, schedules and sensors, one module per source or layer.

Belongs here: thin shells that call a function of another package and report its result. Does not:
the work itself. Importing a module of this package starts nothing and changes nothing.
"""

import warnings

import dagster as dg

# Every Dagster process would print these on every start, and an operator can't act on them.
# Single-run backfills are beta; setting policies for all assets at once is a preview.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
warnings.filterwarnings("ignore", "Function `Definitions.map_", dg.PreviewWarning)
