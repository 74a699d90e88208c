"""The console: NiceGUI pages at /console."""
