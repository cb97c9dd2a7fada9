"""The zip and the PDF: what goes in, what must be mended first, and how both are written.

``inspection``, ``notebooks``, ``person`` and ``editors`` find what is missing, stale or unsaved; ``manifest`` and
``archive`` make the zip; ``formulas``, ``prose``, ``pictures``, ``glyphs`` and ``document`` make the PDF; ``pages``
reads it back, or one that a student made.
"""
