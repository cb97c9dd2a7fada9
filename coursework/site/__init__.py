"""The instructions as pages for reading offline: text from ``handout.md``, statements from the notebooks."""
