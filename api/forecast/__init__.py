"""The capacity forecast in its worker process."""
