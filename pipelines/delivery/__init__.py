"""Sends alerts by webhook and by mail. Independent of Dagster."""
