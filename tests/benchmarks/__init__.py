"""Benchmarks of the budgets. They are not tests: results depend on the machine."""
