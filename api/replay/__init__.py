"""Replays: a range of the store, or a log, lived through once more with alarms and forecasts of its own."""
