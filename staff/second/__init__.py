"""Second right solutions, each in a style of its own, and small mistakes made in them."""
