"""Pure station knowledge: no network, disk, clock call, thread or log line."""
