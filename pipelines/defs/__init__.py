"""Dagster's side: thin assets, checks, jobs and resources. The work is in the other rooms."""

import warnings

import dagster as dg

# Each process of Dagster would say so on every start, and nobody who runs Papertide can act on it.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
