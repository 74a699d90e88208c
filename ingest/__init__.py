"""MQTT to spool to store. Knows no alarm and no page."""
