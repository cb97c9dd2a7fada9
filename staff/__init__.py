"""What the staff needs and a student never gets. Nothing outside this package and the tests imports it."""
