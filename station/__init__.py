"""The core: what a hydrogen station is. Imports nothing of simulators, ingest, api or dashboards."""
