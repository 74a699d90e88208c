"""Single fills against published ones: the tank model tried on cases that others have measured or computed."""
