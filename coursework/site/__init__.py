"""The instructions as pages that can be read offline: ``handout.md`` is the text, the notebooks are the statements."""
