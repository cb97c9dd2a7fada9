"""The machinery around a homework: checks, notebooks, what is handed in, releases and grading."""
