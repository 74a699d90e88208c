"""Makes the sensors: physics to measured values to MQTT. Knows no store and no API."""
