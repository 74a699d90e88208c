"""FastAPI service: readings, alarms, capacity, stream."""
