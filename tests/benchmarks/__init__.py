"""Measurements against the budgets. Never part of the tests: a machine's mood is no defect."""
