"""Moving things: what they shall be called (names, templates), and archives in the format of seed 3."""
