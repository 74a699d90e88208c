"""Bytes on the wire to readings and back."""
