"""The changes that survive because they change nothing: of each the task, the line before and after, and the reason."""

REASONS: dict[tuple[str, str, str], str] = {}
