"""Pages on which people act: one service and one browser for all of them, ended before other files begin their own."""
