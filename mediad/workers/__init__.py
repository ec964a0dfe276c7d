"""Worker processes: openers walk and open, handlers parse. The loop only routes (settled 19-22)."""
