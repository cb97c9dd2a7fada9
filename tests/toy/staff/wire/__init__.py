"""Points, sent by their coordinates."""
