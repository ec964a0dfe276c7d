"""The handler kit: reading, recognising, describing and answering; what every handler stands on."""
