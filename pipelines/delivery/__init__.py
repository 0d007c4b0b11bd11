"""What goes out to people: alerts by webhook and by mail. Knows no Dagster."""
