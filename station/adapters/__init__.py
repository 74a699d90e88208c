"""One file a technology: stores, journal, MQTT, logs, property tables."""
