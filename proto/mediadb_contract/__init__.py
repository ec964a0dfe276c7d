"""What the daemon, its clients and the handlers agree on: the wire's messages, their framing, the field dictionary."""
