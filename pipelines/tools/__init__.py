"""Programs for maintainers, such as the writer of the data dictionary. Nothing imports them."""
