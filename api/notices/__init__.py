"""Notices: who is told of which alarm, kept before sent, tried until they arrive."""
