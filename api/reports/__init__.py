"""Daily reports: read, worked out in a process of their own, kept, drawn as pages, PDF and tables."""
