"""Keeping: what a station's data needs to stay whole: backup, restore, and the doctor that looks after all of it."""
