"""Executing notebooks, comparing what comes out, and telling results that are older than their code."""
