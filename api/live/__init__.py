"""What the API knows of the station right now, from MQTT."""
