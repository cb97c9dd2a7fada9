"""Notebooks: executing them, comparing their outputs, and detecting results that are older than their code."""
