"""Gateways: how what was measured is kept, held back, sent in its time, and sent again."""
