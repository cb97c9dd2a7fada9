"""The zip and the PDF: what goes in, what must be mended first, and how both are written.

``inspection``, ``notebooks``, ``portability``, ``person`` and ``editors`` find what is missing, stale or unsaved;
``archive`` makes the zip; ``formulas``, ``prose``, ``pictures``, ``glyphs`` and ``write_up`` make the PDF;
``pdf_pages`` reads it back, or one that a student made.
"""
