"""What a request does. One file a family; the table COMMANDS in `table` says who may ask for what."""
